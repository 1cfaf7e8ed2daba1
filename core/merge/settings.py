"""How a face is put into its frame: the settings of our own composition."""

from dataclasses import dataclass, field, fields

from core.merge import expressions, limits, names
from core.merge.faceswap.settings import Balance

SHARPENINGS = ("none", "box", "gaussian", "unsharp")
_RANGES = {
    "opacity": (0, 1),
    "erode": (-128, 128),
    "erode_left": (-128, 128),
    "erode_top": (-128, 128),
    "erode_right": (-128, 128),
    "erode_bottom": (-128, 128),
    "feather_in": (0, 128),
    "feather_out": (0, 128),
    "scale": (-50, 50),
    "shift_x": (-50, 50),
    "shift_y": (-50, 50),
    "rotation": (-180, 180),
    "color_strength": (0, 1),
    "hist_threshold": (50, 100),
    "super_resolution": (0, 100),
    "sharpen_amount": (0, 5),
    "sharpen_radius": (0.5, 10),
    "blur": (0, 100),
    "motion_blur": (0, 100),
    "denoise": (0, 500),
    "degrade": (0, 100),
    "color_degrade": (0, 100),
    "grain": (0, 3),
}


@dataclass(frozen=True)
class MergeSettings:
    """Everything acts on the face only, so that where the mask is 0 the frame stays as it is.

    mode: a name of ``core.merge.names.MODE_NAMES``. mask: a name of MASK_NAMES, or an expression of
    ``core.merge.expressions``. color: a name of COLOR_NAMES. Each is kept as our name.
    opacity: 0..1.
    erode, and for each side: pixels of a face of 256 px, added to each other; below 0 enlarges.
    feather_in, feather_out: width of the soft edge inward and outward of the eroded edge, the same pixels. With no
    erosion and no feather the mask keeps the edge that it has.
    scale: -50..50 percent. shift_x, shift_y: percent of the face square. rotation: degrees, clockwise.
    color_strength: 0..1. hist_threshold: 50..100 percent, of the histogram modes. balance: of manual-balance.
    super_resolution: 0..100, share of the enhanced face.
    sharpen: one of SHARPENINGS. sharpen_amount: 0..5 times the difference. sharpen_radius: pixels of the model's face.
    blur, denoise: median filters on the face of the model and in the frame. motion_blur: percent of the face's way.
    degrade, color_degrade: 0..100, less detail and 256 colors. grain: 1 gives the face the noise of the film, 0 none.

    Raises:
        UsageError: an unknown name, a mask expression that cannot be read, a number out of its range.
    """

    mode: str = "overlay"
    mask: str = "learned_prd * learned_dst"
    color: str = "rct"
    opacity: float = 1.0
    erode: float = 0.0
    erode_left: float = 0.0
    erode_top: float = 0.0
    erode_right: float = 0.0
    erode_bottom: float = 0.0
    feather_in: float = 8.0
    feather_out: float = 2.0
    scale: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    rotation: float = 0.0
    color_strength: float = 1.0
    hist_threshold: float = 100.0
    balance: Balance = field(default_factory=Balance)
    super_resolution: float = 0.0
    sharpen: str = "none"
    sharpen_amount: float = 0.5
    sharpen_radius: float = 1.0
    blur: int = 0
    motion_blur: float = 0.0
    denoise: int = 0
    degrade: int = 0
    color_degrade: float = 0.0
    grain: float = 0.0

    def __post_init__(self) -> None:
        limits.require_one_of("sharpening", self.sharpen, SHARPENINGS)
        limits.require_ranges(self, _RANGES)
        object.__setattr__(self, "mode", names.mode_name(self.mode))
        object.__setattr__(self, "color", names.color_name(self.color))
        object.__setattr__(self, "mask", names.mask_expression(self.mask))
        expressions.parse(self.mask)

    @property
    def seamless(self) -> bool:
        """Whether the face is cloned by Poisson's equation."""
        return self.mode.startswith("seamless")

    @property
    def keeps_edge(self) -> bool:
        """Whether the mask's edge stays as it is."""
        return not any(getattr(self, f.name) for f in fields(self) if f.name.startswith(("erode", "feather")))
