"""Which faces the mask network learns from, and what it shall answer: their labels."""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.landmark_masks import whole_face_mask
from core.imaging.masks import decode_mask, has_polygons, polygon_mask
from core.types import FaceRecord

Labels = Literal["auto", "polygons", "masks", "both", "landmarks"]


def choose(records: Sequence[FaceRecord], labels: Labels) -> list[int]:
    """Indices of the faces to learn from.

    labels: ``polygons`` or ``masks`` for those that have them, ``both`` for either; ``auto`` for those with polygons,
        and if there are none those with a stored mask, as in the DeepFaceLab format; ``landmarks`` for all.
    """
    drawn = [i for i, record in enumerate(records) if has_polygons(record)]
    stored = [i for i, record in enumerate(records) if record.xseg_mask is not None]
    return {
        "auto": drawn or stored,
        "polygons": drawn,
        "masks": stored,
        "both": sorted({*drawn, *stored}),
        "landmarks": list(range(len(records))),
    }[labels]


def label_origin(record: FaceRecord, labels: Labels = "auto") -> str:
    """Where ``label_mask`` takes the mask from: "polygons", "xseg" for a stored mask, "landmarks"."""
    if has_polygons(record) and labels != "masks":
        return "polygons"
    return "xseg" if record.xseg_mask is not None else "landmarks"


def label_mask(record: FaceRecord, labels: Labels = "auto") -> NDArray[np.float32]:
    """The two-level mask of a labelled face at the size of its image, float32 (H, W, 1).

    Polygons come before the stored mask, that before landmarks.

    Raises:
        CorruptFileError: the stored mask is damaged.
    """
    origin = label_origin(record, labels)
    if origin == "polygons":
        return polygon_mask(record.shape, record.polygons)
    if origin == "xseg":
        mask = decode_mask(record.xseg_mask or b"", record.name)[..., 0]
        mask = cv2.resize(mask, record.shape[::-1], interpolation=cv2.INTER_LINEAR)[..., None]
    else:
        mask = whole_face_mask(record.shape, record.landmarks)
    return (mask >= 0.5).astype(np.float32)
