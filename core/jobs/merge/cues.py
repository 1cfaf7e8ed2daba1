"""Cues: settings for a range of frames, a scene or a person, from a file of the workspace.

[[cue]]
frames = "120-480"
color = "mkl"

[[cue]]
scene = 3
person = "anna"
erode_top = 12
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import InputError, UsageError, did_you_mean
from core.merge.settings import MergeSettings
from core.safe_files import read_toml
from core.workspace import Workspace

FILE = "convert.toml"
# What says for whom a cue is.
WHERE = ("frames", "scene", "person")
# A cue cannot ask for what no model of this program makes.
_NOT_HERE = ("super_resolution",)
_RANGE = re.compile(r"\s*(\d*)\s*(-?)\s*(\d*)\s*")


@dataclass(frozen=True)
class FaceSettings:
    """How one face is merged. morph: 0..1, of models that have it. swap: False leaves the face as it is."""

    settings: MergeSettings = field(default_factory=MergeSettings)
    morph: float = 1.0
    swap: bool = True


@dataclass(frozen=True)
class Cue:
    """Changes for some faces.

    number: its place in the file, from 1. first, last: frames, both included; None for no limit. scene: from 1.
    changes: names of settings, ``morph`` and ``swap`` -> values. What is None or empty does not choose.
    """

    number: int
    first: int | None = None
    last: int | None = None
    scene: int | None = None
    person: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)

    def means(self, number: int, scene: int, person: str) -> bool:
        """Whether it is for a face. number: of its frame. scene: from 1."""
        return (
            (self.first is None or number >= self.first)
            and (self.last is None or number <= self.last)
            and self.scene in (None, scene)
            and self.person in ("", person)
        )


def find_cues(workspace: Workspace, asked: Path | None) -> Path | None:
    """The file with cues: the one asked for, or that of the workspace if it is there."""
    usual = workspace.root / FILE
    return asked or (usual if usual.exists() else None)


def read_cues(path: Path, base: FaceSettings, *, exact: bool = False) -> tuple[Cue, ...]:
    """The cues of a file, in its order.

    base: what they change. exact: only ``morph`` and ``swap`` mean something.

    Raises:
        InputError: there is no such file.
        CorruptFileError: it is no TOML.
        UsageError: a name is unknown, a value is of another kind or out of its range; the cue's number is said.
    """
    if not path.exists():
        raise InputError("no file with cues", where=path, hint="leave --cues out, or name another file")
    return cues_of(read_toml(path, "damaged cues"), path, base, exact=exact)


def cues_of(table: Mapping[str, Any], path: Path, base: FaceSettings, *, exact: bool = False) -> tuple[Cue, ...]:
    """The cues in the table of a file; arguments and errors as of :func:`read_cues`."""
    cues = table.get("cue", [])
    _require_known("section", table, ("cue",), str(path))
    if not isinstance(cues, list) or not all(isinstance(cue, dict) for cue in cues):
        raise UsageError("cues are written as [[cue]]", where=path)
    return tuple(_cue(values, number, path, base, exact) for number, values in enumerate(cues, start=1))


def settings_of(cues: Iterable[Cue], base: FaceSettings) -> FaceSettings:
    """``base`` with the changes of all of ``cues``; of two changes to one setting the later counts."""
    changes = {name: value for cue in cues for name, value in cue.changes.items()}
    return _changed(base, changes) if changes else base


def known_settings() -> dict[str, Any]:
    """What a cue can set: name -> its default."""
    known = {item.name: _default(item) for item in fields(MergeSettings) if item.name not in _NOT_HERE}
    return known | {"morph": 1.0, "swap": True}


def _cue(values: dict[str, Any], number: int, path: Path, base: FaceSettings, exact: bool) -> Cue:
    where = f"{path}, cue {number}"
    known = known_settings()
    _require_known("setting", values, (*WHERE, *known), where)
    changes = {name: _value(name, values[name], known[name], where) for name in values if name not in WHERE}
    if exact and (others := sorted(changes.keys() - {"morph", "swap"})):
        raise UsageError(
            "with --exact a cue can only say morph and swap", where=where, why=", ".join(others), hint="leave it out"
        )
    try:
        _changed(base, changes)
    except UsageError as error:
        raise UsageError(error.what, where=where, why=str(error.where or ""), hint=error.hint) from None
    first, last = _frames(values.get("frames", ""), where)
    scene = _value("scene", values["scene"], 1, where) if "scene" in values else None
    person = _value("person", values.get("person", ""), "", where)
    return Cue(number, first, last, scene, person, changes)


def _changed(base: FaceSettings, changes: Mapping[str, Any]) -> FaceSettings:
    own = {name: changes[name] for name in ("morph", "swap") if name in changes}
    others = {name: value for name, value in changes.items() if name not in own}
    if not 0 <= own.get("morph", 0) <= 1:
        raise UsageError("morph is out of its range", where=str(own["morph"]), hint="0 to 1")
    return replace(base, settings=replace(base.settings, **others) if others else base.settings, **own)


def _default(item: Any) -> Any:
    return item.default if item.default is not MISSING else item.default_factory()


def _value(name: str, value: Any, default: Any, where: str) -> Any:
    """A value of the file as the kind that ``default`` is."""
    if is_dataclass(default) and not isinstance(default, type):
        if isinstance(value, dict):
            inner = {item.name: _default(item) for item in fields(default)}
            _require_known(f"setting of {name}", value, inner, where)
            return type(default)(**{key: _value(key, value[key], inner[key], where) for key in value})
    elif isinstance(default, tuple):
        if isinstance(value, list) and len(value) == len(default):
            return tuple(_value(name, each, 0.0, where) for each in value)
    elif isinstance(default, bool) or isinstance(value, bool):
        if isinstance(default, bool) and isinstance(value, bool):
            return value
    elif isinstance(default, float) and isinstance(value, int):
        return float(value)
    elif isinstance(value, type(default)):
        return value
    elif isinstance(default, str) and isinstance(value, int):
        return str(value)  # numbers of DeepFaceLab's modes
    raise UsageError(
        f"{name} has a value of another kind", where=where, why=f"it is {value!r}"[:80], hint=_kind(default)
    )


def _kind(default: Any) -> str:
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: 'a text in "quotes"'}
    return kinds.get(type(default), f"such as {default}")


def _frames(value: Any, where: str) -> tuple[int | None, int | None]:
    """First and last frame of ``"120-480"``, ``"120-"``, ``"-480"``, ``120``."""
    found = _RANGE.fullmatch(str(value)) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
    if value == "":
        return None, None
    if found is None or not (found[1] or found[3]):
        raise UsageError("frames are not a range", where=where, why=f"it is {value!r}"[:80], hint='such as "120-480"')
    first = int(found[1]) if found[1] else None
    last = int(found[3]) if found[3] else None if found[2] else first
    if first is not None and last is not None and first > last:
        raise UsageError("a range of frames ends before it begins", where=where, why=str(value)[:80])
    return first, last


def _require_known(what: str, given: Iterable[str], known: Iterable[str], where: str) -> None:
    names = list(known)
    for name in given:
        if name not in names:
            hint = did_you_mean(name, names) or f"there are {', '.join(names)}"
            raise UsageError(f"unknown {what} {name[:60]}", where=where, hint=hint)
