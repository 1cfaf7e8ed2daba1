"""Swapped faces put into their frame, our own way: only where the mask is, far faces before near ones, rounded.

    merged = merge_faces(frame, [SwappedFace(landmarks, prediction, masks)], MergeSettings(mode="overlay"))

Pure functions: the frame that is given is not changed, and the same input gives the same bytes in any thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, UsageError
from core.geometry.align import Matrix, compose, invert, transform_points
from core.merge import colors, filters, grain, pyramid
from core.merge.patch import Patch, SwappedFace, prepared
from core.merge.seamless import cloned
from core.merge.settings import MergeSettings

Array = NDArray[Any]  # float32
Box = tuple[int, int, int, int]  # left, top, right, bottom, pixels of the frame

_SEAMLESS_FROM = 0.1  # of the mask: what is cloned
_RING = 0.15  # of the face's side: how far around it the film's noise is measured
_SMALLEST = 8  # side of a face's square, px; what is smaller is left as it is
_LONGEST_BLUR = 100  # px


@dataclass(frozen=True, eq=False)
class Merged:
    """A frame with its faces. image: as the frame; mask: (H, W) of the frame's type, what was covered by faces."""

    image: NDArray
    mask: NDArray


def merge_faces(
    frame: NDArray,
    faces: Sequence[SwappedFace],
    settings: MergeSettings | Sequence[MergeSettings],
    seed: int = 0,
    number: int = 0,
) -> Merged:
    """The frame with all its faces, small ones first, each onto the result so far.

    frame: uint8 or uint16 (H, W, 3), BGR. settings: one for all, or one for each face.
    seed: of the shot, for random color transfers. number: of the frame, so that grain moves.

    Raises:
        InputError: a frame of another kind; degenerate landmarks; a prediction or mask that cannot be used.
        UsageError: a mask is named that is not there, super resolution without an enhanced face; raw-predict.
    """
    _validate_frame(frame)
    each = [settings] * len(faces) if isinstance(settings, MergeSettings) else list(settings)
    if len(each) != len(faces):
        raise InputError("settings for another number of faces", why=f"{len(each)} settings, {len(faces)} faces")
    image, mask = frame.copy(), np.zeros(frame.shape[:2], frame.dtype)
    if any(s.mode == "raw-predict" for s in each):
        raise UsageError("raw-predict has no frame", hint="the face alone is core.merge.patch.prepared")
    ready = [(prepared(frame, face, s, seed), face, s) for face, s in zip(faces, each, strict=True)]
    for index, (patch, face, s) in enumerate(sorted(ready, key=lambda item: item[0].side)):
        if patch.side >= _SMALLEST:
            _put(image, mask, face, patch, s, (seed, number, index))
    return Merged(image, mask)


def merge_face(frame: NDArray, face: SwappedFace, settings: MergeSettings, seed: int = 0, number: int = 0) -> NDArray:
    """The frame with one face; arguments and errors as of :func:`merge_faces`."""
    return merge_faces(frame, [face], settings, seed, number).image


def _validate_frame(frame: NDArray) -> None:
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype not in (np.uint8, np.uint16) or not frame.size:
        raise InputError("a frame of 8 or 16 bits and three channels is needed", why=f"{frame.shape}, {frame.dtype}")


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a face goes.

    inner, box: of what is covered, and of what is changed. back: the frame there, in its levels, 0..top, (h, w, 3).
    cover: the mask there, 0..1, (h, w).
    """

    face: SwappedFace
    patch: Patch
    settings: MergeSettings
    seed: tuple[int, ...]
    inner: Box
    box: Box
    back: Array
    cover: Array
    top: np.float32


def _put(
    image: NDArray, mask: NDArray, face: SwappedFace, patch: Patch, s: MergeSettings, seed: tuple[int, ...]
) -> None:
    """Puts a face into ``image``, and what it covers into ``mask``."""
    inner = (_square_box if s.mode == "raw-rgb" else _mask_box)(patch, image.shape)
    if inner is None:
        return
    box = _grown(inner, pyramid.reach(_levels(inner)), image.shape) if s.mode == "multiband" else inner
    cover = _warped(patch.mask, patch.to_mask, box, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
    top = np.float32(np.iinfo(image.dtype).max)
    part = mask[_slices(box)]
    np.maximum(part, np.rint(cover * top).astype(mask.dtype), out=part)
    if s.mode == "original" or not s.opacity:
        return
    place = _Place(face, patch, s, seed, inner, box, image[_slices(box)].astype(np.float32), cover, top)
    front = _warped(patch.image, patch.to_image, box, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)
    front = _like_the_film(front, place)
    if s.grain:
        front = _grained(front, place, image)
    out = _composed(np.clip(front, 0, 1, out=front), place)
    image[_slices(box)] = np.rint(out, out=out)


def _like_the_film(front: Array, place: _Place) -> Array:
    """The face with the motion, the sharpness and the colors of the film, at the pixels of the frame."""
    s, (distance, degrees) = place.settings, place.face.motion
    length = int(distance * s.motion_blur / 100)
    if length >= 2:
        front = filters.motion_blur(front, min(length, _LONGEST_BLUR), degrees)
    front = filters.smooth(front, s.denoise, whole=100)
    if s.degrade:
        front = filters.degrade(front, s.degrade)
    return filters.fewer_colors(front, s.color_degrade)


def _grained(front: Array, place: _Place, image: NDArray) -> Array:
    around = _grown(place.inner, int(_RING * place.patch.side) + 8, image.shape)
    film = image[_slices(around)].astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    covered = _warped(place.patch.mask, place.patch.to_mask, around, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
    own = grain.measured(front, 1 - place.cover)
    return grain.grained(front, grain.measured(film, covered), own, place.settings.grain, place.seed)


def _composed(front: Array, place: _Place) -> Array:
    """The frame with the face, in levels, not rounded. ``front`` is used up."""
    s, back, weight = place.settings, place.back, place.cover
    front *= place.top
    if s.mode == "raw-rgb":
        weight = _square(place)
    elif s.seamless:
        front = _cloned(back, front, place)
        if s.mode == "seamless-hist-match":
            front = colors.matched(front, back, place.cover, s.hist_threshold)
    elif s.mode == "multiband":
        # Outside of its square there is no face: it goes on with the frame there.
        front = back + (front - back) * _square(place)[..., None]
        front = np.clip(pyramid.blended(back, front, place.cover, _levels(place.inner)), 0, place.top)
        weight = np.ones_like(weight)
    front -= back
    front *= (weight * np.float32(s.opacity))[..., None]
    front += back
    return front


def _cloned(back: Array, front: Array, place: _Place) -> Array:
    """By Poisson's equation, in 8 bits, with room around so that the mask never ends at the picture's border."""
    mask = np.pad((place.cover > _SEAMLESS_FROM).astype(np.uint8) * 255, 2)
    if not mask.any():
        return front
    wide = ((2, 2), (2, 2), (0, 0))
    scale = np.float32(255 / place.top)
    front8, back8 = (np.pad(np.rint(x * scale).astype(np.uint8), wide, mode="edge") for x in (front, back))
    return cloned(front8, back8, mask)[2:-2, 2:-2].astype(np.float32) / scale


def _mask_box(patch: Patch, shape: tuple[int, ...]) -> Box | None:
    """The pixels of the frame that the mask reaches; None where there are none."""
    if not patch.mask.any():
        return None
    left, top, width, height = cv2.boundingRect((patch.mask > 0).astype(np.uint8))
    return _box_of((left - 1, top - 1, left + width, top + height), patch.to_mask, shape)


def _square_box(patch: Patch, shape: tuple[int, ...]) -> Box | None:
    end = len(patch.image) - 0.5
    return _box_of((-0.5, -0.5, end, end), patch.to_image, shape)


def _box_of(rectangle: tuple[float, float, float, float], matrix: Matrix, shape: tuple[int, ...]) -> Box | None:
    left, top, right, bottom = rectangle
    corners = transform_points([(left, top), (right, top), (right, bottom), (left, bottom)], invert(matrix))
    low, high = np.floor(corners.min(0)), np.ceil(corners.max(0)) + 1
    box = _inside((*low, *high), shape)
    return box if box[0] < box[2] and box[1] < box[3] else None


def _grown(box: Box, by: int, shape: tuple[int, ...]) -> Box:
    return _inside((box[0] - by, box[1] - by, box[2] + by, box[3] + by), shape)


def _inside(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> Box:
    x = np.clip([box[0], box[2]], 0, shape[1]).astype(int)
    y = np.clip([box[1], box[3]], 0, shape[0]).astype(int)
    return int(x[0]), int(y[0]), int(x[1]), int(y[1])


def _levels(box: Box) -> int:
    return pyramid.levels(min(box[2] - box[0], box[3] - box[1]))


def _slices(box: Box) -> tuple[slice, slice]:
    return slice(box[1], box[3]), slice(box[0], box[2])


def _square(place: _Place) -> Array:
    """1 where the face's square is."""
    ones = np.ones(place.patch.image.shape[:2], np.float32)
    return _warped(ones, place.patch.to_image, place.box, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)


def _warped(picture: Array, matrix: Matrix, box: Box, interpolation: int, border: int) -> Array:
    """The part of the frame in ``box`` filled from ``picture``. matrix: frame -> picture."""
    here = compose([[1, 0, box[0]], [0, 1, box[1]]], matrix)
    size = box[2] - box[0], box[3] - box[1]
    warped = cv2.warpAffine(picture, here, size, flags=interpolation | cv2.WARP_INVERSE_MAP, borderMode=border)
    return np.asarray(warped, np.float32)
