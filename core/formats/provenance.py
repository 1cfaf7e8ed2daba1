"""Marks of origin: every image, video and model that we make says that it is synthetic.

Images carry an XMP packet with IPTC's digital source type "composite with trained algorithmic media"
(https://cv.iptc.org/newscodes/digitalsourcetype/): in an APP1 segment of a JPEG (XMP specification part 3), in an
``iTXt`` chunk of a PNG with the keyword ``XML:com.adobe.xmp``, in a tag of a TIFF. Films: ``core.formats.origin``.
Frames and aligned faces are crops of a person's own material and are not synthetic, so they carry no such mark.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import __version__
from core.errors import CorruptFileError
from core.formats.origin.tiff import add_packet
from core.fsio import write_bytes
from core.imaging import jpeg, png
from core.imaging.codec import encode_jpeg, encode_png, encode_tiff

DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
CREATOR_TOOL = f"DFM Forge {__version__}"
# Tags for ffmpeg's -metadata, which mp4, mov, mkv and webm keep.
VIDEO_TAGS = {
    "comment": f"synthetic media made with {CREATOR_TOOL}; digital source type: {DIGITAL_SOURCE_TYPE}",
    "synopsis": "synthetic media",
}

JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
PNG_XMP = b"XML:com.adobe.xmp\0\0\0\0\0"
XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmp:CreatorTool="{CREATOR_TOOL}" Iptc4xmpExt:DigitalSourceType="{DIGITAL_SOURCE_TYPE}"/></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>""".encode()
# The same words in any packet or comment of ours, of any version.
_TOOL = re.compile(rb'xmp:CreatorTool="([^"]*)"')
_SOURCE = re.compile(rb'Iptc4xmpExt:DigitalSourceType="([^"]*)"')
_COMMENT = re.compile(r"synthetic media made with (.*); digital source type: (\S+)")


@dataclass(frozen=True)
class Label:
    """What a file says of its origin.

    tool: the program that made it.
    source_type: IPTC's digital source type, an address.
    """

    tool: str
    source_type: str


def parse_xmp(packet: bytes) -> Label | None:
    """What an XMP packet of this program says; None where it says nothing of the kind."""
    tool, source = _TOOL.search(packet), _SOURCE.search(packet)
    if not tool or not source:
        return None
    return Label(tool[1].decode(errors="replace"), source[1].decode(errors="replace"))


def parse_comment(text: str) -> Label | None:
    """What the comment of a video of this program says; None where it says nothing of the kind."""
    found = _COMMENT.search(text)
    return Label(found[1], found[2].rstrip(";")) if found else None


def label_jpeg(data: bytes) -> bytes:
    """The same JPEG with the XMP packet after its JFIF header; pixels are untouched.

    Raises:
        CorruptFileError: it is no JPEG.
    """
    at = len(jpeg.SOI)
    for segment in jpeg.segments(data):
        if segment.marker != jpeg.APP0:
            break
        at = segment.end
    return data[:at] + jpeg.segment(jpeg.APP1, JPEG_XMP + XMP) + data[at:]


def label_png(data: bytes) -> bytes:
    """The same PNG with the XMP packet in an iTXt chunk after its header; pixels are untouched.

    Raises:
        CorruptFileError: it is no PNG.
    """
    if not data.startswith(png.SIGNATURE):
        raise CorruptFileError("cannot label a picture: not a PNG")
    at = next(png.chunks(data)).end
    return data[:at] + png.chunk(b"iTXt", PNG_XMP + XMP) + data[at:]


def write_synthetic_image(path: Path, image: NDArray[np.uint8] | NDArray[np.uint16], quality: int = 92) -> None:
    """Encode ``image`` (H x W x 3 BGR, uint8, or uint16 but for a JPEG), label it, and write it whole or not at all.

    path: its suffix, .png, .tif, .tiff or .jpg, says how.
    quality: of a JPEG, 1..100.

    Raises:
        InputError: it is no image.
    """
    match path.suffix.lower():
        case ".png":
            data = label_png(encode_png(image))
        case ".tif" | ".tiff":
            data = add_packet(encode_tiff(image), XMP)
        case ".jpg" if image.dtype == np.uint8:
            data = label_jpeg(encode_jpeg(np.asarray(image, np.uint8), quality, subsampling="420"))
        case other:
            raise ValueError(f"no image format for {image.dtype} is called {other!r}")
    write_bytes(path, data, durable=False)
