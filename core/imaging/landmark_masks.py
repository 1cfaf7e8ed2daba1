"""Face masks drawn from 68 landmarks alone, beside the hull of ``core.imaging.masks``.

Masks are float32 H x W x 1, 0..1, with anti-aliased edges; landmarks (68, 2) in pixels of an image whose (height,
width, ...) is ``shape``. ``components_mask`` and ``extended_mask`` are those of faceswap, to the bit;
``whole_face_mask`` is a smooth outline that covers the forehead.
"""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.geometry import landmarks as lm
from core.imaging.masks import HULL_PARTS, Mask, hull_mask

_FOREHEAD = 0.72  # height above the brows, in units of the distance from nose base to brows
_ARC = 24  # points over the forehead
_SMOOTHING = 0.02  # of the outline's length
_SUBPIXEL_BITS = 4


def components_mask(shape: tuple[int, ...], landmarks: ArrayLike) -> Mask:
    """The union of the convex hulls of the parts of the face."""
    return _fill_parts(shape, lm.validated(landmarks))


def extended_mask(shape: tuple[int, ...], landmarks: ArrayLike) -> Mask:
    """``components_mask`` with the eyebrows moved up by half their distance from the eyes (rounded down)."""
    return _fill_parts(shape, _raised_brows(lm.validated(landmarks)))


def whole_face_mask(shape: tuple[int, ...], landmarks: ArrayLike, softness: float = 0.0) -> Mask:
    """A smooth outline around jaw and forehead.

    softness: width of the edge as a part of the image's height, 0 for a sharp one.
    """
    outline = whole_face_outline(landmarks)
    fixed_point = np.rint(np.clip(outline, -2000, 32000) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    drawn = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(drawn, [fixed_point], 255, lineType=cv2.LINE_AA, shift=_SUBPIXEL_BITS)
    mask = drawn.astype(np.float32) / 255
    if softness > 0:
        mask = cv2.GaussianBlur(mask, (0, 0), max(softness * shape[0] / 2, 0.3))
    return mask[..., None]


def whole_face_outline(landmarks: ArrayLike) -> NDArray[np.float64]:
    """The closed outline of ``whole_face_mask``: (n, 2), in the unit of the landmarks.

    The jaw, closed by half an ellipse over the temples; it rises above the brows as far as the brows are above the base
    of the nose (the rule of thirds of a face), a little less to stay below the hair.
    """
    p = lm.validated(landmarks)
    left, right, brows = p[0], p[16], p[17:27].mean(0)
    up = brows - p[33]
    centre, half = (left + right) / 2, (right - left) / 2
    length = max(float(np.linalg.norm(up)), 1e-9)
    rise = max(float((brows + _FOREHEAD * up - centre) @ up) / length, 0.0)
    # Without both ends, which are the ends of the jaw.
    angle = np.linspace(0, np.pi, _ARC + 2)[1:-1, None]
    arc = centre + half * np.cos(angle) + up / length * rise * np.sin(angle)
    return _smooth(np.concatenate([p[:17], arc]))


def draw(kind: str, shape: tuple[int, ...], landmarks: ArrayLike, eyebrows_expand_mod: float = 1.0) -> Mask:
    """The landmark mask called ``kind``: ``hull``, ``components``, ``extended`` or ``whole``.

    Raises:
        KeyError: another name.
    """
    if kind == "hull":
        return hull_mask(shape, landmarks, eyebrows_expand_mod)
    return {"components": components_mask, "extended": extended_mask, "whole": whole_face_mask}[kind](shape, landmarks)


def _raised_brows(p: NDArray[np.float64]) -> NDArray[np.float64]:
    left, right = (p[36] + p[0]) // 2, (p[16] + p[45]) // 2
    bottom_left = np.stack([(p[36] + left) // 2, *p[36:40]])
    bottom_right = np.stack([*p[42:46], (p[45] + right) // 2])
    raised = p.copy()
    raised[17:22] += (p[17:22] - bottom_left) // 2
    raised[22:27] += (p[22:27] - bottom_right) // 2
    return raised


def _fill_parts(shape: tuple[int, ...], points: NDArray[np.float64]) -> Mask:
    mask = np.zeros(shape[:2], np.uint8)
    whole = np.rint(np.clip(points, -32000, 32000)).astype(np.int32)
    for part in HULL_PARTS:
        cv2.fillConvexPoly(mask, cv2.convexHull(whole[part]), 255, lineType=cv2.LINE_AA)
    return (mask.astype(np.float32) / 255)[..., None]


def _smooth(points: NDArray[np.float64], count: int = 256) -> NDArray[np.float64]:
    """The closed curve through ``points``, at ``count`` even steps of its length, its corners rounded.

    The rounding is a circular Gaussian, applied in the frequency domain.
    """
    closed = np.concatenate([points, points[:1]])
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = np.linspace(0, length[-1], count, endpoint=False)
    even = np.stack([np.interp(at, length, closed[:, i]) for i in (0, 1)], axis=1)
    frequency = np.fft.rfftfreq(count)[:, None]
    # The Fourier transform of a Gaussian of standard deviation s at the frequency f: exp(-2 (pi f s)^2).
    damping = np.exp(-2 * (np.pi * frequency * _SMOOTHING * count) ** 2)
    return np.fft.irfft(np.fft.rfft(even, axis=0) * damping, count, axis=0)
