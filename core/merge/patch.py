"""A swapped face made ready in its own square: mask, edge, colors, sharpness. It is put into a frame by ``face``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import InputError, UsageError
from core.geometry.align import FaceType, Matrix, compose, face_matrix, transform_points
from core.imaging import color_statistics
from core.imaging.landmark_masks import draw
from core.imaging.warp import warp_face
from core.merge import colors, expressions, filters
from core.merge.edges import with_edge
from core.merge.settings import MergeSettings
from core.merge.statistics import FaceColors

Array = NDArray[Any]  # float32

_DRAWN = ("hull", "components", "extended", "whole")
_FINEST = 4  # the mask has at most so many pixels for one of the model's
_SMALLEST, _LARGEST = 8, 4096  # sides of the mask


@dataclass(frozen=True, eq=False)
class SwappedFace:
    """A face of a frame, swapped by a model.

    landmarks: (68, 2), frame pixels.
    prediction: float32 (R, R, 3), BGR, 0..1, of the model.
    masks: by name, float32 (n, n), 0..1, of any size, each covering the square that the model saw.
    face_type: of the model.
    enhanced: the prediction made better, float32 (n, n, 3), for super resolution.
    motion: (pixels, degrees) of the frame, as of ``core.merge.dfl.motion``.
    colors: what a color transfer by mean and covariance goes by, as :func:`face_colors`; None measures this frame.
    """

    landmarks: ArrayLike
    prediction: Array
    masks: Mapping[str, Array] = field(default_factory=dict)
    face_type: FaceType = FaceType.WHOLE_FACE
    enhanced: Array | None = None
    motion: tuple[float, float] = (0.0, 0.0)
    colors: FaceColors | None = None


@dataclass(frozen=True, eq=False)
class Patch:
    """A face ready to be put into its frame.

    image: float32 (S, S, 3); mask: float32 (M, M). to_image, to_mask: frame -> their pixels.
    side: of the square in the frame, in pixels.
    """

    image: Array
    mask: Array
    to_image: Matrix
    to_mask: Matrix
    side: float


def prepared(source: NDArray, face: SwappedFace, settings: MergeSettings, seed: int = 0) -> Patch:
    """The face ready to be put into a frame.

    source: the frame as the film has it, uint8 or uint16 (H, W, 3), whose colors are taken over.
    seed: of the random color transfers.

    Raises:
        InputError: degenerate landmarks; a prediction or a mask that is not square or not finite.
        UsageError: a mask is named that is not there; super resolution without an enhanced face.
    """
    prediction = _validated(face.prediction, "prediction", 3)
    size = len(prediction)
    to_face = face_matrix(face.landmarks, size, face.face_type)
    to_placed = compose(to_face, _placement(size, settings))
    side = size / float(np.sqrt(abs(np.linalg.det(to_placed[:, :2]))))
    # No more pixels than the face has in the frame, and not more than the model's four times over.
    mask_size = int(np.clip(np.ceil(min(_FINEST * size, side)), _SMALLEST, _LARGEST))
    mask = with_edge(_mask(face, to_face, size, mask_size, settings), settings)
    image = _recolored(prediction, source, to_face, mask, settings, seed, face.colors)
    image = _detailed(image, face.enhanced, settings)
    image, to_image = _antialiased(image, to_placed, size, side)
    return Patch(image, np.where(mask < 1 / 255, 0, mask), to_image, _resampled(to_placed, size, mask_size), side)


def face_colors(face: SwappedFace, target: Array, settings: MergeSettings) -> FaceColors | None:
    """What the color transfer measures, under the mask; None for transfers that do not go by mean and covariance.

    target: the face of the film in the square that the model saw, float32 (R, R, 3), 0..1.

    Raises:
        InputError, UsageError: as of :func:`prepared`.
    """
    if settings.color not in color_statistics.MODES:
        return None
    prediction = _validated(face.prediction, "prediction", 3)
    size = len(prediction)
    to_face = face_matrix(face.landmarks, size, face.face_type)
    mask = with_edge(_mask(face, to_face, size, size, settings), settings)
    return colors.measured(prediction, target, mask, settings)


def _placement(size: int, settings: MergeSettings) -> Matrix:
    """Where a pixel of the face square is taken from, for a face that is scaled, turned and shifted."""
    turn = np.radians(settings.rotation)
    factor = 1 / (1 + settings.scale / 100)
    back = factor * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    middle = np.full(2, size / 2)
    shift = np.array([settings.shift_x, settings.shift_y]) * size / 100
    return np.column_stack([back, middle - back @ (middle + shift)])


def _resampled(matrix: Matrix, size: int, other: int) -> Matrix:
    """The matrix for the same square with ``other`` pixels a side, laid pixel edge on pixel edge."""
    ratio = other / size
    return compose(matrix, [[ratio, 0, (ratio - 1) / 2], [0, ratio, (ratio - 1) / 2]])


def _mask(face: SwappedFace, to_face: Matrix, size: int, mask_size: int, settings: MergeSettings) -> Array:
    expression = expressions.parse(settings.mask)
    given = {name: _validated(face.masks[name], f"mask {name}", 0) for name in expression.names & face.masks.keys()}
    if given.keys() == expression.names and len({len(mask) for mask in given.values()}) == 1:
        return _fitted(expressions.evaluate(expression, given), size, mask_size)
    masks: dict[str, Array] = {"full": np.ones((mask_size, mask_size), np.float32)}
    to_mask = _resampled(to_face, size, mask_size)
    for name in expression.names - masks.keys():
        if name in given:
            masks[name] = _fitted(given[name], size, mask_size)
        elif name in _DRAWN:
            points = transform_points(face.landmarks, to_mask)
            masks[name] = draw(name, (mask_size, mask_size), points)[..., 0]
    missing = sorted(expression.names - masks.keys())
    if missing:
        there = sorted({"full", *_DRAWN, *face.masks})
        raise UsageError(
            f"there is no mask called {missing[0]}", where=settings.mask, hint=f"there are {', '.join(there)}"
        )
    return expressions.evaluate(expression, masks)


def _fitted(mask: Array, size: int, mask_size: int) -> Array:
    """A mask of any size at the size wanted. Squares cut by a face matrix share the centre of their first pixel."""
    if len(mask) == mask_size == size:
        return np.clip(mask, 0, 1)
    ratio = mask_size / len(mask)
    offset = (mask_size / size - 1) / 2
    return np.clip(warp_face(mask, [[ratio, 0, offset], [0, ratio, offset]], mask_size), 0, 1)


def _recolored(
    prediction: Array,
    source: NDArray,
    to_face: Matrix,
    mask: Array,
    settings: MergeSettings,
    seed: int,
    known: FaceColors | None,
) -> Array:
    wants_target = settings.color not in ("none", "manual-balance") or "hist-match" in settings.mode
    if not wants_target and settings.color == "none":
        return prediction
    size = len(prediction)
    target = prediction
    if wants_target:
        # Up to two pixels of the frame for one of the face, a bilinear sample misses none.
        plain = float(np.hypot(*to_face[:, 0])) >= 0.5
        cut = warp_face(source, to_face, size, exact=plain)
        target = cut.astype(np.float32) / np.float32(np.iinfo(source.dtype).max)
    seen = cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA if len(mask) > size else cv2.INTER_LINEAR)
    image = colors.recolored(prediction, target, seen, settings, seed, known)
    if settings.mode == "hist-match":
        image = colors.matched(image, target, seen, settings.hist_threshold)
    return image


def _detailed(image: Array, enhanced: Array | None, settings: MergeSettings) -> Array:
    """Super resolution and sharpness, at the model's size or that of the enhanced face."""
    if settings.super_resolution:
        if enhanced is None:
            raise UsageError("super resolution needs an enhanced face", hint="set super_resolution to 0")
        better = _validated(enhanced, "enhanced face", 3)
        larger = cv2.resize(image, (len(better), len(better)), interpolation=cv2.INTER_CUBIC)
        image = np.clip(larger + (better - larger) * np.float32(settings.super_resolution / 100), 0, 1)
    if settings.blur:
        image = filters.smooth(image, settings.blur, whole=10)
    kernel = 2 * max(1, int(np.ceil(2 * settings.sharpen_radius))) + 1
    if settings.sharpen == "box":
        image = filters.sharpen_box(image, kernel, settings.sharpen_amount)
    elif settings.sharpen == "gaussian":
        image = filters.sharpen_gaussian(image, kernel, settings.sharpen_amount)
    elif settings.sharpen == "unsharp":
        image = filters.sharpen_unsharp(image, kernel, settings.sharpen_amount, 2 / 255)
    return np.clip(image, 0, 1)


def _antialiased(image: Array, to_placed: Matrix, size: int, side: float) -> tuple[Array, Matrix]:
    """The image with no more pixels than the frame has for it, and its matrix."""
    fitting = max(1, round(side))
    if len(image) > fitting:
        image = np.asarray(cv2.resize(image, (fitting, fitting), interpolation=cv2.INTER_AREA), np.float32)
    return image, _resampled(to_placed, size, len(image))


def _validated(values: NDArray, what: str, channels: int) -> Array:
    array = np.asarray(values, np.float32)
    if not channels and array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    wanted = (array.shape[0], array.shape[0], *([channels] if channels else []))
    if array.shape != wanted or not array.size:
        raise InputError(f"a {what} that is not square", why=f"its shape is {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"a {what} with numbers that are not finite", hint="the model is damaged, or diverged")
    return array
