import subprocess
import sys

import pytest

from core.jobs import doctor
from core.workspace import Workspace


@pytest.mark.parametrize(
    ("capability", "architectures", "native"),
    [
        ("8.6", ["sm_60", "sm_80"], True),
        ("8.9", ["sm_80", "sm_89"], True),
        ("8.0", ["sm_86"], False),
        ("9.0", ["sm_89", "compute_90"], False),
        ("12.0", ["sm_90"], False),
        ("12.0", ["sm_120"], True),
        ("9.0", ["sm_90a"], True),
    ],
)
def test_which_gpus_a_build_serves(capability, architectures, native):
    assert doctor.runs_on(capability, architectures) is native


def test_an_idle_gpu_is_reported():
    gpu = {"name": "RTX", "capability": "12.0", "memory": "16 GB", "driver": "1"}
    idle = doctor.gpu_warnings("tensorflow", [gpu], {"gpus": [], "arch": ["sm_80"]})
    assert "does not use it" in idle[0] and "requirements-gpu.txt" in idle[0]
    assert "GPU code" in idle[1]
    assert doctor.gpu_warnings("tensorflow", [], {"gpus": []}) == []


def test_next_step_follows_the_workspace(tmp_path):
    workspace = Workspace(tmp_path).create()
    assert "data_src.mp4" in doctor.next_step(workspace)
    (tmp_path / "data_src.mkv").touch()
    assert doctor.next_step(workspace) == "scripts/1_extract_src_video.sh"
    (tmp_path / "data_src" / "00001.png").touch()
    assert doctor.next_step(workspace) == "scripts/3_extract_src_faces.sh"
    (tmp_path / "data_src" / "aligned" / "00001_0.jpg").touch()
    assert "data_dst.mp4" in doctor.next_step(workspace)
    (tmp_path / "data_dst" / "aligned" / "faceset.pak").touch()
    assert "5_train" in doctor.next_step(workspace)
    (tmp_path / "model" / "a_SAEHD_model.dfm").touch()
    assert "a_SAEHD_model.dfm" in doctor.next_step(workspace)


def test_a_backend_that_does_not_start_is_said(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    warnings = []
    rows = dict(doctor.backend(warnings))
    if rows["device used"].startswith("none"):
        assert "does not start" in warnings[0]
    else:
        assert "computes correctly" in rows["device used"]


def test_the_table_is_printed():
    done = subprocess.run([sys.executable, "-m", "core", "doctor"], capture_output=True, text=True, check=True)
    for label in ("python", "tensorflow", "device used", "ffmpeg", "workspace", "next step"):
        assert label in done.stdout
    assert "computes correctly" in done.stdout
