"""Marks of origin: every image, video and model that we make says that it is synthetic.

Images carry an XMP packet with IPTC's digital source type "composite with trained algorithmic media"
(https://cv.iptc.org/newscodes/digitalsourcetype/): in an APP1 segment of a JPEG (XMP specification part 3), in an
``iTXt`` chunk of a PNG with the keyword ``XML:com.adobe.xmp``. Frames and aligned faces are crops of a person's own
material and are not synthetic, so they carry no such mark.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import __version__
from core.errors import CorruptFileError
from core.fsio import write_bytes
from core.imaging import jpeg, png
from core.imaging.codec import encode_jpeg, encode_png

DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
CREATOR_TOOL = f"DFM Forge {__version__}"
# Tags for ffmpeg's -metadata, which mp4, mov, mkv and webm keep.
VIDEO_TAGS = {
    "comment": f"synthetic media made with {CREATOR_TOOL}; digital source type: {DIGITAL_SOURCE_TYPE}",
    "synopsis": "synthetic media",
}

_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_PNG_XMP = b"XML:com.adobe.xmp\0\0\0\0\0"
_XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmp:CreatorTool="{CREATOR_TOOL}" Iptc4xmpExt:DigitalSourceType="{DIGITAL_SOURCE_TYPE}"/></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>""".encode()


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
    return data[:at] + jpeg.segment(jpeg.APP1, _JPEG_XMP + _XMP) + data[at:]


def label_png(data: bytes) -> bytes:
    """The same PNG with the XMP packet in an iTXt chunk after its header; pixels are untouched.

    Raises:
        CorruptFileError: it is no PNG.
    """
    if not data.startswith(png.SIGNATURE):
        raise CorruptFileError("cannot label a picture: not a PNG")
    at = next(png.chunks(data)).end
    return data[:at] + png.chunk(b"iTXt", _PNG_XMP + _XMP) + data[at:]


def write_synthetic_image(path: Path, image: NDArray[np.uint8], quality: int = 92) -> None:
    """Encode ``image`` (uint8 H x W x 3 BGR), label it, and write it whole or not at all.

    path: its suffix, .jpg or .png, says how.
    quality: of a JPEG, 1..100.
    """
    match path.suffix.lower():
        case ".png":
            data = label_png(encode_png(image))
        case ".jpg":
            data = label_jpeg(encode_jpeg(image, quality, subsampling="420"))
        case other:
            raise ValueError(f"no image format is called {other!r}")
    write_bytes(path, data, durable=False)
