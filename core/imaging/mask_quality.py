"""How good a face mask looks, in numbers that sort the worst to the front."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.masks import Mask, mask_iou

_USUAL_RATIO = (0.75, 1.45)  # area against the landmark hull, which ends at the brows
UNSURE = 0.1  # of the mask: a network that knows such faces is undecided at their edge only
_SPECK = 0.0005  # of the image: smaller pieces and holes count as noise of the edge


@dataclass(frozen=True)
class MaskQuality:
    """What can be said about a mask without knowing the right one.

    area: share of the image, 0..1.
    hull_ratio: its area over that of the landmark hull.
    hull_iou: agreement with that hull, 0..1.
    holes, pieces: how many, specks apart.
    change: 1 - IoU with the mask of the frame before, NaN for none.
    uncertainty: see :func:`uncertainty`, NaN for a stored two-level mask.
    """

    area: float
    hull_ratio: float
    hull_iou: float
    holes: int
    pieces: int
    change: float = float("nan")
    uncertainty: float = float("nan")

    @property
    def score(self) -> float:
        """0: fine; 1 and more: look at it."""
        low, high = _USUAL_RATIO
        off = max(0.0, (low - self.hull_ratio) / low, (self.hull_ratio - high) / high)
        holes = min(self.holes, 3) / 3
        # An empty mask is worse than any number of pieces.
        pieces = min(self.pieces - 1, 3) / 3 if self.pieces else 2.0
        known = [value for value in (self.change, self.uncertainty) if not np.isnan(value)]
        return float(sum([min(off * 2, 2.0), holes, pieces, *(min(value * 3, 2.0) for value in known)]))

    @property
    def reason(self) -> str:
        """What is odd about it, for people; empty when nothing is."""
        low, high = _USUAL_RATIO
        found = [
            ("empty", self.pieces == 0),
            (f"{self.hull_ratio:.0%} of the face's hull", self.pieces > 0 and not low <= self.hull_ratio <= high),
            (f"{self.holes} holes" if self.holes != 1 else "a hole", self.holes > 0),
            (f"{self.pieces} pieces", self.pieces > 1),
            (f"changes by {self.change:.0%}", self.change > 0.15),
            (f"unsure of {self.uncertainty:.0%}", self.uncertainty > UNSURE),
        ]
        return ", ".join(text for text, true in found if true)


def measure(mask: Mask, hull: Mask, *, before: Mask | None = None, uncertain: float = float("nan")) -> MaskQuality:
    """Judge ``mask`` against the landmark hull of the same size.

    before: the mask of the frame before, of the same size and face type.
    uncertain: what :func:`uncertainty` said of the mask before it was stored.
    """
    binary = _plane(mask)
    outline = _plane(hull)
    holes, pieces = _count(binary)
    ratio = float(binary.sum() / max(int(outline.sum()), 1))
    change = float("nan") if before is None else 1 - mask_iou(binary, _plane(before))
    return MaskQuality(
        area=float(binary.mean()),
        hull_ratio=ratio,
        hull_iou=mask_iou(binary, outline),
        holes=holes,
        pieces=pieces,
        change=change,
        uncertainty=uncertain,
    )


def uncertainty(mask: NDArray) -> float:
    """How undecided a soft mask (0..1) is: the sum of 4 p (1 - p) against the area it covers.

    0 for a two-level mask, 1 for 0.5 everywhere.
    """
    p = np.clip(np.asarray(mask, np.float32), 0, 1)
    covered = max(float((p > 0.1).sum()), 0.01 * p.size)  # an empty mask is not divided by nothing
    return float((4 * p * (1 - p)).sum() / covered)


def _plane(mask: NDArray) -> NDArray[np.uint8]:
    return (np.asarray(mask).reshape(mask.shape[:2]) > 0.5).astype(np.uint8)


def _count(binary: NDArray[np.uint8]) -> tuple[int, int]:
    """(holes, pieces) of more than a speck."""
    smallest = max(4.0, _SPECK * binary.size)
    # Pixels that touch at a corner are one piece; the background, counted the other way, does not leak through there.
    pieces = _areas(binary, 8)
    # With a frame around it all that is outside is one piece of the background, the others are holes.
    background = _areas(np.pad(1 - binary, 1, constant_values=1), 4)
    return max(sum(a > smallest for a in background) - 1, 0), sum(a > smallest for a in pieces)


def _areas(binary: NDArray[np.uint8], connectivity: int) -> list[int]:
    _, _, stats, _ = cv2.connectedComponentsWithStats(binary, connectivity=connectivity)
    return [int(a) for a in stats[1:, cv2.CC_STAT_AREA]]
