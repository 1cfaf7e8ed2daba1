"""Sort methods, one a file: the file's name is the method's, its docstring's first line its help, ``rank(features, choices)`` its work.

``NUMBER`` is the number in the menu that people know, ``ALIASES`` are names used elsewhere. Listing reads the sources and imports nothing.
"""

import ast
import importlib
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType

from core.errors import UsageError


@cache
def catalogue() -> dict[str, dict]:
    """Name -> {"help": str, "number": int | None, "aliases": tuple}, numbered methods first."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        tree = ast.parse((Path(__path__[0]) / f"{module.name}.py").read_text())
        constants = {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body if _is_constant(node)}  # type: ignore[attr-defined]
        found[module.name.replace("_", "-")] = {
            "help": (ast.get_docstring(tree) or "").split("\n")[0],
            "number": constants.get("NUMBER"),
            "aliases": constants.get("ALIASES", ()),
        }
    return dict(sorted(found.items(), key=lambda item: (item[1]["number"] is None, item[1]["number"] or 0, item[0])))


def _is_constant(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("NUMBER", "ALIASES")
    )


def names() -> list[str]:
    """The methods, as typed on the command line."""
    return list(catalogue())


def resolve(text: str) -> str:
    """The method's name from its name, number or alias. Raises UsageError for an unknown one."""
    wanted = text.strip().lower().replace("_", "-")
    for name, entry in catalogue().items():
        if wanted in (name, str(entry["number"]), *entry["aliases"]):
            return name
    raise UsageError("unknown sort method", where=f"--by {text}", hint=f"one of {listing()}")


def listing() -> str:
    """All methods in one line, numbers in front."""
    return ", ".join(
        name if entry["number"] is None else f"{entry['number']} {name}" for name, entry in catalogue().items()
    )


def load(text: str) -> ModuleType:
    """The method's module."""
    return importlib.import_module(f"core.faceset.sorting.{resolve(text).replace('-', '_')}")
