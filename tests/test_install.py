"""``pip install .``: a service gets the library with its data files, the command, and what it depends on."""

import importlib.metadata
import os
import shutil
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from paths import ROOT

SOURCES = ("pyproject.toml", "requirements*.txt", "README.md", "LICENSE", "NOTICE")
KINDS = ("toml", "html", "js", "mjs", "css", "svg", "LICENSE")
DATA = sorted(str(path.relative_to(ROOT)) for kind in KINDS for path in (ROOT / "core").rglob(f"*.{kind}"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the installed package, built from a copy: building leaves files behind."""
    sources, target = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "core", sources / "core", ignore=shutil.ignore_patterns("__pycache__"))
    for path in (path for pattern in SOURCES for path in ROOT.glob(pattern)):
        shutil.copy(path, sources)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--target", target, sources], check=True, capture_output=True)
    return target


def run(site, folder, *command):
    """The output of a command that finds the installed package and not the checkout."""
    kept = {key: value for key, value in os.environ.items() if key not in ("WORKSPACE", "FORGE_ASSETS")}
    environment = kept | {"PYTHONPATH": str(site)}
    done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_every_module_and_data_file_is_there(site):
    ours = {path.relative_to(ROOT) for path in (ROOT / "core").rglob("*.py")}
    assert ours <= {path.relative_to(site) for path in site.rglob("*.py")}
    assert DATA and all((site / path).is_file() for path in DATA)


def test_the_command_runs(site, tmp_path):
    shown = run(site, tmp_path, sys.executable, "-P", site / "bin/dfm-forge", "--help")
    assert shown.startswith("usage:") and "train" in shown


def test_the_library_is_the_installed_one_and_works_in_the_current_folder(site, tmp_path):
    code = "import core; from core.workspace import Workspace; print(core.__file__, Workspace.from_environment().root)"
    found = run(site, tmp_path, sys.executable, "-P", "-c", code)
    assert found == f"{site / 'core/__init__.py'} {tmp_path / 'workspace'}"


def test_what_it_depends_on_stands_in_the_requirements(site):
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    (installed,) = importlib.metadata.distributions(name="dfm-forge", path=[str(site)])
    every = [Requirement(text) for text in installed.requires]
    always = [requirement for requirement in every if requirement.marker is None]
    assert sorted(map(str, always)) == sorted(map(str, wanted))  # some builders sort them
    assert {"c2pa", "gpu", "jax", "live", "torch"} == set(installed.metadata.get_all("Provides-Extra"))
