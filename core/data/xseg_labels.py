"""Which faces the mask network learns from, and what it shall answer: their labels."""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.landmark_masks import whole_face_mask
from core.imaging.masks import FROM_LANDMARKS, decode_mask, has_polygons, mask_origin, polygon_mask
from core.types import FaceRecord

Labels = Literal["auto", "polygons", "masks", "both", "landmarks"]


def choose(records: Sequence[FaceRecord], labels: Labels) -> list[int]:
    """Indices of the faces to learn from.

    labels: ``polygons`` or ``masks`` for those that have them, ``both`` for either; ``auto`` for those with polygons,
        and if there are none those with a stored mask, as in the DeepFaceLab format; ``landmarks`` for all. A stored
        mask that is only drawn from landmarks is no label.
    """
    drawn = [i for i, record in enumerate(records) if has_polygons(record)]
    stored = [i for i, record in enumerate(records) if _has_own_mask(record)]
    return {
        "auto": drawn or stored,
        "polygons": drawn,
        "masks": stored,
        "both": sorted({*drawn, *stored}),
        "landmarks": list(range(len(records))),
    }[labels]


def label_origin(record: FaceRecord, labels: Labels = "auto") -> str:
    """Where ``label_mask`` takes the mask from: "polygons", "xseg" for a stored mask, "landmarks".

    Who asks for landmarks gets no stored mask: it may be what the network itself has answered before.
    """
    if has_polygons(record) and labels != "masks":
        return "polygons"
    return "xseg" if labels != "landmarks" and _has_own_mask(record) else "landmarks"


def _has_own_mask(record: FaceRecord) -> bool:
    return record.xseg_mask is not None and mask_origin(record) not in FROM_LANDMARKS


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
