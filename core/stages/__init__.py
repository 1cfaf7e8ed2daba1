"""One file a stage: its docstring's first line is shown in the list, ``Options`` are its flags, ``run`` does it.

Modules here import nothing heavy at the top, so that ``--help`` answers at once; ``run`` imports what it needs.
"""

import ast
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

from core.errors import UsageError


def names() -> list[str]:
    """The stages, as typed on the command line; imports none of them."""
    return [module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)]


def summary(name: str) -> str:
    """The first line of a stage's docstring, read without importing it."""
    source = (Path(__path__[0]) / f"{name.replace('-', '_')}.py").read_text()
    return (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]


def load(name: str) -> ModuleType:
    """The module of a stage. Raises UsageError for an unknown one."""
    if name not in names():
        raise UsageError("unknown stage", where=name, hint="python -m core lists the stages")
    return importlib.import_module(f"core.stages.{name.replace('-', '_')}")
