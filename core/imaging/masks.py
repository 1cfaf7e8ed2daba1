"""Face masks: from landmarks, from hand-drawn polygons, from stored images. float32 H x W x 1, 0..1."""

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import CorruptFileError, InputError
from core.geometry import landmarks as lm
from core.imaging import jpeg, png
from core.imaging.codec import decode_any
from core.types import FaceRecord, Polygon

Mask = NDArray[Any]  # float32

MAX_STORED_BYTES = 50_000
# Masks that are drawn from landmarks: they do not know hands, hair and glasses.
FROM_LANDMARKS = frozenset({"hull", "components", "extended", "whole"})
# Drawn by a person, or brought from another program: no masker takes its place unasked.
BY_HAND = "hand"
MAKERS = FROM_LANDMARKS | {"xseg", "custom", BY_HAND}
_MAKER = b"Masker\0"
_AFTER_HEADER = len(png.SIGNATURE) + 25  # of a PNG: where its first chunk after IHDR begins
_BLOCK = 32  # columns; a multiple of what processors take at once
_GREEN = np.array([0, 1, 0], np.float32)  # BGR
# Landmarks of the parts of the face whose convex hulls together are the face.
# fmt: off
HULL_PARTS = (
    [*range(9), 17], [*range(8, 17), 26], [17, 18, 19, 8], [24, 25, 26, 8], [*range(19, 25), 8],
    [*range(17, 22), 27, *range(31, 36), 8], [*range(22, 27), 27, *range(31, 36), 8], [*range(27, 31), *range(31, 36)],
)
# fmt: on


def hull_mask(shape: tuple[int, ...], landmarks: ArrayLike, eyebrows_expand_mod: float = 1.0) -> Mask:
    """The face as the union of the convex hulls of its parts, two-level.

    shape: (height, width, ...) of the image.
    landmarks: (68, 2), pixels of the image.
    eyebrows_expand_mod: see :func:`core.geometry.landmarks.expand_eyebrows`.
    """
    points = lm.expand_eyebrows(landmarks, eyebrows_expand_mod)
    return _fill_hulls(shape, [points[part] for part in HULL_PARTS])


def eyes_mask(shape: tuple[int, ...], landmarks: ArrayLike) -> Mask:
    """Both eyes, dilated and blurred in proportion to the height of the image; arguments as :func:`hull_mask`.

    Raises:
        InputError: the image is lower than 32 px.
    """
    points = lm.validated(landmarks)
    return _softened(shape, [points[lm.PARTS["right_eye"]], points[lm.PARTS["left_eye"]]], np.float32)


def mouth_mask(shape: tuple[int, ...], landmarks: ArrayLike) -> Mask:
    """The inner lips, dilated and blurred like the eyes; raises as :func:`eyes_mask`."""
    return _softened(shape, [lm.validated(landmarks)[60:68]], np.float32)


def eyes_mouth_levels(shape: tuple[int, ...], landmarks: ArrayLike) -> NDArray[np.uint8]:
    """:func:`eyes_mask` and :func:`mouth_mask` together in 0..255, uint8 (H, W), two levels apart at most."""
    points = lm.validated(landmarks)
    eyes = _softened(shape, [points[lm.PARTS["right_eye"]], points[lm.PARTS["left_eye"]]], np.uint8)
    mouth = _softened(shape, [points[60:68]], np.uint8)
    return np.asarray(cv2.add(eyes[..., 0], mouth[..., 0]), np.uint8)


def polygon_mask(shape: tuple[int, ...], polygons: Iterable[Polygon]) -> Mask:
    """Hand-drawn polygons, two-level: includes first, so that an exclude wins over every include."""
    mask = np.zeros((*shape[:2], 1), np.float32)
    # Drawn last, an exclude is never painted over.
    for polygon in sorted(polygons, key=lambda p: not p.include):
        if len(polygon.points):
            cv2.fillPoly(mask, [_integers(polygon.points)], 1.0 if polygon.include else 0.0)
    return mask


def decode_mask(data: bytes, where: object = "mask") -> Mask:
    """A stored mask (PNG or JPEG) at its own size.

    Raises:
        CorruptFileError: it is no whole image, or its numbers are no integers.
    """
    image = decode_any(data, where)
    if image.dtype not in (np.uint8, np.uint16):
        raise CorruptFileError("a mask of an unknown depth", where=str(where), why=str(image.dtype))
    plane = image if image.ndim == 2 else image[..., 0]
    return (plane.astype(np.float32) / np.iinfo(image.dtype).max)[..., None]


def encode_mask(mask: NDArray, maker: str = "") -> bytes:
    """A mask (H x W or H x W x 1, 0..1) as face files store it: PNG, or the best JPEG where that is over 50,000 bytes.

    maker: one of MAKERS, for ``mask_maker``; empty says nothing.

    Raises:
        InputError: it is no image.
    """
    data = _encoded(mask)
    if not maker:
        return data
    # In the picture's own metadata, where it stays with the mask through every program until one makes another mask.
    text = _MAKER + maker.encode()
    if data.startswith(png.SIGNATURE):
        return data[:_AFTER_HEADER] + png.chunk(b"tEXt", text) + data[_AFTER_HEADER:]
    return jpeg.SOI + jpeg.segment(jpeg.COM, text) + data[len(jpeg.SOI) :]


def mask_maker(data: bytes) -> str:
    """Who made a stored mask, one of MAKERS; empty where it does not say so."""
    start = _AFTER_HEADER if data.startswith(png.SIGNATURE) else len(jpeg.SOI)
    _, found, text = data[start : start + 64].partition(_MAKER)
    names = [name for name in MAKERS if found and text.startswith(name.encode())]
    return names[0] if names else ""


def _encoded(mask: NDArray) -> bytes:
    plane = mask if mask.ndim == 2 else mask[..., 0]
    # Truncated and not rounded, as the format does it.
    image = np.clip(plane * 255, 0, 255).astype(np.uint8)
    ok, data = cv2.imencode(".png", image)
    if ok and len(data) <= MAX_STORED_BYTES:
        return data.tobytes()
    for quality in range(100, -1, -1):
        ok, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if ok and (len(data) <= MAX_STORED_BYTES or quality == 0):
            return data.tobytes()
    raise InputError("cannot encode a mask", why=f"shape {mask.shape}, {mask.dtype}")


def mask_iou(a: NDArray, b: NDArray) -> float:
    """Intersection over union of two masks of one shape, cut at 0.5; two empty masks agree (1.0)."""
    x, y = np.asarray(a) > 0.5, np.asarray(b) > 0.5
    union = int((x | y).sum())
    return float((x & y).sum() / union) if union else 1.0


def over_green(image: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """An image (H, W, 3), BGR, 0..1, half green where the mask (H, W, 1), 0..1, leaves it out: for people to judge."""
    return (image * mask + (0.5 * image + 0.5 * _GREEN) * (1 - mask)).astype(np.float32)


def pasted(
    target: NDArray[np.float32], face: NDArray[np.float32], target_mask: Mask, face_mask: Mask
) -> NDArray[np.float32]:
    """A swapped face in its target face as live programs show it: where both masks agree, by their product.

    target, face: (..., H, W, 3), 0..1. target_mask, face_mask: (..., H, W, 1), 0..1, of the target and of the face.
    """
    mask = target_mask * face_mask
    return (target * (1 - mask) + face * mask).astype(np.float32)


def mask_origin(record: FaceRecord) -> str:
    """Where the best mask of a face comes from, nothing decoded.

    The maker of the stored mask ("xseg" where it does not say who), else "polygons", else "hull".
    """
    if record.xseg_mask is not None:
        return mask_maker(record.xseg_mask) or "xseg"
    return "polygons" if has_polygons(record) else "hull"


def has_polygons(record: FaceRecord) -> bool:
    """Whether somebody drew on the face."""
    return any(len(polygon.points) for polygon in record.polygons)


def best_mask(record: FaceRecord) -> tuple[Mask, str]:
    """The mask of a face at the size of its image, and its :func:`mask_origin`.

    Raises:
        CorruptFileError: a damaged stored mask.
    """
    origin = mask_origin(record)
    if record.xseg_mask is not None:
        return _fit(decode_mask(record.xseg_mask, record.name), record.shape), origin
    if origin == "polygons":
        return polygon_mask(record.shape, record.polygons), origin
    return hull_mask(record.shape, record.landmarks, record.eyebrows_expand_mod), origin


def best_mask_levels(record: FaceRecord) -> NDArray[np.uint8]:
    """The mask of :func:`best_mask` in 0..255, uint8 (H, W).

    Raises:
        CorruptFileError: a damaged stored mask.
    """
    if record.xseg_mask is None and not has_polygons(record):
        points = lm.expand_eyebrows(record.landmarks, record.eyebrows_expand_mod)
        return _fill_hulls(record.shape, [points[part] for part in HULL_PARTS], np.uint8)[..., 0]
    return (best_mask(record)[0][..., 0] * 255 + 0.5).astype(np.uint8)


def _fit(mask: Mask, shape: tuple[int, int]) -> Mask:
    if mask.shape[:2] == tuple(shape):
        return mask
    # Cubic as in the original's training; it overshoots at edges, hence the clip.
    return np.clip(cv2.resize(mask, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), 0, 1)[..., None]


def _fill_hulls(shape: tuple[int, ...], hulls: list[NDArray], dtype: Any = np.float32) -> Mask:
    """Two levels: 0, and 1 as float32 or 255 as uint8; (H, W, 1)."""
    mask = np.zeros((*shape[:2], 1), dtype)
    for points in hulls:
        cv2.fillConvexPoly(mask, cv2.convexHull(_integers(points)), (255 if dtype == np.uint8 else 1,))
    return mask


def _integers(points: NDArray) -> NDArray[np.int32]:
    """Truncated toward zero; far-off points are kept in a range that the rasteriser can add up."""
    return np.clip(np.asarray(points), -32000, 32000).astype(np.int32)


def _softened(shape: tuple[int, ...], hulls: list[NDArray], dtype: Any) -> Mask:
    """Hulls, dilated and blurred, (H, W, 1), as ``_fill_hulls`` has them."""
    height = shape[0]
    if height < 32:
        raise InputError("too small for an eyes or mouth mask", why=f"{height} px high, 32 are needed")
    side = height // 16 + (1 - height // 16 % 2)  # a Gaussian kernel has an odd side
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (height // 32, height // 32))
    mask = np.zeros((*shape[:2], 1), dtype)
    # Beyond the reach of both filters everything is 0: most of the image is left alone.
    place = _around(_integers(np.concatenate(hulls)), height // 32 + side, shape)
    drawn = np.ascontiguousarray(_fill_hulls(shape, hulls, np.uint8)[place])
    if not drawn.size:
        return mask
    wide = cv2.dilate(drawn, ellipse)
    if dtype == np.uint8:
        # Four times as fast as GaussianBlur of bytes, which counts in fixed point; a level apart at most.
        kernel = cv2.getGaussianKernel(side, 0)
        mask[place] = cv2.sepFilter2D(wide, -1, kernel, kernel)[..., None]
    else:
        mask[place] = cv2.GaussianBlur((wide > 0).astype(dtype), (side, side), 0)[..., None]
    return mask


def _around(points: NDArray[np.int32], reach: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns within ``reach`` pixels of the points' box, as far as they are in the image."""
    low, high = points.min(0) - reach, points.max(0) + reach + 1
    # Whole blocks of columns: what filters compute one by one behind the last block may round otherwise.
    first, last = low[0] // _BLOCK * _BLOCK, -(-high[0] // _BLOCK) * _BLOCK
    return slice(max(low[1], 0), max(high[1], 0)), slice(max(first, 0), max(last, 0))
