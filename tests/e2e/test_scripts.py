"""The scripts themselves: shellcheck, help, odd folders, odd working directories."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from runner import ROOT, environment, run

SCRIPTS = sorted([*ROOT.glob("scripts/*.sh"), *ROOT.glob("*.sh"), ROOT / ".ci" / "run"])
NUMBERED = [p for p in SCRIPTS if p.name[0].isdigit() or p.name in ("exportDFM.sh", "clear_workspace.sh", "doctor.sh")]


def test_shellcheck():
    program = Path(sys.prefix) / "bin" / "shellcheck"
    if not program.exists() and not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed (requirements-dev.txt)")
    command = [str(program) if program.exists() else "shellcheck", "-x", "-P", f"SCRIPTDIR:{ROOT}", *map(str, SCRIPTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", NUMBERED, ids=lambda p: p.name)
def test_help_from_any_folder(script, tmp_path):
    odd = tmp_path / "ein Ordner mit Ümläuten 顔"
    (odd / "core").mkdir(parents=True)
    (odd / "core" / "__init__.py").write_text("raise SystemExit('the wrong core')")
    name = str(script.relative_to(ROOT))
    done = run(name, "--help", workspace=odd / "work space", cwd=odd, COLUMNS="80")
    assert done.stdout.startswith(f"usage: bash {name} ")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert (odd / "work space" / "data_src" / "aligned").is_dir()


def test_scripts_are_thin():
    assert not {p.name: n for p in NUMBERED if (n := len(p.read_text().splitlines())) > 25}


def test_scripts_that_are_named_are_there():
    pages = [*ROOT.glob("core/**/*.py"), *ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    named = set(re.findall(r"(?<![\w/.])scripts/[\w.]+\.sh", text))
    assert len(named) > 10 and not [name for name in named if not (ROOT / name).is_file()]


def test_stage_modules_are_light():
    """``--help`` is instant because a stage's module imports no framework, OpenCV or scipy at its top."""
    heavy = {"cv2", "tensorflow", "keras", "scipy", "onnx", "onnxruntime", "h5py", "matplotlib", "av"}
    code = f"""
import sys
from core import stages
for name in stages.names():
    assert stages.load(name).__doc__, f"{{name}}: the first line of the docstring is shown in the list of stages"
    assert not {heavy} & set(sys.modules), f"{{name}} imports {{ {heavy} & set(sys.modules) }}"
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_env_can_be_sourced_by_hand_and_respects_the_gpu_choice(tmp_path):
    shown = '"$CUDA_VISIBLE_DEVICES|$FORGE_PYTHON|$WORKSPACE|$PYTHONPATH"'
    shell = f'export CUDA_VISIBLE_DEVICES=3; . "{ROOT}/env.sh" && . "{ROOT}/env.sh" && echo {shown}'
    done = subprocess.run(
        ["bash", "-c", shell], env=environment(tmp_path / "w"), capture_output=True, text=True, check=True, cwd=tmp_path
    )
    devices, python, workspace, path = done.stdout.strip().split("|")
    assert (devices, python, workspace) == ("3", f"{sys.prefix}/bin/python", str(tmp_path / "w"))
    assert path.split(":").count(str(ROOT)) == 1


def test_env_names_what_an_active_environment_lacks(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "empty")], check=True)
    done = run("scripts/1_extract_src_video.sh", workspace=tmp_path / "w", code=4, VIRTUAL_ENV=str(tmp_path / "empty"))
    assert "lacks packages" in done.stderr and "requirements.txt" in done.stderr


def test_clear_moves_everything_to_the_trash(tmp_path):
    workspace = tmp_path / "w"
    (workspace / "model").mkdir(parents=True)
    (workspace / "model" / "precious.dfm").write_text("weeks of work")
    (workspace / "data_src.mp4").write_text("film")
    run("clear_workspace.sh", workspace=workspace)
    assert sorted(p.name for p in workspace.iterdir() if p.name[0] != ".") == ["data_dst", "data_src", "model"]
    assert [p.read_text() for p in workspace.rglob("precious.dfm")] == ["weeks of work"]
    run("clear_workspace.sh", "--purge", workspace=workspace)
    assert not list(workspace.rglob("precious.dfm"))
