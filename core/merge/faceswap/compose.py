"""A swapped face put into its frame as faceswap's convert does it: cut, color, placed, sharpened, scaled, 8 bits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.geometry.align import Matrix, invert, transform_points
from core.geometry.centring import core_size, crop_matrix
from core.imaging.landmark_masks import components_mask, extended_mask
from core.merge import filters
from core.merge.faceswap.colors import adjusted
from core.merge.faceswap.masks import blending_mask, drawn_mask
from core.merge.faceswap.settings import Edge, FaceswapSettings, Sharpen

Array = NDArray[Any]  # float32

_DRAWN = {"components": components_mask, "extended": extended_mask}


@dataclass(frozen=True, eq=False)
class Cut:
    """Where a face is cut. matrix: frame -> patch of ``size`` pixels; down: how many of them the cut lies lower."""

    landmarks: ArrayLike
    size: int
    matrix: Matrix
    down: float

    @property
    def scale(self) -> float:
        """Patch pixels per frame pixel."""
        return float(np.hypot(*self.matrix[:, 0]))


def cut(landmarks: ArrayLike, size: int, settings: FaceswapSettings) -> Cut:
    """The cut of a face with these landmarks (68, 2), for a model with an output of ``size``.

    Raises:
        InputError: degenerate landmarks.
    """
    matrix = crop_matrix(landmarks, size, settings.centring, settings.coverage)
    core = core_size(size, settings.centring, settings.coverage)
    return Cut(landmarks, size, matrix, settings.y_offset * core)


def reference(frame: NDArray[np.uint8], where: Cut) -> NDArray[np.uint8]:
    """The face of the film, (S, S, 3): what the model sees, and what colors are adjusted to."""
    matrix = where.matrix + [[0, 0, 0], [0, 0, where.down]]
    interpolation = cv2.INTER_CUBIC if where.scale >= 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(frame, matrix, (where.size, where.size), flags=interpolation), np.uint8)


def landmark_mask(name: str, where: Cut, edge: Edge) -> Array:
    """The mask called components or extended, drawn in the patch: (S, S)."""
    points = transform_points(where.landmarks, where.matrix).astype(np.float32)
    points[:, 1] += where.down
    return drawn_mask(_DRAWN[name]((where.size, where.size), points)[..., 0], edge)


def patch(frame: NDArray[np.uint8], where: Cut, swapped: Array, raw: Array | None, settings: FaceswapSettings) -> Array:
    """The swapped face with its colors adjusted, and its mask as the fourth channel: (S, S, 4).

    swapped: (S, S, 3), of the model, 0..1.
    raw: the mask (S, S) before it is eroded; None for no mask at all, which pastes a hard square.
    """
    old = reference(frame, where).astype(np.float32) / 255
    weight = np.ones((where.size, where.size), np.float32) if raw is None else raw
    mask = weight if raw is None else blending_mask(raw, settings.edge)
    return np.dstack([adjusted(old, swapped, weight, settings), mask])


def converted(
    frame: NDArray[np.uint8], faces: Sequence[tuple[Cut, Array]], settings: FaceswapSettings
) -> NDArray[np.uint8]:
    """The frame with its faces, each a cut and its :func:`patch`, in order: uint8, BGR, or BGRA if transparent."""
    image = frame.astype(np.float32) / 255
    canvas = np.dstack([image, np.zeros(image.shape[:2], np.float32)])
    for where, face in faces:
        if settings.one_blend:
            # A single patch leaves nothing of the frame around it; of several, later squares cover earlier ones.
            canvas = _placed(face, where, settings, canvas.shape, None if len(faces) == 1 else canvas)
        else:
            canvas = _blended(canvas, where, face, settings)
    canvas[..., :3] = _sharpened(np.ascontiguousarray(canvas[..., :3]), settings.sharpen)
    if settings.transparent:
        out = canvas
    else:
        alpha = canvas[..., 3:]
        out = canvas[..., :3] * alpha + image * (1 - alpha)
    return np.rint(_scaled(np.clip(out, 0, 1), settings.output_scale / 100) * 255).astype(np.uint8)


def placing_matrix(where: Cut, settings: FaceswapSettings) -> Matrix:
    """Frame -> patch, for putting the patch back: with the scale of the face, and shifted by the model's offset."""
    factor = 1 - settings.face_scale / 100
    matrix = where.matrix * factor
    matrix[:, 2] += (1 - factor) * where.size / 2
    if not settings.one_blend:
        matrix[1, 2] += settings.y_offset * where.size
    return matrix


def patch_metadata(
    where: Cut | None, size: int, settings: FaceswapSettings, frame_size: tuple[int, int], origin: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What faceswap's patch writer stores: the matrix patch -> frame (3, 3) and the corners (4, 2) in the frame.

    where: None for the blank patch of a frame without faces. size: of the patch.
    frame_size: (width, height). origin: one of ``settings.ORIGINS``, the corner that both count from.
    """
    width, height = frame_size
    matrix = np.eye(3)
    if where is not None:
        matrix[:2] = invert(placing_matrix(where, settings))
    corner = (size if "right" in origin else 0, size if "bottom" in origin else 0)
    x, y = transform_points([corner], matrix[:2])[0]
    matrix[:2, 2] = width - x if "right" in origin else x, height - y if "bottom" in origin else y
    corners = [(0, 0), (size, 0), (size, size), (0, size)]
    if origin in ("top-right", "bottom-left"):
        matrix[[0, 1], [1, 0]] *= -1
        corners = [corners[i] for i in (0, 3, 2, 1)]
    return matrix, transform_points(corners, matrix[:2])


def _placed(
    face: Array, where: Cut, settings: FaceswapSettings, shape: tuple[int, ...], onto: Array | None = None
) -> Array:
    """The patch in the frame, black outside; or, with ``onto``, outside what is there."""
    flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_LINEAR if where.scale >= 1 else cv2.INTER_CUBIC)
    border = cv2.BORDER_CONSTANT if onto is None else cv2.BORDER_TRANSPARENT
    size = shape[1], shape[0]
    return np.asarray(
        cv2.warpAffine(face, placing_matrix(where, settings), size, dst=onto, flags=flags, borderMode=border),
        np.float32,
    )


def _blended(canvas: Array, where: Cut, face: Array, settings: FaceswapSettings) -> Array:
    placed = _placed(face, where, settings, canvas.shape)
    mask = placed[..., 3:]
    image = canvas[..., :3] * (1 - mask) + placed[..., :3] * mask
    return np.dstack([image, canvas[..., 3:] + mask * (1 - canvas[..., 3:])])


def _sharpened(image: Array, sharpen: Sharpen) -> Array:
    if sharpen.method == "none":
        return image
    size = 2 * max(1, round(image.shape[1] * sharpen.radius / 100)) + 1
    amount = sharpen.amount / 100
    if sharpen.method == "box":
        out = filters.sharpen_box(image, size, amount)
    elif sharpen.method == "gaussian":
        out = filters.sharpen_gaussian(image, size, amount)
    else:
        out = filters.sharpen_unsharp(image, size, amount, sharpen.threshold / 255, flat=True)
    return np.clip(out, 0, 1)


def _scaled(image: Array, scale: float) -> Array:
    if scale == 1:
        return image
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    interpolation = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    return np.clip(cv2.resize(image, size, interpolation=interpolation), 0, 1)
