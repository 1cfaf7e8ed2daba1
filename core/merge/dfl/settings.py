"""What DeepFaceLab's merger can be told, and what it is given for one face."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from core.errors import UsageError

Array = NDArray[Any]  # float32
# Image (H, W, 3) to image, float32.
Network = Callable[[Array], Array]
# Image (256, 256, 3), and "prd" or "dst", to mask (256, 256): a program may hold the answers ready.
Segment = Callable[[Array, str], Array]

MODES = ("original", "overlay", "hist-match", "seamless", "seamless-hist-match", "raw-rgb", "raw-predict")
# In the order of their numbers, 0..9.
MASK_MODES = (
    "full",
    "dst",
    "learned-prd",
    "learned-dst",
    "learned-prd*learned-dst",
    "learned-prd+learned-dst",
    "XSeg-prd",
    "XSeg-dst",
    "XSeg-prd*XSeg-dst",
    "learned-prd*learned-dst*XSeg-prd*XSeg-dst",
)
# In the order of their numbers, 0..8.
COLOR_TRANSFERS = ("none", "rct", "lct", "mkl", "mkl-m", "idt", "idt-m", "sot-m", "mix-m")
# In the order of their numbers, 0..2.
SHARPEN_MODES = ("none", "box", "gaussian")

_CHOICES = {"mode": MODES, "mask_mode": MASK_MODES, "color_transfer": COLOR_TRANSFERS, "sharpen_mode": SHARPEN_MODES}
_RANGES = {
    "hist_match_threshold": (0, 255),
    "erode_mask": (-400, 400),
    "blur_mask": (0, 400),
    "motion_blur": (0, 100),
    "super_resolution": (0, 100),
    "blursharpen": (-100, 100),
    "output_face_scale": (-50, 50),
    "image_denoise": (0, 500),
    "bicubic_degrade": (0, 100),
    "color_degrade": (0, 100),
}


@dataclass(frozen=True)
class DflSettings:
    """DeepFaceLab's configuration of a merge, with its defaults and its names.

    mode, mask_mode, color_transfer, sharpen_mode: one of MODES, MASK_MODES, COLOR_TRANSFERS, SHARPEN_MODES.
    masked_hist_match: hist-match looks at the masked pixels only. hist_match_threshold: 0..255, below 255 darkens.
    erode_mask: -400..400 px at four times the model's size, below 0 dilates. blur_mask: 0..400 px, the same size.
    motion_blur, super_resolution, bicubic_degrade, color_degrade: 0..100.
    blursharpen: -100..100, below 0 blurs. output_face_scale: -50..50 percent. image_denoise: 0..500.

    Raises:
        UsageError: an unknown name, or a number out of its range.
    """

    mode: str = "overlay"
    mask_mode: str = "learned-prd*learned-dst"
    color_transfer: str = "rct"
    masked_hist_match: bool = True
    hist_match_threshold: int = 238
    erode_mask: int = 0
    blur_mask: int = 0
    motion_blur: int = 0
    super_resolution: int = 0
    blursharpen: int = 0
    sharpen_mode: str = "none"
    output_face_scale: int = 0
    image_denoise: int = 0
    bicubic_degrade: int = 0
    color_degrade: int = 0

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise UsageError(f"unknown {name}", where=str(getattr(self, name)), hint=f"one of {', '.join(choices)}")
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise UsageError(f"{name} is out of its range", where=str(getattr(self, name)), why=f"{low}..{high}")

    @property
    def seamless(self) -> bool:
        """Whether the face is cloned into the frame by Poisson's equation."""
        return "seamless" in self.mode

    @property
    def raw(self) -> bool:
        """Whether the face is given out for another program."""
        return self.mode.startswith("raw")


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model makes of a face. Values outside 0..1 are clipped.

    face: float32 (R, R, 3), BGR.
    face_mask, target_mask: float32 (R, R), of the swapped face ("prd") and of the face in the film ("dst").
    """

    face: Array
    face_mask: Array
    target_mask: Array


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What one face needs beside its prediction.

    segment: the mask network (256, 256, 3) -> (256, 256), for the XSeg mask modes; its values below 0.1 are 0.
    enhance: (R, R, 3) -> (4R, 4R, 3), for super resolution.
    motion_power, motion_degrees: how far and where the face moves, as of ``core.merge.dfl.motion``.
    seed: of the random color transfers; the same for all frames of a shot keeps them from flickering.
    draws: random numbers to take instead of those of the seed: rotations (20, 3, 3) for idt, directions (300, 3) for
    sot-m, (50, 3) for mix-m.
    """

    segment: Segment | None = None
    enhance: Network | None = None
    motion_power: float = 0.0
    motion_degrees: float = 0.0
    seed: int = 0
    draws: NDArray | None = None
