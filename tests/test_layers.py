"""The house rules that a machine can check: who imports whom, who prints, what the workers load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from floors import FLOORS
from paths import ROOT

CORE = ROOT / "core"
# Rooms of one floor do not know each other, but for the pairs below.
LAYERS = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
ALLOWED_NEIGHBOURS = {
    ("imaging", "geometry"),
    ("networks", "formats"),
    ("video", "formats"),
    ("faces", "inference"),
    ("errors", "console"),
    ("types", "console"),
    ("progress", "console"),
    ("progress", "fsio"),
    ("native_output", "errors"),
    ("native_output", "safe_paths"),
    ("options", "errors"),
    ("workspace", "errors"),
    ("workspace", "fsio"),
    ("fsio", "errors"),
    ("fsio", "safe_paths"),
    ("own_place", "errors"),
    ("workspace", "own_place"),
    ("plugins", "errors"),
    ("types", "errors"),
    ("safe_files", "errors"),
    ("safe_paths", "errors"),
}
FRAMEWORKS = {"tensorflow", "keras", "jax", "torch"}
FRAMEWORK_FREE = {
    "data",
    "faces",
    "faceset",
    "formats",
    "networks",
    "inference",
    "video",
    "imaging",
    "geometry",
    "checkpoints",
    "merge",
}
# The builders of trainable networks are what the rest of their room is described for.
WITH_FRAMEWORK = {"core/networks/keras_builder.py", "core/networks/keras_layers.py"}
SOURCES = sorted(CORE.rglob("*.py"))


def imports(path: Path):
    """(module, line) of every import in the file, local ones included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module == "core":
                yield from ((f"core.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield node.module, node.lineno


def part(path: Path) -> str:
    relative = path.relative_to(CORE)
    return relative.parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    here = part(path)
    if here == "__init__":
        return
    for module, line in imports(path):
        pieces = module.split(".")
        if pieces[0] != "core" or len(pieces) < 2 or pieces[1] not in LAYERS or pieces[1] == here:
            continue
        there = pieces[1]
        assert LAYERS[there] < LAYERS[here] or (here, there) in ALLOWED_NEIGHBOURS, (
            f"{path.name}:{line}: {here} may not import {there}"
        )


WORKER_CODE = [p for p in SOURCES if part(p) in FRAMEWORK_FREE and str(p.relative_to(ROOT)) not in WITH_FRAMEWORK]


@pytest.mark.parametrize("path", WORKER_CODE, ids=lambda p: str(p.relative_to(ROOT)))
def test_worker_code_names_no_framework(path):
    assert not [f"{path.name}:{line}" for module, line in imports(path) if module.split(".")[0] in FRAMEWORKS]


def test_data_workers_load_no_framework():
    names = sorted(p for p in FRAMEWORK_FREE if (CORE / p).is_dir())
    code = f"""
import importlib, pkgutil, sys
for name in {names!r}:
    package = importlib.import_module('core.' + name)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):
        if module.name.replace('.', '/') + '.py' not in {WITH_FRAMEWORK!r}:
            importlib.import_module(module.name)
loaded = sorted({FRAMEWORKS!r} & set(sys.modules))
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.name not in ("__main__.py", "console.py")], ids=lambda p: str(p.relative_to(ROOT))
)
def test_only_main_talks_to_the_terminal(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            assert name not in ("print", "input", "sys.exit", "exit", "quit"), f"{path.name}:{node.lineno}: {name}"


def test_sources_are_ascii_names_and_no_bare_pickle():
    for path in SOURCES:
        text = path.read_text()
        assert "\u200b" not in text, f"{path.name} has a zero-width space"
        if path.name != "safe_pickle.py":
            assert not any(module == "pickle" for module, _ in imports(path)), (
                f"{path.name} imports pickle; use core.formats.pickle.safe_pickle"
            )


# The points of a face are so many that the quick ways through metadata and paks take them as they are spelled.
DOORS_OF_PICKLES = {"core.formats.pickle.safe_pickle", "core.formats.pickle.points"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_pickles_are_reached_through_one_door(path):
    if path.parent == CORE / "formats/pickle":
        return
    inner = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "core.formats.pickle":
            inner |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("core.formats.pickle."):
            inner.add(node.module)
    assert inner <= DOORS_OF_PICKLES


def test_no_python_file_is_too_long():
    long = {str(p.relative_to(ROOT)): n for p in SOURCES if (n := len(p.read_text().splitlines())) > 450}
    assert not long
