"""Which faces of two lists are the same face of a frame: by where they are, never by their place in a list."""

from collections.abc import Sequence

import numpy as np

from core.faceset.database.faces import points_of
from core.faceset.identity import birth_id
from core.geometry.boxes import intersection_over_union
from core.types import Face

# Mean distance of the points, as a part of the size of the face. Two detectors differ by a twentieth, neighbours by
# more than the whole.
_FARTHEST = 0.25
_LEAST_OVERLAP = 0.5  # of boxes, where points are missing


def same_faces(coming: Sequence[Face], known: Sequence[Face]) -> dict[int, int]:
    """Index of a face that comes -> index of the known one that it is; all are of one frame.

    The nearest find each other first. A face that was moved here since is known by the points that it came with.
    """
    born = {face.id: index for index, face in enumerate(known)}
    found: dict[int, int] = {}
    for index, face in enumerate(coming):
        place = born.get(face.id or birth_id(face.frame, points_of(face)))
        if place is not None and place not in found.values():
            found[index] = place
    pairs = sorted(
        (distance, here, there)
        for here, face in enumerate(coming)
        for there, other in enumerate(known)
        if here not in found and (distance := distance_of(face, other)) <= 1
    )
    for _, here, there in pairs:
        if here not in found and there not in found.values():
            found[here] = there
    return found


def distance_of(a: Face, b: Face) -> float:
    """How far two faces are apart: 0 is the same place, up to 1 the same face."""
    if a.landmarks is not None and b.landmarks is not None:
        size = np.sqrt(np.ptp(a.landmarks, axis=0).prod())
        apart = np.linalg.norm(a.landmarks - b.landmarks, axis=1).mean()
        return float(apart / max(size, 1e-6) / _FARTHEST)
    if not (np.isfinite(a.box).all() and np.isfinite(b.box).all()):
        return np.inf
    if np.array_equal(a.box, b.box):
        return 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        overlap = float(intersection_over_union(a.box.astype(np.float64), b.box[None].astype(np.float64))[0])
    return (1 - overlap) / (1 - _LEAST_OVERLAP) if np.isfinite(overlap) else np.inf


def same_place(a: Face, b: Face) -> bool:
    """Whether two faces have the very same points, as far as files keep them."""
    one, other = points_of(a), points_of(b)
    return one.shape == other.shape and np.array_equal(one.astype(np.float32), other.astype(np.float32), equal_nan=True)
