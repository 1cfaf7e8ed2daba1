"""One file a stage: its docstring's first line is shown in the list, ``Options`` are its flags, ``run`` does it.

The folders are those of ``core/jobs``; a stage is called by the name of its file alone, but for a family, whose stages
are called by two words: ``bash scripts/alignments.sh draw``. Modules here import nothing heavy at the top, so that
``--help`` answers at once; ``run`` imports what it needs.
"""

import ast
import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from core.errors import UsageError, did_you_mean

FOLDER = Path(__file__).parent
# Folder -> what its stages do, for the list.
FAMILIES = {"alignments": "jobs on faces.db, where all faces are written down: one more word says which job"}


def names() -> list[str]:
    """The stages, as typed on the command line; imports none of them."""
    return sorted(_files())


def split(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The name of the stage that begins the arguments, and what follows. Raises UsageError for half a name."""
    first, rest = arguments[0], list(arguments[1:])
    if first not in FAMILIES:
        return first, rest
    if not rest or rest[0].startswith("-"):
        jobs = ", ".join(name.removeprefix(f"{first} ") for name in names() if name.startswith(f"{first} "))
        raise UsageError("which job?", where=first, hint=f"one of: {jobs}")
    return f"{first} {rest[0]}", rest[1:]


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
    return {_name(path): path for path in FOLDER.rglob("[!_]*.py")}


def _name(path: Path) -> str:
    # A trailing underscore keeps a name apart from a word of the language: import_.py.
    name = path.stem.rstrip("_").replace("_", "-")
    family = path.relative_to(FOLDER).parts[0]
    return f"{family} {name}" if family in FAMILIES else name
