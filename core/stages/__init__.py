"""One file a stage: its docstring's first line is shown in the list, ``Options`` are its flags, ``run`` does it.

The folders are those of ``core/jobs``; a stage is called by the name of its file alone. Modules here import nothing
heavy at the top, so that ``--help`` answers at once; ``run`` imports what it needs.
"""

import ast
import importlib
from pathlib import Path
from types import ModuleType

from core.errors import UsageError, did_you_mean

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The stages, as typed on the command line; imports none of them."""
    return sorted(_files())


def summary(name: str) -> str:
    """The first line of a stage's docstring, read without importing it."""
    source = _files()[name].read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]


def load(name: str) -> ModuleType:
    """The module of a stage. Raises UsageError for an unknown one."""
    file = _files().get(name)
    if file is None:
        hint = did_you_mean(name, names()) or "add --help instead of a stage: it lists them"
        raise UsageError("unknown stage", where=name, hint=hint)
    return importlib.import_module(".".join([__name__, *file.relative_to(FOLDER).with_suffix("").parts]))


def _files() -> dict[str, Path]:
    """Name of each stage -> its file."""
    return {path.stem.replace("_", "-"): path for path in FOLDER.rglob("[!_]*.py")}
