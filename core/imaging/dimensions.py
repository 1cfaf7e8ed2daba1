"""How many pixels an encoded image asks for, by its header: a few bytes may ask for gigabytes, so this comes before
decoding.
"""

import struct

from core.errors import CorruptFileError
from core.imaging import jpeg, png

# 16,384 x 16,384: beyond any film. core/__init__.py says the same to OpenCV, for the formats that are not read here.
MAX_PIXELS = 1 << 28
# 8,192 x 8,192: of an aligned face and of a mask.
MAX_FACE_PIXELS = 1 << 26
# Pixels of a byte, where a plain image compresses best; in a PNG bytes of pixels. More is a header without an image.
_MOST_PER_BYTE = 1100
# Channels by the color type of a PNG: gray, color, palette, with alpha.
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ANY_FILE = 1 << 20
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_TIFF_SHORT = 3
_TIFF_MOST_TAGS = 1000
_HEIF_HEAD = 1 << 16  # bytes before the pixels


def validate_pixels(height: int, width: int, where: object, most: int = MAX_FACE_PIXELS) -> None:
    """Refuse an image of more than ``most`` pixels.

    Raises:
        CorruptFileError: it has more.
    """
    if height * width > most:
        raise _too_large(height, width, where, f"at most {most:,} pixels are read")


def validate_dimensions(data: bytes, where: object, most: int = MAX_FACE_PIXELS) -> None:
    """Refuse an encoded image that asks for more than ``most`` pixels, or for very many with hardly any data.

    Raises:
        CorruptFileError: it does, or it is a damaged JPEG, or a PNG whose parts are not all there.
    """
    if data.startswith(png.SIGNATURE):
        for _ in png.chunks(data, where):
            pass  # a decoder makes room for what a chunk says, up to 4 GiB, before it looks for it
    validate_size(*dimensions(data, where), data, where, most)


def validate_size(height: int, width: int, data: bytes, where: object, most: int = MAX_FACE_PIXELS) -> None:
    """The same where the size is known. data: from the beginning of the image, all of it or 80 kB."""
    validate_pixels(height, width, where, most)
    # Other formats make next to nothing of one color.
    any_file = _ANY_FILE if data[:1] in (jpeg.SOI[:1], png.SIGNATURE[:1]) else MAX_FACE_PIXELS
    if height * width > any_file and height * width * _png_bytes(data) > _MOST_PER_BYTE * len(data):
        raise _too_large(height, width, where, f"{len(data):,} bytes cannot hold that")


def _png_bytes(data: bytes) -> float:
    """How many bytes a pixel of a PNG takes before it is compressed; 1 of other formats."""
    if not data.startswith(png.SIGNATURE) or len(data) < 26:
        return 1
    # Bits of a sample, and the kind of color.
    return data[24] * _PNG_CHANNELS.get(data[25], 1) / 8


def _too_large(height: int, width: int, where: object, why: str) -> CorruptFileError:
    return CorruptFileError(
        "a picture too large to read",
        where=str(where),
        why=f"its header says {width:,} x {height:,} pixels; {why}",
        hint="the file is damaged or was made to harm; get it from its source again, or save it smaller",
    )


def dimensions(data: bytes, where: object = "image data") -> tuple[int, int]:
    """(height, width) of a JPEG, PNG, WebP, AVIF, TIFF or BMP by its header; (0, 0) for another format or none.

    Raises:
        CorruptFileError: a JPEG that is damaged before its pixels.
    """
    if data[:2] == jpeg.SOI:
        return _jpeg(data, where)
    try:
        if data.startswith(png.SIGNATURE):
            return struct.unpack_from(">4xII", data, 12)[::-1]
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
        if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            return _tiff(data)
        if data[4:8] == b"ftyp":
            return _heif(data)
        if data[:2] == b"BM":
            width, height = struct.unpack_from("<ii", data, 18)
            # The height is negative where the first row is the top one.
            return abs(height), abs(width)
    except (struct.error, OverflowError):
        pass  # it ends within its header: the decoder says so
    return 0, 0


def _jpeg(data: bytes, where: object) -> tuple[int, int]:
    """The largest of its start-of-frame segments, of which there should be one."""
    height = width = 0
    for marker, _, body, end in jpeg.segments(data, where):
        if marker in jpeg.SOF and end - body >= 6:
            found = jpeg.frame_size(data, body)
            height, width = max(height, found[0]), max(width, found[1])
    return height, width


def _webp(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = int.from_bytes(data[24:27], "little"), int.from_bytes(data[27:30], "little")
        return height + 1, width + 1
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    # The two bits above are a scale for players.
    return height & 0x3FFF, width & 0x3FFF


def _heif(data: bytes) -> tuple[int, int]:
    """The largest of the sizes that an AVIF names, in boxes ``ispe``: flags, width, height."""
    height = width = 0
    at = data.find(b"ispe", 0, _HEIF_HEAD)
    while at >= 0:
        found = struct.unpack_from(">II", data, at + 8)
        width, height = max(width, found[0]), max(height, found[1])
        at = data.find(b"ispe", at + 4, _HEIF_HEAD)
    return height, width


def _tiff(data: bytes) -> tuple[int, int]:
    """From the first directory of a TIFF of either byte order and of either size of offsets."""
    order = "<" if data[:1] == b"I" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    offset, count, entry = ("Q", "Q", "HHQQ") if big else ("I", "H", "HHII")
    (start,) = struct.unpack_from(order + offset, data, 8 if big else 4)
    (tags,) = struct.unpack_from(order + count, data, start)
    found = {_TIFF_WIDTH: 0, _TIFF_HEIGHT: 0}
    size, first = struct.calcsize(order + entry), start + struct.calcsize(order + count)
    for number in range(min(tags, _TIFF_MOST_TAGS)):
        at = first + number * size
        tag, kind, _, value = struct.unpack_from(order + entry, data, at)
        if tag in found:
            # A short value lies at the front of its field, whatever the byte order.
            short = struct.unpack_from(f"{order}H", data, at + size - struct.calcsize(order + offset))[0]
            found[tag] = short if kind == _TIFF_SHORT else value
    return found[_TIFF_HEIGHT], found[_TIFF_WIDTH]
