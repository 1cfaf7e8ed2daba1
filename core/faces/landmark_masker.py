"""The landmark masks as maskers: no weights, no network."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faces.contract import FloatArray, Prepared
from core.faces.mask_placing import require_square, resize
from core.imaging.landmark_masks import draw
from core.types import FaceRecord


class LandmarkMasker:
    """See ``core.faces.contract.Masker``.

    kind: the plugin's name, and that of the drawing in ``core.imaging.landmark_masks.draw``.
    """

    device = "CPU"

    def __init__(self, kind: str):
        self.kind = kind
        self.identity = f"landmarks {kind} 1"
        self.origin = f"landmarks ({kind})"

    def prepare(self, image: NDArray[np.uint8], record: FaceRecord) -> Prepared:
        require_square(image, record)
        return Prepared(draw(self.kind, image.shape, record.landmarks, record.eyebrows_expand_mod)[..., 0])

    def infer(self, batch: Sequence[FloatArray]) -> Sequence[FloatArray]:
        return batch

    def place(self, mask: FloatArray, prepared: Prepared, shape: tuple[int, ...], side: int) -> FloatArray:
        return resize(mask, side, cv2.INTER_AREA if mask.shape[0] > side else cv2.INTER_LINEAR)
