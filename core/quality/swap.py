"""A model and what it makes of faces: pasted as merging does it, at the face's own resolution."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.geometry.align import FaceType
from core.inference.dfm import DfmModel
from core.merge.face import Merged, merge_faces
from core.merge.patch import SwappedFace
from core.merge.settings import MergeSettings
from core.quality.faces import Crop, QualityFace, crop_of

FloatArray = NDArray[np.float32]
_BATCH = 8
OWN_FACE = "out_face:0"  # of a file made with mask_only=False: the target's own face, decoded again


@dataclass(frozen=True)
class Judged:
    """A model that is judged. face_type: of its crops. rebuilds: whether it also decodes the target's own face."""

    dfm: DfmModel
    face_type: FaceType
    rebuilds: bool = False


@dataclass(frozen=True, eq=False)
class Swapped:
    """What a model makes of a face.

    crop: what it saw. face: (R, R, 3), the swap as it comes. target_mask, face_mask: (R, R). own: (R, R, 3), the face
    that it saw, decoded again; None where the model does not say.
    """

    crop: Crop
    face: FloatArray
    target_mask: FloatArray
    face_mask: FloatArray
    own: FloatArray | None = None


def swap_faces(model: Judged, faces: Sequence[QualityFace]) -> list[Swapped]:
    """What the model makes of each face."""
    crops = [crop_of(face, model.dfm.resolution, model.face_type) for face in faces]
    made: list[Swapped] = []
    for start in range(0, len(crops), _BATCH):
        some = crops[start : start + _BATCH]
        batch = np.stack([crop.image for crop in some])
        found = model.dfm.swap(batch)
        own = model.dfm.decoded(batch, OWN_FACE) if model.rebuilds else [None] * len(some)
        made += [
            Swapped(crop, np.clip(face, 0, 1), np.clip(target[..., 0], 0, 1), np.clip(mask[..., 0], 0, 1), again)
            for crop, face, target, mask, again in zip(
                some, found.face, found.target_mask, found.face_mask, own, strict=True
            )
        ]
    return made


def merged(model: Judged, face: QualityFace, swapped: Swapped, settings: MergeSettings | None = None) -> Merged:
    """The aligned face with the swap in it: image uint8, mask uint8, as merging would do it in a frame."""
    masks = {"learned_prd": swapped.face_mask, "learned_dst": swapped.target_mask}
    put = SwappedFace(face.landmarks, swapped.face, masks, model.face_type)
    return merge_faces(face.image, [put], settings or MergeSettings())
