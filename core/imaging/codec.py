"""Images from bytes and back: uint8 BGR, every failure a typed error, any file name."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, InputError, OutOfMemoryFault, UsageError, from_os_error
from core.imaging import avif, jpeg
from core.imaging.dimensions import MAX_FACE_PIXELS, MAX_PIXELS, validate_dimensions

Image = NDArray[np.uint8]

# Any depth, without alpha, turned as Exif says.
_UPRIGHT = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR
# Chroma subsampling of a JPEG: full resolution, half the columns, half the columns and rows.
_SAMPLING = {
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "422": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
}


def read_image(path: Path) -> Image:
    """The image in a file, a frame of a film: uint8 H x W x 3 BGR, in stored orientation; see :func:`decode_image`.

    Raises:
        InputError: no such file.
        CorruptFileError: there is no whole image in it.
    """
    return decode_image(_read(path), path, MAX_PIXELS)


def read_frame(path: Path) -> Image:
    """The image in a file as a viewer shows it: uint8 H x W x 3 BGR, turned and mirrored as the file says.

    Raises:
        InputError: no such file.
        CorruptFileError: there is no whole image in it.
    """
    return decode_frame(_read(path), path)


def _read(path: Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise from_os_error(error) from None


def decode_frame(data: bytes, where: object = "image data") -> Image:
    """The image in ``data`` as a viewer shows it: uint8 H x W x 3 BGR; otherwise as :func:`decode_image`.

    Raises:
        CorruptFileError: as :func:`decode_image`.
    """
    if avif.is_avif(data):  # whose 10 bits OpenCV leaves in 16; to 8 it scales them
        return _eight_bits(avif.upright(_validated(data, where, MAX_PIXELS, cv2.IMREAD_COLOR), data), where)
    return _eight_bits(_validated(data, where, MAX_PIXELS, _UPRIGHT), where)


def decode_image(data: bytes, where: object = "image data", most: int = MAX_FACE_PIXELS) -> Image:
    """The image in ``data``: uint8 H x W x 3 BGR, in stored orientation.

    16-bit and float images are scaled to 8 bits with rounding, gray becomes three channels, alpha is dropped.
    most: pixels; a larger image is refused before it is decoded.

    Raises:
        CorruptFileError: as :func:`decode_any`, or it has whole numbers of 32 bits, whose range nobody knows.
    """
    return _eight_bits(decode_any(data, where, most), where)


def _eight_bits(image: NDArray, where: object) -> Image:
    if image.dtype == np.uint16:
        image = np.asarray(cv2.convertScaleAbs(image, alpha=255 / 65535), np.uint8)
    elif image.dtype.kind == "f":
        image = np.clip(np.nan_to_num(image.astype(np.float32)) * 255 + 0.5, 0, 255).astype(np.uint8)
    if image.dtype != np.uint8:
        raise _undecodable(where, f"its samples are {image.dtype}: convert it to png")
    return _three_channels(image)


def to_uint8(image: NDArray[np.float32]) -> Image:
    """A float image for a file: 0..1 becomes 0..255, rounded; what is outside is clipped, NaN is 0. Any shape."""
    return (np.clip(np.nan_to_num(image), 0, 1) * 255 + 0.5).astype(np.uint8)


def decode_any(data: bytes, where: object = "image data", most: int = MAX_FACE_PIXELS) -> NDArray:
    """The image as stored: any depth, H x W or H x W x C, BGR. most: pixels, as in :func:`decode_image`.

    Raises:
        CorruptFileError: it is empty, damaged, too large or of an unknown format, or a truncated JPEG, which decoders
            would fill with gray.
    """
    return _validated(data, where, most, cv2.IMREAD_UNCHANGED)


def _validated(data: bytes, where: object, most: int, how: int) -> NDArray:
    if not data:
        raise CorruptFileError("an empty file instead of a picture", where=str(where))
    if data[:2] == jpeg.SOI and not jpeg.is_complete(data, where):
        raise CorruptFileError(
            "truncated JPEG",
            where=str(where),
            why="the end of the picture is missing",
            hint="get the file from its source again",
        )
    validate_dimensions(data, where, most)
    return _decoded(data, where, how)


def decode_reduced(data: bytes, where: object = "image data") -> Image:
    """The image at half its size, uint8 H x W x 3 BGR: quick where the format allows it. Damage is not looked for.

    Raises:
        CorruptFileError: there is no image, or it is too large.
    """
    if not data:
        raise CorruptFileError("an empty file instead of a picture", where=str(where))
    validate_dimensions(data, where)
    return np.asarray(_decoded(data, where, cv2.IMREAD_REDUCED_COLOR_2), np.uint8)


def jpeg_complaint(data: bytes) -> str:
    """What the decoder complains of in a JPEG that it decodes all the same: torn, shifted or missing blocks; or empty.

    OpenCV prints such complaints without a name and goes on.
    """
    if not data.startswith(jpeg.SOI):
        return ""
    import simplejpeg

    try:
        simplejpeg.decode_jpeg(data, colorspace="GRAY", strict=True)
    except ValueError as error:
        return str(error)[:200]
    return ""


def _decoded(data: bytes, where: object, how: int) -> NDArray:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    except cv2.error as error:
        why = str(error).strip().splitlines()[-1]
        if error.code == cv2.Error.StsNoMem:
            raise OutOfMemoryFault("out of memory for a picture", where=str(where), why=why) from None
        raise _undecodable(where, why) from None
    if image is None or image.size == 0:
        raise _undecodable(where, "its data is damaged or of an unknown format")
    return image


def _undecodable(where: object, why: str) -> CorruptFileError:
    return CorruptFileError("cannot decode a picture", where=str(where), why=why)


def _three_channels(image: NDArray) -> Image:
    if image.ndim == 2:
        image = image[..., None]
    if image.shape[2] < 3:  # gray, gray with alpha
        return np.repeat(image[..., :1], 3, axis=2)
    return np.ascontiguousarray(image[..., :3])


def encode_jpeg(image: Image, quality: int = 95, subsampling: str = "444") -> bytes:
    """A baseline JPEG of an image (uint8 H x W x 3 BGR) with JFIF header and no restart markers.

    quality: 1..100.
    subsampling: "444", "422" or "420".

    Raises:
        UsageError: there is no such subsampling.
        InputError: it is no image.
    """
    if subsampling not in _SAMPLING:
        raise UsageError("unknown chroma subsampling", where=subsampling, hint=f"one of {', '.join(_SAMPLING)}")
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _SAMPLING[subsampling]]
    return _encode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(quality), *sampling])


def encode_png(image: NDArray, level: int = 3) -> bytes:
    """A PNG, lossless, of an image (uint8 or uint16, H x W, H x W x 3 BGR or H x W x 4 BGRA).

    level: 0..9, how hard to compress.

    Raises:
        InputError: it is no image.
    """
    return _encode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, level])


def encode_tiff(image: NDArray) -> bytes:
    """A TIFF, lossless (LZW), of an image (uint8 or uint16, H x W or H x W x 3 BGR).

    Raises:
        InputError: it is no image.
    """
    return _encode(".tiff", image, [cv2.IMWRITE_TIFF_COMPRESSION, cv2.IMWRITE_TIFF_COMPRESSION_LZW])


def _encode(suffix: str, image: NDArray, flags: list[int]) -> bytes:
    if image.size == 0 or image.dtype not in (np.uint8, np.uint16):
        raise InputError("cannot encode this as a picture", why=f"shape {image.shape}, {image.dtype}")
    ok, data = cv2.imencode(suffix, image, flags)
    if not ok:
        raise InputError("cannot encode this as a picture", why=f"shape {image.shape}, {image.dtype}, {suffix}")
    return data.tobytes()
