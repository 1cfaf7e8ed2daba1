"""The one maker of sessions that run a network: explicit settings, its origin in every message, typed errors."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from core.errors import CorruptFileError, EnvironmentFault, InputError, OutOfMemoryFault
from core.inference.openvino_runtime import DEVICE as OPENVINO
from core.inference.openvino_runtime import OpenVinoRuntime, installed

_WARNINGS_OFF = 3  # onnxruntime's level for errors only
_PROVIDER = "ExecutionProvider"
Runtime = Literal["auto", "cpu", "cuda", "openvino", "tensorrt"]
# onnxruntime's name of a runtime, and what brings it.
_RUNTIMES = {
    "cuda": ("CUDA", "install onnxruntime-gpu in the place of onnxruntime"),
    "tensorrt": ("Tensorrt", "install onnxruntime-gpu in the place of onnxruntime, and TensorRT itself"),
}


@dataclass(frozen=True)
class Settings:
    """How a network is run.

    threads: CPU threads of one call, 0 for one a core; a caller that makes several calls at once wants 1.
    spin: let threads that have nothing to do wait busily, which is a little faster where nothing else runs, and much
        slower where something does.
    cuda: compute on an NVIDIA GPU where onnxruntime has one, else on the CPU.
    tf32: let the GPU round the factors of a product to 10 bits; faster, and no longer what a CPU computes.
    runtime: ``auto`` is CUDA where there is one and it is wanted, else the CPU; any other is used or is an error.
    cache: a folder for what TensorRT compiles of a network, which takes minutes; made where it is missing.
    search: how cuDNN chooses an algorithm for every new size of a convolution: by trying all of them, or by rule.
    """

    threads: int = 0
    spin: bool = True
    cuda: bool = True
    tf32: bool = False
    runtime: Runtime = "auto"
    cache: Path | None = None
    search: Literal["EXHAUSTIVE", "HEURISTIC"] = "EXHAUSTIVE"


CPU_ONLY = Settings(cuda=False)


@dataclass(frozen=True)
class TensorInfo:
    """An input or output of a network.

    shape: a number is a fixed size, a text or None one that is free.
    kind: onnxruntime's word for the type, such as ``tensor(float)``.
    """

    name: str
    shape: tuple[int | str | None, ...]
    kind: str


@dataclass(frozen=True)
class Session:
    """A network ready to run; may be called from several threads.

    source: where the network comes from, for messages.
    device: where it really computes: ``CPU``, ``CUDA``, ``Tensorrt`` or ``OpenVINO``.
    inputs, outputs: in the order of the file.
    metadata: what the file says about itself.
    runtime: onnxruntime's own object, or OpenVINO's in its manner.
    """

    source: str
    device: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    runtime: Any
    metadata: Mapping[str, str] = field(default_factory=dict)

    def run(self, feeds: Mapping[str, NDArray], outputs: Sequence[str] | None = None) -> list[NDArray]:
        """The named outputs, or all of them in the order of the file. feeds: name of an input -> array.

        Raises:
            OutOfMemoryFault: memory that is used up must never look like "no face".
        """
        try:
            return self.runtime.run(outputs, dict(feeds))
        except Exception as error:  # onnxruntime's own exceptions share no base class
            _raise_if_out_of_memory(error, self.source)
            raise

    def __call__(self, batch: NDArray) -> list[NDArray]:
        """All outputs of a network with one input. Raises as ``run`` does."""
        (only,) = self.inputs
        return self.run({only.name: batch})


def open_session(model: bytes | Path, source: str | Path, settings: Settings) -> Session:
    """A session of an ONNX model.

    model: its bytes, or the file that has them; a file is not read into memory first, which matters at 2 GiB.
    source: where the model comes from, for messages.

    Raises:
        InputError: there is no such file.
        CorruptFileError: the runtime cannot load it.
        EnvironmentFault: the runtime that the settings name is not there, or does not start.
        OutOfMemoryFault: it does not fit into memory.
    """
    if isinstance(model, Path) and not model.is_file():
        raise InputError("no such file", where=model)
    opened = _openvino if settings.runtime == "openvino" else _onnxruntime
    return opened(model, source, settings)


def _onnxruntime(model: bytes | Path, source: str | Path, settings: Settings) -> Session:
    import onnxruntime  # takes a while, and not every plugin needs it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.log_severity_level = _WARNINGS_OFF
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(settings.spin)))
    content = str(model) if isinstance(model, Path) else model
    providers = _providers(settings, onnxruntime.get_available_providers())
    with _typed_errors(source):
        runtime = onnxruntime.InferenceSession(content, options, providers=providers)
        inputs, outputs = _described(runtime.get_inputs()), _described(runtime.get_outputs())
    _require_runtime(settings, runtime.get_providers()[0])
    device = runtime.get_providers()[0].removesuffix(_PROVIDER)
    metadata = dict(runtime.get_modelmeta().custom_metadata_map)
    return Session(str(source), device, inputs, outputs, runtime, metadata)


def _openvino(model: bytes | Path, source: str | Path, settings: Settings) -> Session:
    if not installed():
        raise EnvironmentFault(
            "OpenVINO is not installed",
            hint="pip install -r requirements-live.txt, or leave --runtime out",
        )
    with _typed_errors(source):
        runtime = OpenVinoRuntime(model, settings.threads)
        inputs, outputs = _described(runtime.get_inputs()), _described(runtime.get_outputs())
    return Session(str(source), OPENVINO, inputs, outputs, runtime, runtime.metadata)


@contextmanager
def _typed_errors(source: str | Path) -> Iterator[None]:
    """Raises CorruptFileError or OutOfMemoryFault for what a runtime says of a network that it cannot load."""
    try:
        yield
    except Exception as error:  # the runtimes' own exceptions share no base class
        _raise_if_out_of_memory(error, source)
        raise CorruptFileError(
            "cannot load a network",
            where=str(source),
            why=str(error).strip().splitlines()[-1][:300],
            hint="is the ONNX file complete? onnx.checker.check_model says more",
        ) from None


def _providers(settings: Settings, available: Sequence[str]) -> list[Any]:
    """What onnxruntime may compute on, the best first. Raises EnvironmentFault for a runtime that is not installed."""
    cpu = f"CPU{_PROVIDER}"
    cuda = (f"CUDA{_PROVIDER}", {"use_tf32": str(int(settings.tf32)), "cudnn_conv_algo_search": settings.search})
    if settings.runtime == "cpu":
        return [cpu]
    if settings.runtime == "auto":
        return [cuda, cpu] if settings.cuda and cuda[0] in available else [cpu]
    name, advice = _RUNTIMES[settings.runtime]
    if name + _PROVIDER not in available:
        raise EnvironmentFault(
            f"onnxruntime has no {settings.runtime} here",
            why=f"it has {', '.join(each.removesuffix(_PROVIDER) for each in available)}",
            hint=f"{advice}, or leave --runtime out",
        )
    if settings.runtime == "cuda":
        return [cuda, cpu]
    return [(name + _PROVIDER, _kept(settings)), cuda, cpu]


def _kept(settings: Settings) -> dict[str, str]:
    """Where TensorRT keeps what it has compiled, as it wants to be told."""
    if settings.cache is None:
        return {}
    settings.cache.mkdir(parents=True, exist_ok=True)
    return {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(settings.cache)}


def _require_runtime(settings: Settings, used: str) -> None:
    """onnxruntime goes on with another runtime where one does not start; who named it should know."""
    wanted = _RUNTIMES.get(settings.runtime)
    if wanted and used != wanted[0] + _PROVIDER:
        raise EnvironmentFault(
            f"{settings.runtime} does not start",
            why=f"onnxruntime fell back to {used.removesuffix(_PROVIDER)}",
            hint="are its driver and libraries installed? `bash scripts/doctor.sh` looks at them",
        )


def fastest_here() -> Runtime:
    """What ``auto`` means where speed counts more than the same bits everywhere: a GPU, else OpenVINO, else the CPU."""
    import onnxruntime

    gpu = f"CUDA{_PROVIDER}" in onnxruntime.get_available_providers()
    return "openvino" if installed() and not gpu else "auto"


def _described(tensors: Sequence[Any]) -> tuple[TensorInfo, ...]:
    return tuple(TensorInfo(tensor.name, tuple(tensor.shape), tensor.type) for tensor in tensors)


def _raise_if_out_of_memory(error: Exception, source: str | Path) -> None:
    """Raises OutOfMemoryFault when that is what ``error`` says; only its text tells."""
    text = str(error)
    if "allocate" in text or "out of memory" in text.lower():
        raise OutOfMemoryFault(
            f"out of memory in {source}",
            why=text.splitlines()[0],
            hint="close other programs on the device, or use fewer --workers",
        ) from None
