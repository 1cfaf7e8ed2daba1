import subprocess
import sys

import pytest

from core.jobs import doctor
from core.jobs.doctor import Backend, Gpu, NextStep, Probe
from core.stages import doctor as stage
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
        ("9.0", ["sm_", "sm_next", "sm_90"], True),
        ("[N/A]", ["sm_90"], True),
        ("[Unknown Error]", ["sm_90"], True),
    ],
)
def test_which_gpus_a_build_serves(capability, architectures, native):
    assert doctor.runs_on(capability, architectures) is native


def test_an_idle_gpu_and_one_that_the_build_has_no_code_for_are_told():
    gpu = Gpu("RTX", "12.0", "16 GB", "1")
    idle = stage.backend_warnings(answering(gpus=(), architectures=("sm_80",)), [gpu])
    assert "does not use it" in idle[0] and "requirements-gpu.txt" in idle[0]
    assert "GPU code" in idle[1]
    assert stage.backend_warnings(answering(gpus=()), []) == []
    assert stage.backend_warnings(answering(gpus=("RTX",), architectures=("sm_120",)), [gpu]) == []


def test_programs_and_packages_that_do_not_start_are_no_reason_to_end(monkeypatch):
    def refused(*_, **__):
        raise PermissionError

    monkeypatch.setattr(doctor.shutil, "which", lambda name: name)
    monkeypatch.setattr(doctor.subprocess, "run", refused)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert doctor.nvidia_gpus() == doctor.onnx_providers() == ()


def answering(gpus, architectures=()):
    return Backend("tensorflow", Probe("GPU:0", gpus, architectures, None, True, 0.5), None, None)


def test_next_step_follows_the_workspace(tmp_path):
    workspace = Workspace(tmp_path).create()

    def step():
        return stage.next_step(doctor.next_step(workspace))

    assert "data_src.mp4" in step()
    (tmp_path / "data_src.mkv").touch()
    assert step() == "bash scripts/1_extract_src_video.sh"
    (tmp_path / "data_src" / "00001.png").touch()
    assert step() == "bash scripts/3_extract_src_faces.sh"
    (tmp_path / "data_src" / "aligned" / "00001_0.jpg").touch()
    assert "data_dst.mp4" in step()
    (tmp_path / "data_dst" / "aligned" / "faceset.pak").touch()
    assert doctor.next_step(workspace) == NextStep("train") and "5_train" in step()
    (tmp_path / "model" / "a_SAEHD_model.dfm").touch()
    assert "a_SAEHD_model.dfm" in step()


def test_a_backend_that_does_not_start_is_said(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "nonsense")
    found = doctor.backend()
    assert found.probe is None and "nonsense" in str(found.problem)
    assert "nonsense backend does not start" in stage.backend_warnings(found, [])[0]


def test_a_backend_that_does_not_answer_is_said():
    found = doctor.backend(patience=0.01)
    assert (found.probe, found.problem) == (None, None)
    assert "did not answer" in stage.backend_warnings(found, [])[0]


def test_what_a_workspace_has(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    (workspace.side("src").aligned / "00001_0.jpg").touch()
    (workspace.side("src").aligned / "faceset.pak").write_bytes(b"12345")
    found = doctor.contents(workspace.side("src"))
    assert found == doctor.SideContents("src", (), (), 0, 0, 1, 5)
    assert doctor.disk(Workspace(tmp_path / "not" / "there")).folder == tmp_path
    assert doctor.packages()["numpy"]


def test_the_table_is_printed():
    done = subprocess.run([sys.executable, "-m", "core", "doctor"], capture_output=True, text=True, check=True)
    for label in ("python", "tensorflow", "device used", "--precision auto", "ffmpeg", "workspace", "next step"):
        assert label in done.stdout
    assert "computes correctly" in done.stdout
