"""Writes an ONNX file one tensor at a time: a large model needs no second copy of its weights in memory.

The file is the usual protobuf message; its nodes and names come from the ``onnx`` package, the tensors are put between
them by hand (a field is a tag, a length and the bytes).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from core.errors import InputError

# One protobuf message cannot be larger; live programs want one file.
LARGEST = 2**31 - 1
_MARGIN = 2**20  # for what comes before the graph
# Tags: field 7 of the model, 5 of the graph, 9 of the tensor, each with a length.
_GRAPH, _INITIALIZER, _RAW_DATA = 0x3A, 0x2A, 0x4A


@dataclass(frozen=True)
class Tensor:
    """Weights to write.

    array: any view.
    half: write it as float16.
    """

    array: NDArray
    half: bool = False

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.float16) if self.half else self.array.dtype

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return math.prod(self.array.shape) * self.dtype.itemsize

    def data(self, name: str) -> memoryview:
        """The bytes in row order.

        Raises:
            InputError: a number does not fit in float16.
        """
        with np.errstate(over="ignore"):  # what does not fit becomes infinite, and is refused below
            array = np.ascontiguousarray(self.array, self.dtype)
        if self.half and not np.isfinite(array).all():
            raise InputError(
                "a weight does not fit in half precision",
                where=name,
                why="it is larger than 65504 or not a number",
                hint="export without --half, and check that the model has not diverged",
            )
        # Flat first: NumPy gives no other view of an array without dimensions.
        return array.reshape(-1).view(np.uint8).data

    def head(self, name: str) -> bytes:
        """The tensor's message up to its bytes."""
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        message = onnx.TensorProto(name=name, dims=self.array.shape, data_type=kind)
        return message.SerializeToString() + _field(_RAW_DATA, self.size)


def write_onnx(stream: IO[bytes], model: onnx.ModelProto, tensors: Mapping[str, Tensor]) -> None:
    """Write ``model`` (without initialisers) with ``tensors`` as its initialisers.

    Raises:
        InputError: the file would be larger than 2 GiB, or a number does not fit in float16.
    """
    heads = {name: tensor.head(name) for name, tensor in tensors.items()}
    sizes = {name: len(heads[name]) + tensor.size for name, tensor in tensors.items()}
    graph = model.graph.SerializeToString()
    total = len(graph) + sum(len(_field(_INITIALIZER, size)) + size for size in sizes.values())
    if total > LARGEST - _MARGIN:
        raise InputError(
            "the model is too large for one ONNX file",
            where=f"{total / 2**30:.1f} GiB",
            why="the limit is 2 GiB",
            hint="export with --half: convolutions then take half the space",
        )
    rest = onnx.ModelProto()
    rest.CopyFrom(model)
    rest.ClearField("graph")
    stream.write(rest.SerializeToString() + _field(_GRAPH, total) + graph)
    for name, tensor in tensors.items():
        stream.write(_field(_INITIALIZER, sizes[name]) + heads[name])
        stream.write(tensor.data(name))


def _field(tag: int, length: int) -> bytes:
    """Tag and length of a field, the length as a base-128 number."""
    out = bytearray([tag])
    while length > 0x7F:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    out.append(length)
    return bytes(out)
