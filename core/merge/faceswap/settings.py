"""What faceswap's convert can be told: its options and the settings of its plugins, with its names and defaults."""

from dataclasses import dataclass, field

from core.errors import UsageError
from core.geometry.centring import Centring

COLOR_ADJUSTMENTS = ("none", "avg-color", "color-transfer", "manual-balance", "match-hist", "seamless-clone")
BLENDS = ("gaussian", "normalized", "none")
COLOR_SPACES = ("RGB", "HSV", "LAB", "YCrCb")
SHARPEN_METHODS = ("none", "box", "gaussian", "unsharp_mask")
ORIGINS = ("top-left", "bottom-left", "top-right", "bottom-right")


@dataclass(frozen=True)
class Edge:
    """The edge of the mask. blend: one of BLENDS; kernel_size 1..9; passes 1..8; threshold 0..50 percent.

    erosion and the four sides: -100..100 percent, below 0 dilates.
    """

    blend: str = "normalized"
    kernel_size: int = 3
    passes: int = 4
    threshold: float = 4
    erosion: float = 0.0
    erosion_left: float = 0.0
    erosion_top: float = 0.0
    erosion_right: float = 0.0
    erosion_bottom: float = 0.0

    def __post_init__(self) -> None:
        _one_of("mask blend", self.blend, BLENDS)


@dataclass(frozen=True)
class Balance:
    """manual-balance. color_space: one of COLOR_SPACES; the three balances, contrast and brightness: -100..100."""

    color_space: str = "HSV"
    balance: tuple[float, float, float] = (0.0, 0.0, 0.0)
    contrast: float = 0.0
    brightness: float = 0.0

    def __post_init__(self) -> None:
        _one_of("color space", self.color_space, COLOR_SPACES)


@dataclass(frozen=True)
class Sharpen:
    """method: one of SHARPEN_METHODS; amount 100..500 percent; radius 0.1..5 percent of the frame's width; threshold
    1..10 of 255, for unsharp_mask.
    """

    method: str = "none"
    amount: float = 150
    radius: float = 0.3
    threshold: float = 5.0

    def __post_init__(self) -> None:
        _one_of("sharpening", self.method, SHARPEN_METHODS)


@dataclass(frozen=True)
class FaceswapSettings:
    """faceswap's configuration of a conversion.

    centring, coverage (0.625..1), y_offset (-0.25..0.25): of the model.
    color_adjustment: one of COLOR_ADJUSTMENTS. clip, preserve_paper: of color-transfer.
    match_threshold: 90..100 percent, of match-hist.
    face_scale: -10..10 percent, above 0 enlarges the face. output_scale: 25..400 percent, of the frame.
    transparent: the result has an alpha channel, the face's mask.
    one_blend: faces are placed as until 2026, by one blend, where a later version blends twice.

    Raises:
        UsageError: an unknown name.
    """

    centring: Centring = "face"
    coverage: float = 0.875
    y_offset: float = 0.0
    edge: Edge = field(default_factory=Edge)
    color_adjustment: str = "avg-color"
    clip: bool = True
    preserve_paper: bool = True
    balance: Balance = field(default_factory=Balance)
    match_threshold: float = 99.0
    face_scale: float = 0.0
    sharpen: Sharpen = field(default_factory=Sharpen)
    output_scale: float = 100
    transparent: bool = False
    one_blend: bool = False

    def __post_init__(self) -> None:
        _one_of("color adjustment", self.color_adjustment, COLOR_ADJUSTMENTS)


def _one_of(what: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"unknown {what}", where=value, hint=f"one of {', '.join(choices)}")
