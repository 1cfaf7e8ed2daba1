"""Marks of origin: every picture, video and model that we make says that it is synthetic.

Pictures carry an XMP packet with IPTC's digital source type "composite with trained algorithmic media"
(https://cv.iptc.org/newscodes/digitalsourcetype/); JPEG in an APP1 segment (XMP specification part 3), PNG in an
``iTXt`` chunk with the keyword ``XML:com.adobe.xmp``. Frames and aligned faces are cut from a person's own material and
are not synthetic, so they carry no such mark.
"""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core import __version__
from core.errors import CorruptFileError
from core.fsio import write_bytes

DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
CREATOR_TOOL = f"DFM Forge {__version__}"
# Tags for ffmpeg's -metadata, which mp4, mov, mkv and webm keep.
VIDEO_TAGS = {
    "comment": f"synthetic media made with {CREATOR_TOOL}; digital source type: {DIGITAL_SOURCE_TYPE}",
    "synopsis": "synthetic media",
}

_PNG_HEADER = 33  # signature and IHDR chunk
_XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmp:CreatorTool="{CREATOR_TOOL}" Iptc4xmpExt:DigitalSourceType="{DIGITAL_SOURCE_TYPE}"/></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>""".encode()


def label_jpeg(data: bytes) -> bytes:
    """The same JPEG with the XMP packet after its JFIF header; pixels are untouched. Raises CorruptFileError for no JPEG."""
    if data[:2] != b"\xff\xd8":
        raise CorruptFileError("cannot label a picture: not a JPEG")
    payload = b"http://ns.adobe.com/xap/1.0/\0" + _XMP
    at = 2
    while data[at : at + 2] == b"\xff\xe0":
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return data[:at] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + data[at:]


def label_png(data: bytes) -> bytes:
    """The same PNG with the XMP packet in an iTXt chunk after its header. Raises CorruptFileError for no PNG."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        raise CorruptFileError("cannot label a picture: not a PNG")
    body = b"iTXt" + b"XML:com.adobe.xmp\0\0\0\0\0" + _XMP
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:_PNG_HEADER] + chunk + data[_PNG_HEADER:]


def write_synthetic_image(path: Path, image: NDArray[np.uint8], quality: int = 92) -> None:
    """Encode ``image`` (uint8, H x W x 3, BGR) by the suffix of ``path`` (.jpg or .png), label it, write it atomically."""
    suffix = path.suffix.lower()
    encode, label = {".jpg": ([cv2.IMWRITE_JPEG_QUALITY, quality], label_jpeg), ".png": ([], label_png)}[suffix]
    _, buffer = cv2.imencode(suffix, image, encode)
    write_bytes(path, label(buffer.tobytes()), durable=False)
