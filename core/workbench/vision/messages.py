"""What the server and the vision process send each other over pipes: a JSON head and pictures as they are."""

import json
import struct
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.errors import EnvironmentFault

_LENGTHS = struct.Struct("<II")
_MOST_HEAD, _MOST_PIXELS = 1 << 20, 1 << 26


def send(stream: BinaryIO, head: dict[str, Any], pictures: Sequence[NDArray[np.uint8]] = ()) -> None:
    """head: JSON values. pictures: uint8 H x W x 3."""
    text = json.dumps({"head": head, "shapes": [picture.shape for picture in pictures]}).encode()
    data = b"".join(np.ascontiguousarray(picture).tobytes() for picture in pictures)
    stream.write(_LENGTHS.pack(len(text), len(data)) + text + data)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Any], list[NDArray[np.uint8]]] | None:
    """The next message; None at the end of the stream.

    Raises:
        EnvironmentFault: it is none.
    """
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head, pixels = _LENGTHS.unpack(lengths)
    if head > _MOST_HEAD or pixels > _MOST_PIXELS:
        raise EnvironmentFault("the vision process sent something that is no message")
    text, data = stream.read(head), stream.read(pixels)
    if len(text) < head or len(data) < pixels:
        return None
    said = json.loads(text)
    pictures, start = [], 0
    for height, width, channels in said["shapes"]:
        size = height * width * channels
        pictures.append(np.frombuffer(data, np.uint8, size, start).reshape(height, width, channels))
        start += size
    return said["head"], pictures
