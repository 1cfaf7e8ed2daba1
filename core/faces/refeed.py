"""Landmarks from several looks: the box moved a little for each (re-feed), and a second look at the levelled face."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.faces.contract import Landmarker
from core.geometry.align import invert, transform_points
from core.geometry.centring import crop_matrix
from core.imaging.warp import warp_face
from core.types import Face

Points = NDArray[np.float64]
Marked = tuple[Points, float]
_SHIFT = 0.05  # of the box's shorter side, for each of its place and its sides
_CROP = 384  # side of the levelled face, pixels
_FOREHEAD = 0.3  # a box reaches so much above the eyebrows, in heights of the points


@dataclass(frozen=True)
class Looks:
    """How often a face is looked at.

    refeed: looks besides the first, each at a box that is moved a little; the points are their mean.
    realign: each look is followed by one at the face that the first one levelled.
    filter_refeed: looks whose points pass no filter do not count, unless none passes.
    filter_realign: points that pass no filter are not looked at again.
    """

    refeed: int = 0
    realign: bool = False
    filter_refeed: bool = True
    filter_realign: bool = True


def mark(
    landmarker: Landmarker, image: NDArray[np.uint8], face: Face, looks: Looks, passes: Callable[[Points], bool]
) -> Marked:
    """The points, float64 (68, 2), and the confidence that this is a face.

    The moves are drawn from the frame's name and the box: the same frame gives the same points every time.

    passes: whether points are like a face.
    """
    found = [_look(landmarker, image, each, looks, passes) for each in (face, *_moved(face, looks.refeed))]
    used = [each for each in found if passes(each[0])] if looks.filter_refeed and len(found) > 1 else found
    used = used or found[:1]
    return np.mean([points for points, _ in used], axis=0), float(np.mean([confidence for _, confidence in used]))


def _look(
    landmarker: Landmarker, image: NDArray[np.uint8], face: Face, looks: Looks, passes: Callable[[Points], bool]
) -> Marked:
    points, confidence = landmarker.landmarks(image, face)
    first = points.astype(np.float64), confidence
    if not looks.realign or (looks.filter_realign and not passes(first[0])):
        return first
    try:
        matrix = crop_matrix(first[0], _CROP, "head")
        back = invert(matrix)
    except InputError:  # points that no crop can be made of; the filters say so
        return first
    level = Face(_box(transform_points(first[0], matrix)), face.confidence)
    points, confidence = landmarker.landmarks(warp_face(image, matrix, _CROP), level)
    return transform_points(points, back), confidence


def _box(points: Points) -> NDArray[np.float32]:
    """The box that a detector would draw around these points."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return np.array([left, top - _FOREHEAD * (bottom - top), right, bottom], np.float32)


def _moved(face: Face, count: int) -> Iterator[Face]:
    """The face with its box moved, ``count`` times."""
    if not count:
        return
    corner, size = face.box[:2].astype(np.float64), (face.box[2:] - face.box[:2]).astype(np.float64)
    rng = np.random.default_rng(_seed(face))
    for moves in rng.uniform(-1, 1, (count, 2, 2)) * _SHIFT * size.min():
        start, sides = corner + moves[0], size + moves[1]
        yield replace(face, box=np.concatenate([start, start + sides]).astype(np.float32))


def _seed(face: Face) -> int:
    name = face.frame.encode("utf-8", "surrogatepass")
    box = np.asarray(face.box, "<f4").round().tobytes()
    return int.from_bytes(hashlib.blake2b(name + box, digest_size=8).digest(), "little")
