"""How an AVIF image is to be turned: its container says it, and OpenCV does not look."""

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_HEADER = struct.Struct(">I4s")
_BRANDS = (b"avif", b"avis", b"mif1")


def is_avif(data: bytes) -> bool:
    """Whether this is an AVIF file (or another of its kind), by its first box."""
    return data[4:8] == b"ftyp" and data[8:12] in _BRANDS


def upright(image: NDArray, data: bytes) -> NDArray:
    """``image``, as decoded from the AVIF file ``data``, turned and mirrored as the file says. Any depth, H x W x C."""
    for kind, value in _transformations(data):
        if kind == b"irot":  # counter-clockwise, in quarters
            image = np.rot90(image, value & 3)
        else:  # 0: top and bottom change places, 1: left and right
            image = np.flip(image, axis=value & 1)
    return np.ascontiguousarray(image)


def _transformations(data: bytes) -> Iterator[tuple[bytes, int]]:
    """(kind, first byte) of the properties that turn or mirror, in the order of the file: a file holds one image."""
    for content in _inside(data, b"meta"):
        for properties in _inside(content[4:], b"iprp"):  # behind version and flags
            for container in _inside(properties, b"ipco"):
                for kind, value in _boxes(container):
                    if kind in (b"irot", b"imir") and value:
                        yield kind, value[0]


def _inside(data: bytes, wanted: bytes) -> Iterator[bytes]:
    return (content for kind, content in _boxes(data) if kind == wanted)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, content) of the boxes that follow each other in ``data``, as far as they are whole."""
    at = 0
    while at + _HEADER.size <= len(data):
        size, kind = _HEADER.unpack_from(data, at)
        if size < _HEADER.size or at + size > len(data):  # to the end of the file, or with a long size: image data
            return
        yield kind, data[at + _HEADER.size : at + size]
        at += size
