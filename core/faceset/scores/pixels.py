"""What the pixels of a face tell. Formulas with a number in the original program's sort menu are exactly its own."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faceset.gallery import record_of
from core.faceset.scores.cpbd import cpbd
from core.imaging.codec import decode_image
from core.imaging.masks import FROM_LANDMARKS, decode_mask, hull_mask, mask_origin, polygon_mask
from core.types import FaceRecord

Image = NDArray[np.uint8]
THUMB = 32
# Edge of the images that the blur measures, and the looks at masks and borders, are made on.
_BLUR_EDGE, _SMALL_EDGE = 256, 128
_OF_FACES = (
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
_COLORS = ("pixel_count", "brightness", "hue", "black", "black_share", "gray", "luma", "orange", "green")
# Column -> what stands for "no value".
COLUMNS: dict[str, Any] = {
    "histogram": np.zeros(3 * 256, np.uint32),
    "grey_histogram": np.zeros(256, np.uint32),
    "masked_histogram": np.zeros(256, np.uint32),
    "thumb": np.zeros((THUMB, THUMB), np.uint8),
    **dict.fromkeys((*_COLORS, *_OF_FACES), np.nan),
}
SHARPNESS_COLUMNS: dict[str, Any] = {"cpbd": np.nan}
# Frequencies -75..74 of 256, as they lie in an unshifted spectrum.
_LOW_BAND = np.r_[0:75, 181:256]
_LOWEST = np.ix_(_LOW_BAND, _LOW_BAND)
# Nearly black and nearly white, grey levels; what counts as black at a border.
_DARK, _BRIGHT = 15, 247
_BORDER_BLACK = (10, 10, 10)


def pixels(data: bytes, name: str) -> dict[str, Any]:
    """All cheap columns of an image in one pass; those of faces are NaN for what is no face.

    Raises:
        CorruptFileError: it cannot be decoded.
    """
    image = decode_image(data, name)
    record = record_of(data, name)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    out: dict[str, Any] = {
        "histogram": np.concatenate([_histogram(image, channel) for channel in range(3)]),
        "grey_histogram": _histogram(grey),
        "thumb": cv2.resize(grey, (THUMB, THUMB), interpolation=cv2.INTER_AREA),
        "pixel_count": float(grey.size),
        **_color(image),
    }
    if record is None:
        return {**out, "masked_histogram": out["grey_histogram"], **dict.fromkeys(_OF_FACES, np.nan)}
    hull = _hull(image, record)
    masked, masked_grey = cv2.bitwise_and(image, image, mask=hull), cv2.bitwise_and(grey, grey, mask=hull)
    return {
        **out,
        "masked_histogram": _histogram(masked_grey),
        **_blur(masked, masked_grey, hull),
        "detail": _detail(grey, hull),
        **_exposure(grey, hull),
        "cut_off": _outside_frame(image, hull),
        "hull_area": max(cv2.countNonZero(hull), 1) / hull.size,
        "obstruction": _obstruction(hull, record),
    }


def sharpness(data: bytes, name: str) -> dict[str, Any]:
    """CPBD of the face, 0..1: of the grey image under the landmarks' hull.

    Raises:
        CorruptFileError: it cannot be decoded.
    """
    record = record_of(data, name)
    if record is None:
        return {"cpbd": np.nan}
    image = decode_image(data, name)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return {"cpbd": cpbd(cv2.bitwise_and(grey, grey, mask=_hull(image, record)))}


def _hull(image: Image, record: FaceRecord) -> Image:
    """1 inside the hull of the landmarks, else 0."""
    return hull_mask(image.shape, record.landmarks)[..., 0].astype(np.uint8)


def _histogram(image: Image, channel: int = 0) -> NDArray[np.uint32]:
    return cv2.calcHist([image], [channel], None, [256], [0, 256]).ravel().astype(np.uint32)


def _color(image: Image) -> dict[str, float]:
    """Brightness (V), hue (H, 0..179), count of zero samples, share of black pixels, and faceswap's color axes."""
    hue, _, value, _ = cv2.mean(cv2.cvtColor(image, cv2.COLOR_BGR2HSV))
    b, g, r, _ = cv2.mean(image)
    samples, count = image.reshape(image.shape[0], -1), image.shape[0] * image.shape[1]
    black_pixels = cv2.countNonZero(cv2.inRange(image, (0, 0, 0), (0, 0, 0)))
    return {
        "brightness": value,
        "hue": hue,
        "black": float(samples.size - cv2.countNonZero(samples)),
        "black_share": black_pixels / count,
        # Rec. 709 luminance, then the axes of YCoCg.
        "gray": 0.0722 * b + 0.7152 * g + 0.2126 * r,
        "luma": 0.25 * b + 0.5 * g + 0.25 * r,
        "orange": 0.5 * r - 0.5 * b,
        "green": 0.5 * g - 0.25 * b - 0.25 * r,
    }


def _blur(masked: Image, masked_grey: Image, hull: Image) -> dict[str, float]:
    """Motion blur of the masked image; the two blur measures of faceswap on its grey version at 256 px."""
    small = masked_grey
    if small.shape != (_BLUR_EDGE, _BLUR_EDGE):
        small = cv2.resize(small, (_BLUR_EDGE, _BLUR_EDGE), interpolation=cv2.INTER_AREA)
    laplacian = cv2.Laplacian(small, cv2.CV_32F)
    _, deviation = cv2.meanStdDev(laplacian.reshape(-1, 1))
    return {
        "motion_blur": _motion_blur(masked, hull),
        "laplacian": float(deviation[0, 0] ** 2) / 256,
        "blur_fft": _fft_detail(small),
    }


def _motion_blur(masked: Image, hull: Image) -> float:
    """Variance of the Laplacian (aperture 11) over all samples.

    It is zero beyond the reach of the kernel around the face, so only that part is computed. Not where it touches the
    border, which the kernel sees as a mirror.
    """
    left, top, width, height = cv2.boundingRect(hull)
    if not width:
        return 0.0
    reach = 6
    rows, columns = slice(max(top - reach, 0), top + height + reach), slice(max(left - reach, 0), left + width + reach)
    at_border = rows.start == 0 or rows.stop >= hull.shape[0] or columns.start == 0 or columns.stop >= hull.shape[1]
    laplacian = cv2.Laplacian(masked if at_border else masked[rows, columns], cv2.CV_64F, ksize=11)
    mean, deviation = cv2.meanStdDev(laplacian.reshape(-1, 1))
    # From moments of the part to those of the whole image, whose other samples are 0.
    share = laplacian.size / masked.size
    return float(share * (deviation[0, 0] ** 2 + mean[0, 0] ** 2) - (share * mean[0, 0]) ** 2)


def _fft_detail(grey: Image) -> float:
    """Mean log magnitude of a 256 px image without its 150 x 150 lowest frequencies."""
    import scipy.fft  # takes half a second, which most commands need not wait

    spectrum = scipy.fft.fft2(grey.astype(np.float32))
    spectrum[_LOWEST] = 0
    detail = np.abs(scipy.fft.ifft2(spectrum, overwrite_x=True))
    return float(np.mean(np.log(np.maximum(detail, 1e-6)), dtype=np.float64))


def _detail(grey: Image, hull: Image) -> float:
    """Variance of the Laplacian well inside the face, where the outline of the mask has no part in it; at 256 px."""
    edge = min(_BLUR_EDGE, grey.shape[0])
    small = cv2.resize(grey, (edge, edge), interpolation=cv2.INTER_AREA)
    inside = cv2.erode(cv2.resize(hull, (edge, edge), interpolation=cv2.INTER_NEAREST), np.ones((9, 9), np.uint8))
    if not cv2.countNonZero(inside):
        return np.nan
    _, deviation = cv2.meanStdDev(cv2.Laplacian(small, cv2.CV_32F), mask=inside)
    return float(deviation[0, 0] ** 2)


def _exposure(grey: Image, hull: Image) -> dict[str, float]:
    """Inside the face: shares of nearly black and nearly white pixels, mean, spread of the 5th to 95th percentile."""
    counts = cv2.calcHist([grey], [0], hull, [256], [0, 256]).ravel().astype(np.float64)
    total = counts.sum()
    if total == 0:
        return dict.fromkeys(("dark", "bright", "contrast", "luma_face"), np.nan)
    cumulative = np.cumsum(counts) / total
    low, high = np.searchsorted(cumulative, (0.05, 0.95))
    return {
        "dark": float(cumulative[_DARK]),
        "bright": float(1 - cumulative[_BRIGHT]),
        "contrast": float(high - low),
        "luma_face": float(counts @ np.arange(256) / total),
    }


def _obstruction(hull: Image, record: FaceRecord) -> float:
    """Share of the face that its mask hides, looked at in 128 px, without the rim of the face; NaN without a mask."""
    mask = _own_mask(record)
    if mask is None:
        return np.nan
    inside = cv2.erode(_small(hull, cv2.INTER_NEAREST), np.ones((3, 3), np.uint8), iterations=2) > 0
    hidden = inside & (_small(mask, cv2.INTER_AREA) < 0.5)
    return int(np.count_nonzero(hidden)) / max(int(np.count_nonzero(inside)), 1)


def _own_mask(record: FaceRecord) -> NDArray[np.float32] | None:
    """The mask that somebody, or a network, made for this face, at any size, H x W."""
    origin = mask_origin(record)
    if origin in FROM_LANDMARKS:
        return None
    if record.xseg_mask is not None:
        return decode_mask(record.xseg_mask, record.name)[..., 0]
    return polygon_mask(record.shape, record.polygons)[..., 0]


def _outside_frame(image: Image, hull: Image) -> float:
    """Share of the face that is black and joined to the edge of the image by black: where the frame ended.

    Looked at in 128 px. Such an area is large and flat; at least 1 % of the image is asked for, so that dark hair at
    the edge does not count.
    """
    black = cv2.inRange(_small(image, cv2.INTER_NEAREST), (0, 0, 0), _BORDER_BLACK)
    if cv2.countNonZero(black) < black.size // 100:
        return 0.0
    _, labels, stats, _ = cv2.connectedComponentsWithStats(black, connectivity=4, ltype=cv2.CV_32S)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    large = [label for label in edge if label and stats[label, cv2.CC_STAT_AREA] * 100 >= black.size]
    face = _small(hull, cv2.INTER_NEAREST) > 0
    return int(np.count_nonzero(np.isin(labels, large) & face)) / max(int(np.count_nonzero(face)), 1)


def _small(image: NDArray, interpolation: int) -> NDArray:
    return cv2.resize(image, (_SMALL_EDGE, _SMALL_EDGE), interpolation=interpolation)
