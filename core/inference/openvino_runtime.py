"""A network in OpenVINO's own package, in the manner of onnxruntime's session.

Its processor code takes a third to two thirds of the time of onnxruntime's for the convolutions of a ``.dfm``: it
computes in bfloat16 where the processor has it. onnxruntime's own OpenVINO provider is another build of onnxruntime,
which would have to replace the usual one.
"""

import importlib.util
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

PACKAGE = "openvino"
DEVICE = "OpenVINO"
_TELEMETRY = "openvino_telemetry"
# OpenVINO's word for a type -> onnxruntime's.
_KINDS = {"f32": "tensor(float)", "f16": "tensor(float16)", "i64": "tensor(int64)", "u8": "tensor(uint8)"}


class Tensor(NamedTuple):
    """An input or output, as onnxruntime describes one; a free size is None."""

    name: str
    shape: list[int | None]
    type: str


def installed() -> bool:
    """Whether the package is there; it is not loaded."""
    return importlib.util.find_spec(PACKAGE) is not None


class OpenVinoRuntime:
    """A network, compiled for this processor.

    model: the bytes of an ONNX file, or its path. threads: 0 for as many as OpenVINO likes.

    Raises:
        RuntimeError: OpenVINO cannot load it.
    """

    def __init__(self, model: bytes | Path, threads: int):
        core = _package().Core()
        network = core.read_model(model)
        choices: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if threads:
            choices["INFERENCE_NUM_THREADS"] = threads
        self.metadata = _metadata(network)
        self._compiled = core.compile_model(network, "CPU", choices)
        self._request = self._compiled.create_infer_request()
        self._calls = threading.Lock()  # a request computes one batch at a time

    def get_inputs(self) -> list[Tensor]:
        """In the order of the file."""
        return [_described(port) for port in self._compiled.inputs]

    def get_outputs(self) -> list[Tensor]:
        """In the order of the file."""
        return [_described(port) for port in self._compiled.outputs]

    def run(self, outputs: Sequence[str] | None, feeds: Mapping[str, NDArray]) -> list[NDArray]:
        """The named outputs, or all of them. feeds: name of an input -> array."""
        names = outputs or [tensor.name for tensor in self.get_outputs()]
        with self._calls:
            made = self._request.infer(dict(feeds))
            # The request's own memory is written again by the next call.
            return [made[name].copy() for name in names]


def _package() -> Any:
    """OpenVINO without its telemetry, which would tell its makers of every import; its own stub takes the place."""
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]  # what makes the import of a module fail
    import openvino

    return openvino


def _described(port: Any) -> Tensor:
    kind = port.element_type.get_type_name()
    shape = [None if side.is_dynamic else side.get_length() for side in port.partial_shape]
    return Tensor(port.any_name, shape, _KINDS.get(kind, f"tensor({kind})"))


def _metadata(network: Any) -> dict[str, str]:
    """What an ONNX file says about itself."""
    about = network.rt_info  # a map of OpenVINO's own, without get()
    found = about["framework"] if "framework" in about else {}  # noqa: SIM401
    return {name: value.astype(str) for name, value in found.items()}
