"""Networks in OpenVINO: what onnxruntime computes, described alike; its telemetry never runs."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from tiny_dfm import write_dfm
from tiny_net import doubling_model

from core.errors import CorruptFileError, EnvironmentFault
from core.inference import openvino_runtime, sessions
from core.inference.dfm import open_dfm
from core.inference.sessions import CPU_ONLY, Settings, fastest_here, open_session

OPENVINO = Settings(runtime="openvino")
ROOT = Path(__file__).resolve().parents[2]
needs_openvino = pytest.mark.skipif(
    not openvino_runtime.installed(), reason="no OpenVINO: pip install -r requirements-live.txt"
)


@needs_openvino
def test_from_bytes_and_from_a_file(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(doubling_model())
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    usual = open_session(path, path, CPU_ONLY)
    for session in (open_session(path.read_bytes(), "bytes", OPENVINO), open_session(path, path, OPENVINO)):
        assert session.device == "OpenVINO"
        assert [(each.name, each.kind) for each in session.inputs] == [("x", "tensor(float)")]
        assert session.inputs[0].shape == (None, 3)
        assert [each.name for each in session.outputs] == [each.name for each in usual.outputs]
        twice, same = session(x)
        assert (twice == 2 * x).all() and (same == x).all()
        assert len(session.run({"x": x}, ["same"])) == 1
        session(x + 1)
        assert (same == x).all(), "what was computed first is still there"


@needs_openvino
def test_a_model_for_live_programs(tmp_path):
    path = write_dfm(tmp_path / "m.dfm")
    one, other = open_dfm(path, OPENVINO), open_dfm(path, CPU_ONLY)
    assert one.session.metadata == other.session.metadata and one.session.metadata
    assert (one.resolution, one.takes_morph, one.one_by_one) == (other.resolution, other.takes_morph, other.one_by_one)
    faces = np.random.default_rng(0).random((2, one.resolution, one.resolution, 3), np.float32)
    made, wanted = one.swap(faces), other.swap(faces)
    np.testing.assert_allclose(made.face, wanted.face, atol=0.02)
    np.testing.assert_allclose(made.target_mask, wanted.target_mask, atol=0.02)


@needs_openvino
def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(doubling_model()[:-9])
    for model in (path, path.read_bytes()):
        with pytest.raises(CorruptFileError, match=r"cannot load a network: .*net\.onnx"):
            open_session(model, path, OPENVINO)


@needs_openvino
def test_nobody_is_told_that_it_runs(tmp_path):
    """The package asks its makers' address at every import and keeps a number of this machine, unless it is stopped."""
    (tmp_path / "net.onnx").write_bytes(doubling_model())
    program = """
import socket, sys, threading
from pathlib import Path
def refuse(*arguments, **named):
    Path("asked").write_text(repr(arguments))
    raise OSError("no network here")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from core.inference.openvino_runtime import OpenVinoRuntime
OpenVinoRuntime(Path("net.onnx"), 1)
assert "openvino" in sys.modules
assert sys.modules["openvino_telemetry"] is None
assert not [name for name in sys.modules if name.startswith("openvino_telemetry.")]
"""
    environment = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


def test_without_the_package(monkeypatch):
    monkeypatch.setattr(sessions, "installed", lambda: False)
    with pytest.raises(EnvironmentFault, match="OpenVINO is not installed") as caught:
        open_session(doubling_model(), "somewhere", OPENVINO)
    assert "requirements-live.txt" in str(caught.value)


@pytest.mark.parametrize(
    ("there", "providers", "wanted"),
    [(True, ["CPU"], "openvino"), (False, ["CPU"], "auto"), (True, ["CUDA", "CPU"], "auto")],
)
def test_the_fastest_runtime(monkeypatch, there, providers, wanted):
    names = [f"{name}ExecutionProvider" for name in providers]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
    monkeypatch.setattr(sessions, "installed", lambda: there)
    assert fastest_here() == wanted
