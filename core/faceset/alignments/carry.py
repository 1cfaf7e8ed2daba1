"""What a person or a network added to a face file, carried over to a new crop of the same face."""

from dataclasses import replace

import numpy as np

from core.errors import CorruptFileError
from core.faceset.transform import moved_mask, moved_record
from core.geometry.align import compose, invert
from core.imaging.landmark_masks import draw
from core.imaging.masks import FROM_LANDMARKS, encode_mask, mask_maker
from core.types import FaceRecord


def carried_over(old: FaceRecord, new: FaceRecord) -> FaceRecord:
    """The new record with the polygons, the mask and the foreign keys of the old one.

    Polygons and masks are moved by way of the frame, so that they stay where they are in the picture; a mask that was
    drawn from landmarks is drawn from the new ones.
    """
    kept = replace(new, eyebrows_expand_mod=old.eyebrows_expand_mod, person=old.person, extra=old.extra)
    if old.image_to_face_mat is None or new.image_to_face_mat is None:
        return kept
    matrix = compose(invert(old.image_to_face_mat), new.image_to_face_mat)
    polygons = moved_record(old, matrix, new.shape).polygons
    return replace(kept, polygons=polygons, xseg_mask=_mask(old, kept, matrix))


def _mask(old: FaceRecord, new: FaceRecord, matrix: np.ndarray) -> bytes | None:
    if old.xseg_mask is None:
        return None
    maker = mask_maker(old.xseg_mask)
    try:
        if maker in FROM_LANDMARKS:
            return encode_mask(draw(maker, new.shape, new.landmarks, new.eyebrows_expand_mod), maker)
        return moved_mask(old.xseg_mask, matrix, old.shape, new.shape[0])
    except CorruptFileError:  # training could not read it either; the next mask step makes one
        return None
