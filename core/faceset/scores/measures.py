"""What can be measured on one face picture, in groups that share work. Each group is a function (data, name) -> {column: value}.

Columns that need a face are NaN for other pictures. Formulas with a number in the original program's sort menu are exactly its own.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from core.errors import CorruptFileError, InputError
from core.faceset.gallery import record_of
from core.faceset.scores.cpbd import cpbd
from core.geometry import landmarks as lm
from core.geometry.align import similarity_fit, transform_points
from core.geometry.polygons import polygon_area
from core.geometry.pose import pitch_yaw_roll
from core.imaging.codec import decode_image
from core.imaging.masks import decode_mask, hull_mask, mask_origin, polygon_mask
from core.types import FaceRecord

Measures = dict[str, Any]
NAN = float("nan")
THUMB = 32
_SHAPE_COLUMNS = (
    "pitch",
    "yaw",
    "roll",
    "tilt",
    "rect_area",
    "size",
    "distance",
    "eye_mouth",
    "residual",
    "fit_error",
    "skew",
    "stretch",
)
_FACE_COLUMNS = (
    "motion_blur",
    "laplacian",
    "blur_fft",
    "detail",
    "dark",
    "bright",
    "contrast",
    "luma_face",
    "cut_off",
    "hull_area",
    "obstruction",
)
_HEAD = np.column_stack([lm.HEAD_3D.astype(np.float64), np.ones(lm.COUNT)])
_TO_CAMERA = np.linalg.pinv(_HEAD)
# Frequencies -75..74 of 256, as they lie in an unshifted spectrum.
_LOW_BAND = np.r_[0:75, 181:256]
_LOWEST = np.ix_(_LOW_BAND, _LOW_BAND)
_UPPER = [*range(17, 27), *range(36, 48)]


def shape(data: bytes, name: str) -> Measures:
    """What the landmarks and the metadata tell; the picture is not decoded. Angles in radians, areas and sizes in frame pixels."""
    record = record_of(data, name)
    if record is None:
        return {"is_face": 0.0, "source_filename": "", "mask_origin": "", **dict.fromkeys(_SHAPE_COLUMNS, NAN)}
    pitch, yaw, _ = pitch_yaw_roll(record.landmarks, record.shape[1])
    return {
        "is_face": 1.0,
        "source_filename": record.source_filename or "",
        "mask_origin": mask_origin(record),
        "pitch": pitch,
        "yaw": yaw,
        **_rect(record),
        **_alignment(record),
        **_head_fit(record.landmarks),
    }


def _rect(record: FaceRecord) -> Measures:
    """Area of the detector's box, and the edge of the face square in the frame with its turn there."""
    out: Measures = {"rect_area": NAN, "size": NAN, "tilt": NAN}
    if record.source_rect is not None:
        left, top, right, bottom = map(float, record.source_rect)
        out["rect_area"] = polygon_area([(left, top), (right, top), (right, bottom), (left, bottom)])
    points = record.source_landmarks if record.source_landmarks is not None else record.landmarks
    to_mean = similarity_fit(points[17:], lm.MEAN_51)
    scale = float(np.hypot(to_mean[0, 0], to_mean[1, 0]))
    return {**out, "size": 2 / scale, "tilt": float(-np.arctan2(to_mean[1, 0], to_mean[0, 0]))}


def _alignment(record: FaceRecord) -> Measures:
    """How far the landmarks are from the average face, whether the eyes are above the mouth, whether matrix and points agree."""
    normal = transform_points(record.landmarks, similarity_fit(record.landmarks[17:], lm.MEAN_51))
    residual = 0.0
    if record.image_to_face_mat is not None and record.source_landmarks is not None:
        moved = transform_points(record.source_landmarks, record.image_to_face_mat)
        residual = float(np.abs(moved - record.landmarks).mean() / record.shape[1])
    return {
        "distance": float(np.abs(normal[17:] - lm.MEAN_51).mean()),
        "eye_mouth": float(record.landmarks[48:68, 1].min() - record.landmarks[_UPPER, 1].max()) / record.shape[0],
        "residual": residual,
    }


def _head_fit(landmarks: NDArray[np.float64]) -> Measures:
    """The mean head seen by a distant camera, fitted to the points without constraints.

    fit_error: what is left, as a part of the spread of the points; skew, stretch: how far the fit is from a view of a rigid head (0: it is one);
    roll: turn of the head in the picture, clockwise, over the full circle, where a perspective fit often jumps by half a turn.
    """
    camera = _TO_CAMERA @ landmarks
    spread = landmarks - landmarks.mean(axis=0)
    (right, down), rest = camera[:3].T, landmarks - _HEAD @ camera
    lengths = np.maximum(np.linalg.norm(camera[:3], axis=0), 1e-9)
    return {
        "fit_error": float(np.sqrt((rest**2).sum() / max((spread**2).sum(), 1e-9))),
        "skew": float(abs(right @ down) / lengths.prod()),
        "stretch": float(abs(np.log(lengths[0] / lengths[1]))),
        "roll": float(np.arctan2(down[0] - right[1], right[0] + down[1])),
    }


def pixels(data: bytes, name: str) -> Measures:
    """All cheap measures of the picture in one pass."""
    image = decode_image(data, name)
    record = record_of(data, name)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    out: Measures = {
        "histogram": np.concatenate([_histogram(image, c) for c in range(3)]),
        "grey_histogram": _histogram(grey),
        "thumb": cv2.resize(grey, (THUMB, THUMB), interpolation=cv2.INTER_AREA),
        "pixel_count": float(grey.size),
        **_colour(image),
    }
    if record is None:
        return {**out, "masked_histogram": out["grey_histogram"], **dict.fromkeys(_FACE_COLUMNS, NAN)}
    hull = hull_mask(image.shape, record.landmarks)[..., 0].astype(np.uint8)
    masked, masked_grey = cv2.bitwise_and(image, image, mask=hull), cv2.bitwise_and(grey, grey, mask=hull)
    return {
        **out,
        "masked_histogram": _histogram(masked_grey),
        **_sharpness(masked, masked_grey, hull),
        "detail": _detail(grey, hull),
        **_exposure(grey, hull),
        **_holes(image, hull, record),
    }


def _histogram(image: NDArray[np.uint8], channel: int = 0) -> NDArray[np.uint32]:
    return cv2.calcHist([image], [channel], None, [256], [0, 256]).ravel().astype(np.uint32)


def _colour(image: NDArray[np.uint8]) -> Measures:
    """Brightness (V), hue (H, 0..179), count of zero samples, share of black pixels, and faceswap's colour axes."""
    hue, _, value, _ = cv2.mean(cv2.cvtColor(image, cv2.COLOR_BGR2HSV))
    b, g, r, _ = cv2.mean(image)
    samples, count = image.reshape(image.shape[0], -1), image.shape[0] * image.shape[1]
    black_pixels = cv2.countNonZero(cv2.inRange(image, (0, 0, 0), (0, 0, 0)))
    return {
        "brightness": value,
        "hue": hue,
        "black": float(samples.size - cv2.countNonZero(samples)),
        "black_share": black_pixels / count,
        "gray": 0.0722 * b + 0.7152 * g + 0.2126 * r,
        "luma": 0.25 * b + 0.5 * g + 0.25 * r,
        "orange": 0.5 * r - 0.5 * b,
        "green": 0.5 * g - 0.25 * b - 0.25 * r,
    }


def _variance(image: NDArray) -> float:
    """Population variance over all samples of all channels."""
    mean, deviation = cv2.meanStdDev(image.reshape(-1, 1))
    return float(deviation[0, 0] ** 2)


def _sharpness(masked: NDArray[np.uint8], masked_grey: NDArray[np.uint8], hull: NDArray[np.uint8]) -> Measures:
    """Motion blur on the masked picture; the two blur measures of faceswap on its grey version at 256 px."""
    small = (
        cv2.resize(masked_grey, (256, 256), interpolation=cv2.INTER_AREA)
        if masked_grey.shape != (256, 256)
        else masked_grey
    )
    laplacian = _variance(cv2.Laplacian(small, cv2.CV_32F)) / 256
    return {"motion_blur": _motion_blur(masked, hull), "laplacian": laplacian, "blur_fft": _fft_detail(small)}


def _motion_blur(masked: NDArray[np.uint8], hull: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian (aperture 11) over all samples; it is zero beyond the reach of the kernel around the face."""
    left, top, width, height = cv2.boundingRect(hull)
    reach = 6
    rows, columns = slice(max(top - reach, 0), top + height + reach), slice(max(left - reach, 0), left + width + reach)
    if not width:
        return 0.0
    border = rows.start == 0 or rows.stop >= hull.shape[0] or columns.start == 0 or columns.stop >= hull.shape[1]
    laplacian = cv2.Laplacian(masked if border else masked[rows, columns], cv2.CV_64F, ksize=11)
    mean, deviation = cv2.meanStdDev(laplacian.reshape(-1, 1))
    share = laplacian.size / masked.size
    return float(share * (deviation[0, 0] ** 2 + mean[0, 0] ** 2) - (share * mean[0, 0]) ** 2)


def _detail(grey: NDArray[np.uint8], hull: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian well inside the face, where the outline of the mask has no part in it; at 256 px at most."""
    edge = min(256, grey.shape[0])
    small = cv2.resize(grey, (edge, edge), interpolation=cv2.INTER_AREA)
    inside = cv2.erode(cv2.resize(hull, (edge, edge), interpolation=cv2.INTER_NEAREST), np.ones((9, 9), np.uint8))
    if not cv2.countNonZero(inside):
        return NAN
    _, deviation = cv2.meanStdDev(cv2.Laplacian(small, cv2.CV_32F), mask=inside)
    return float(deviation[0, 0] ** 2)


def _fft_detail(grey: NDArray[np.uint8]) -> float:
    """Mean log magnitude of a 256 px picture without its 150 x 150 lowest frequencies."""
    spectrum = scipy.fft.fft2(grey.astype(np.float32))
    spectrum[_LOWEST] = 0
    detail = np.abs(scipy.fft.ifft2(spectrum, overwrite_x=True))
    return float(np.mean(np.log(np.maximum(detail, 1e-6)), dtype=np.float64))


def _exposure(grey: NDArray[np.uint8], hull: NDArray[np.uint8]) -> Measures:
    """Inside the face: shares of nearly black and nearly white pixels, mean, and the spread between the 5th and 95th percentile."""
    counts = cv2.calcHist([grey], [0], hull, [256], [0, 256]).ravel().astype(np.float64)
    total = counts.sum()
    if total == 0:
        return dict.fromkeys(("dark", "bright", "contrast", "luma_face"), NAN)
    cumulative = np.cumsum(counts) / total
    low, high = np.searchsorted(cumulative, (0.05, 0.95))
    mean = float(counts @ np.arange(256) / total)
    return {
        "dark": float(cumulative[15]),
        "bright": float(1 - cumulative[247]),
        "contrast": float(high - low),
        "luma_face": mean,
    }


def _holes(image: NDArray[np.uint8], hull: NDArray[np.uint8], record: FaceRecord) -> Measures:
    """Share of the face cut off by the frame (black from the edge of the picture), share of the picture that is face, share hidden by its mask.

    Obstruction is looked at in 128 px, without the rim of the face, and is NaN without a mask or polygons.
    """
    area, obstruction = max(int(cv2.countNonZero(hull)), 1), NAN
    mask = _own_mask(record)
    if mask is not None:
        small = cv2.resize(hull, (128, 128), interpolation=cv2.INTER_NEAREST)
        inside = cv2.erode(small, np.ones((3, 3), np.uint8), iterations=2) > 0
        hidden = inside & (cv2.resize(mask, (128, 128), interpolation=cv2.INTER_AREA) < 0.5)
        obstruction = float(np.count_nonzero(hidden)) / max(float(np.count_nonzero(inside)), 1.0)
    return {"cut_off": _outside_frame(image, hull), "hull_area": area / hull.size, "obstruction": obstruction}


def _own_mask(record: FaceRecord) -> NDArray[np.float32] | None:
    """The mask that somebody made for this face, at any size, H x W."""
    origin = mask_origin(record)
    if origin == "xseg":
        return decode_mask(record.xseg_mask or b"", record.name)[..., 0]
    return polygon_mask(record.shape, record.polygons)[..., 0] if origin == "polygons" else None


def _outside_frame(image: NDArray[np.uint8], hull: NDArray[np.uint8]) -> float:
    """Share of the face that is black and joined to the edge of the picture by black: where the frame ended. Looked at in 128 px.

    Such an area is large and flat; at least 1 % of the picture is asked for, so that dark hair at the edge does not count.
    """
    small, face = (cv2.resize(picture, (128, 128), interpolation=cv2.INTER_NEAREST) for picture in (image, hull))
    black = cv2.inRange(small, (0, 0, 0), (10, 10, 10))
    if cv2.countNonZero(black) < black.size // 100:
        return 0.0
    _, labels, stats, _ = cv2.connectedComponentsWithStats(black, connectivity=4, ltype=cv2.CV_32S)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    large = [label for label in edge if label and stats[label, cv2.CC_STAT_AREA] * 100 >= black.size]
    outside = np.isin(labels, large) & (face > 0) if large else np.zeros_like(face)
    return float(np.count_nonzero(outside)) / max(cv2.countNonZero(face), 1)


def sharpness(data: bytes, name: str) -> Measures:
    """CPBD of the face: grey of the picture under the hull mask, 0..1."""
    record = record_of(data, name)
    if record is None:
        return {"cpbd": NAN}
    image = decode_image(data, name)
    hull = hull_mask(image.shape, record.landmarks)[..., 0].astype(np.uint8)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return {"cpbd": cpbd(cv2.bitwise_and(grey, grey, mask=hull))}


# Changing what a group computes means changing its name, so that stored scores of the old kind are not used.
GROUPS: dict[str, Callable[[bytes, str], Measures]] = {"shape-2": shape, "pixels-1": pixels, "sharpness-1": sharpness}
COLUMNS = {
    "shape-2": ("is_face", "source_filename", "mask_origin", *_SHAPE_COLUMNS),
    "pixels-1": (
        "histogram",
        "grey_histogram",
        "masked_histogram",
        "thumb",
        "pixel_count",
        "brightness",
        "hue",
        "black",
        "black_share",
        "gray",
        "luma",
        "orange",
        "green",
        *_FACE_COLUMNS,
    ),
    "sharpness-1": ("cpbd",),
}


def measure(group: str, data: bytes, name: str) -> Measures | None:
    """A group's measures; None for a picture that cannot be decoded."""
    try:
        return GROUPS[group](data, name)
    except (CorruptFileError, InputError, cv2.error):
        return None
