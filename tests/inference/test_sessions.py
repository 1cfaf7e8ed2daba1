"""Sessions: settings reach onnxruntime, failures are typed and name the network."""

from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
from tiny_net import doubling_model

from core.errors import CorruptFileError, EnvironmentFault, InputError, OutOfMemoryFault
from core.inference.sessions import CPU_ONLY, Session, Settings, TensorInfo, open_session


def test_from_bytes_and_from_a_file(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(doubling_model())
    x = np.ones((2, 3), np.float32)
    for session in (open_session(path.read_bytes(), "bytes", Settings()), open_session(path, path, Settings())):
        twice, same = session(x)
        assert (twice == 2).all() and (same == 1).all()
        assert len(session.run({"x": x}, ["same"])) == 1
        assert session.inputs == (TensorInfo("x", ("n", 3), "tensor(float)"),)
        assert [tensor.name for tensor in session.outputs] == ["twice", "same"]
        assert session.device in ("CPU", "CUDA")
    assert session.source == str(path)


def test_what_cannot_be_opened(tmp_path):
    path = tmp_path / "net.onnx"
    with pytest.raises(InputError, match="no such file"):
        open_session(path, path, CPU_ONLY)
    path.write_bytes(doubling_model()[:-9])
    for model in (path, path.read_bytes()):
        with pytest.raises(CorruptFileError, match=r"cannot load a network: .*net\.onnx"):
            open_session(model, path, CPU_ONLY)


class Recorder:
    """Stands for onnxruntime's session and keeps how it was made."""

    made: list

    def __init__(self, model, options, providers):
        Recorder.made.append((options.intra_op_num_threads, providers))
        self.providers = [provider if isinstance(provider, str) else provider[0] for provider in providers]

    def get_providers(self):
        return self.providers

    def get_inputs(self):
        return []

    get_outputs = get_inputs

    def get_modelmeta(self):
        return SimpleNamespace(custom_metadata_map={})


@pytest.mark.parametrize(
    ("settings", "threads", "device", "cuda"),
    [
        (CPU_ONLY, 0, "CPU", None),
        (Settings(), 0, "CUDA", {"use_tf32": "0", "cudnn_conv_algo_search": "EXHAUSTIVE"}),
        (Settings(threads=1, search="HEURISTIC"), 1, "CUDA", {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}),
        (Settings(threads=1, tf32=True), 1, "CUDA", {"use_tf32": "1", "cudnn_conv_algo_search": "EXHAUSTIVE"}),
    ],
)
def test_settings_reach_onnxruntime(monkeypatch, settings, threads, device, cuda):
    Recorder.made = []
    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: providers)
    monkeypatch.setattr(onnxruntime, "InferenceSession", Recorder)
    assert open_session(b"model", "somewhere", settings).device == device
    wanted = [] if cuda is None else [("CUDAExecutionProvider", cuda)]
    assert Recorder.made == [(threads, [*wanted, "CPUExecutionProvider"])]


def test_without_a_gpu_the_cpu_computes(monkeypatch):
    Recorder.made = []
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "InferenceSession", Recorder)
    assert open_session(b"model", "somewhere", Settings()).device == "CPU"
    assert Recorder.made == [(0, ["CPUExecutionProvider"])]


def opened_with(monkeypatch, settings, available, used=None):
    """The providers that onnxruntime is asked for; it uses the first, or ``used``."""
    Recorder.made = []
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: [f"{name}ExecutionProvider" for name in available]
    )
    monkeypatch.setattr(onnxruntime, "InferenceSession", Recorder)
    if used:
        monkeypatch.setattr(Recorder, "get_providers", lambda self: [f"{used}ExecutionProvider"])
    open_session(b"model", "somewhere", settings)
    return Recorder.made[0][1]


def test_a_named_runtime_is_used(monkeypatch, tmp_path):
    every = ("Tensorrt", "CUDA", "CPU")
    cpu, cuda = (
        "CPUExecutionProvider",
        ("CUDAExecutionProvider", {"use_tf32": "0", "cudnn_conv_algo_search": "EXHAUSTIVE"}),
    )
    assert opened_with(monkeypatch, Settings(runtime="cpu"), every) == [cpu]
    assert opened_with(monkeypatch, Settings(runtime="cuda", cuda=False), every) == [cuda, cpu]
    folder = tmp_path / "new"
    kept = {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(folder)}
    asked = opened_with(monkeypatch, Settings(runtime="tensorrt", cache=folder), every)
    assert asked == [("TensorrtExecutionProvider", kept), cuda, cpu] and folder.is_dir()


@pytest.mark.parametrize("runtime", ["cuda", "tensorrt"])
def test_a_named_runtime_is_never_replaced(monkeypatch, runtime):
    with pytest.raises(EnvironmentFault, match=f"no {runtime} here"):
        opened_with(monkeypatch, Settings(runtime=runtime), ("CPU",))
    with pytest.raises(EnvironmentFault, match="fell back to CPU"):
        opened_with(monkeypatch, Settings(runtime=runtime), ("Tensorrt", "CUDA", "CPU"), used="CPU")


class Failing:
    def __init__(self, text):
        self.text = text

    def run(self, outputs, feeds):
        raise RuntimeError(self.text)


def failing(text: str) -> Session:
    return Session("the network", "CPU", (TensorInfo("x", ("n",), "tensor(float)"),), (), Failing(text))


@pytest.mark.parametrize(
    "text", ["BFCArena: Failed to allocate memory for requested buffer of size 9", "Out of memory"]
)
def test_used_up_memory_is_said_so(text):
    with pytest.raises(OutOfMemoryFault, match="out of memory in the network"):
        failing(text)(np.zeros(1, np.float32))


def test_other_failures_are_not_hidden():
    with pytest.raises(RuntimeError, match="some bug"):
        failing("some bug").run({"x": np.zeros(1, np.float32)})
