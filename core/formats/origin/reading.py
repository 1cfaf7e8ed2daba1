"""What any file of ours says of its origin, read back from its bytes."""

from pathlib import Path

from core.errors import CorruptFileError, naming
from core.formats.origin.film import film_label
from core.formats.origin.tiff import is_tiff, packet_of
from core.formats.provenance import JPEG_XMP, PNG_XMP, Label, parse_xmp
from core.imaging import jpeg, png


def read_label(path: Path) -> Label | None:
    """What a picture (PNG, JPEG, TIFF) or a film (mp4, mov, mkv, webm) says of its origin; the content tells the kind.

    None where it says nothing, and where it is damaged before it would.
    """
    with naming(path), open(path, "rb") as file:
        head = file.read(len(png.SIGNATURE))
    try:
        if head == png.SIGNATURE:
            return parse_xmp(_png_packet(path.read_bytes()))
        if head.startswith(jpeg.SOI):
            return parse_xmp(_jpeg_packet(path.read_bytes()))
        if is_tiff(head):
            return parse_xmp(packet_of(path.read_bytes()))
    except CorruptFileError:
        return None
    return film_label(path)


def _png_packet(data: bytes) -> bytes:
    texts = (chunk.body(data) for chunk in png.chunks(data) if chunk.kind == b"iTXt")
    return next((text for text in texts if text.startswith(PNG_XMP)), b"")


def _jpeg_packet(data: bytes) -> bytes:
    parts = (data[segment.start : segment.end] for segment in jpeg.segments(data) if segment.marker == jpeg.APP1)
    return next((part for part in parts if JPEG_XMP in part[:64]), b"")
