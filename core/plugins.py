"""Plugins of ``core/faces`` by file name. Listing imports nothing.

``core/faces/contract.py`` says what each kind is and how to add one.
"""

import ast
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Literal

from core.errors import UsageError

Kind = Literal["detectors", "landmarkers", "embedders", "maskers"]
_FOLDER = Path(__file__).parent / "faces"


def names(kind: Kind) -> list[str]:
    """The names of the plugins of a kind."""
    return sorted(module.name for module in pkgutil.iter_modules([str(_FOLDER / kind)]))


def summary(kind: Kind, name: str) -> str:
    """The first line of a plugin's docstring."""
    # Read, not imported: importing a plugin loads the runtime of its network, and --help has to answer at once.
    source = (_FOLDER / kind / f"{name}.py").read_text()
    return (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]


def described(kind: Kind) -> str:
    """All plugins of a kind in one line, each with its summary."""
    return "; ".join(f"{name}: {summary(kind, name)}" for name in names(kind))


def load(kind: Kind, name: str) -> ModuleType:
    """The module of a plugin.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in names(kind):
        raise UsageError(f"unknown {kind[:-1]}", where=name, hint=f"there is {described(kind)}")
    return importlib.import_module(f"core.faces.{kind}.{name}")
