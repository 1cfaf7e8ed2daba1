"""Programs that tests and benchmarks keep as text and run in a process of their own: what they import is there.

Linters do not look into them, and a process that ends at once may look like one that was killed in time.
"""

import ast
import importlib.util
import re
from pathlib import Path

import pytest
from paths import ROOT

FILES = sorted({*(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")} - {Path(__file__)})
IMPORT = re.compile(r"\bfrom (core[\w.]*) import ([\w, ]+)|\bimport (core[\w.]*(?:, ?core[\w.]*)*)")


def texts(path: Path) -> list[str]:
    """The strings in a Python file."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def imported(text: str) -> set[str]:
    """The dotted names, of modules and of what is in them, that a program imports of ``core``."""
    found = set()
    for module, names, modules in IMPORT.findall(text):
        found |= {f"{module}.{name.split(' as ')[0].strip()}" for name in names.split(",") if name}
        found |= {name.strip() for name in modules.split(",") if name}
    return found


def is_there(name: str) -> bool:
    """Whether a module, or something that a module defines or imports, has this name."""
    module, _, last = name.rpartition(".")
    try:
        if importlib.util.find_spec(name):
            return True
    except ModuleNotFoundError:
        pass
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return False
    return spec is not None and re.search(rf"\b{last}\b", Path(spec.origin).read_text()) is not None


@pytest.mark.parametrize(
    "path", [path for path in FILES if any(map(imported, texts(path)))], ids=lambda path: path.name
)
def test_imports_in_program_texts(path):
    assert [name for text in texts(path) for name in imported(text) if not is_there(name)] == []


def test_what_is_not_there_is_found():
    text = "import sys\nfrom core.errors import InputError, Nonsense\nimport core.nowhere, core.options"
    assert {name for name in imported(text) if not is_there(name)} == {"core.errors.Nonsense", "core.nowhere"}
