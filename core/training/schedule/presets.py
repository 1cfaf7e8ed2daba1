"""Presets as TOML files: the options of a new model and the phases of its training.

A preset has a ``description``, a table ``[options]`` and any number of tables ``[[phase]]``. A phase ends at
iteration ``until`` (the last one may stay open), and what else it says are options that hold while it lasts;
``reinit`` names parts of the networks that start anew when it begins, and again every ``reinit_every`` iterations.
An option that a phase does not name has the model's own value there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from core.errors import CorruptFileError, InputError, PipelineError, UsageError
from core.safe_files import read_toml
from core.training.recipe import FIXED, SAVED, Recipe

FOLDER = Path(__file__).parent / "presets"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
END = "none"
RATE = "learning_rate"
# Pretraining counts iterations of its own; where to stop is what the phases say.
_NOT_IN_A_PRESET = {"pretrain", "target_iter"}
_NOT_IN_A_PHASE = {*_NOT_IN_A_PRESET, *FIXED, "autobackup_hour", "write_preview_history"}
_SHOWN = 80
_KEYS = ("name", "description", "options", "phase")
_OWN_KEYS_OF_A_PHASE = ("until", "reinit", "reinit_every")


class _Values(Recipe):
    """What a preset can set: values of the recipe, and the learning rate."""

    learning_rate: float = Field(5e-5, gt=0, le=1e-2)


@dataclass(frozen=True)
class Phase:
    """A part of a training.

    until: the iteration at which the next one begins, None for never.
    options: what holds meanwhile, by field of the recipe, and ``learning_rate``.
    reinit: parts of the networks that start anew when it begins.
    reinit_every: iterations until they start anew again, 0 for never.
    """

    until: int | None
    options: dict[str, Any] = field(default_factory=dict)
    reinit: tuple[str, ...] = ()
    reinit_every: int = 0

    def plain(self) -> dict[str, Any]:
        """As a table of the file."""
        own = {"until": self.until, "reinit": list(self.reinit), "reinit_every": self.reinit_every}
        return {name: value for name, value in own.items() if value} | self.options


@dataclass(frozen=True)
class Preset:
    """Options and phases under a name.

    options: of a new model that are not given otherwise.
    phases: in order; none end the schedule of a model.
    """

    name: str
    description: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    phases: tuple[Phase, ...] = ()

    def plain(self) -> dict[str, Any]:
        """As in the file, for :func:`from_plain`."""
        return {
            "name": self.name,
            "description": self.description,
            "options": self.options,
            "phase": [phase.plain() for phase in self.phases],
        }

    @property
    def scheduled(self) -> frozenset[str]:
        """The options that any phase sets."""
        return frozenset(name for phase in self.phases for name in phase.options)

    @property
    def end(self) -> int:
        """The iteration where the last phase ends, 0 if it stays open."""
        return (self.phases[-1].until or 0) if self.phases else 0


def find(name: str) -> Preset:
    """The built-in preset of that name, the one in a file (a path, or a name with .toml), or an empty one for ``none``.

    Raises:
        UsageError: there is none of that name.
        InputError: the file is missing, or makes no sense.
    """
    if name == END:
        return Preset(END)
    if name in NAMES:
        return read(FOLDER / f"{name}.toml")
    if not name.endswith(".toml") and "/" not in name:
        raise UsageError(
            "no such preset",
            where=f"--preset {name}",
            hint=f"built in are {', '.join(NAMES)}; {END} ends a schedule; or give a file.toml",
        )
    return read(Path(name).expanduser())


def read(path: Path) -> Preset:
    """The preset in a file, validated as far as it can be without a model.

    Raises:
        InputError: the file is missing, or makes no sense.
    """
    if not path.exists():
        raise InputError("no such preset file", where=path, hint=f"built in are {', '.join(NAMES)}")
    try:
        raw = read_toml(path, "no TOML file")
    except CorruptFileError as error:
        raise InputError("cannot read the preset", where=path, why=error.why, hint="a preset is a TOML file") from None
    return from_plain({"name": path.stem, **raw}, str(path))


def from_plain(raw: Mapping[str, Any], where: str) -> Preset:
    """The preset of what a TOML file or a save holds.

    Raises:
        InputError: it makes no sense; the error names ``where``, the phase and the key.
    """
    _require_tables(raw, where)
    options = _values(raw.get("options", {}), f"{where}, [options]", forbidden=_NOT_IN_A_PRESET)
    tables = enumerate(raw.get("phase", []), 1)
    phases = tuple(_phase(table, f"{where}, phase {number}") for number, table in tables)
    _require_order(phases, where)
    return Preset(str(raw.get("name", "")), str(raw.get("description", "")), options, phases)


def _require_tables(raw: Mapping[str, Any], where: str) -> None:
    options, tables = raw.get("options", {}), raw.get("phase", [])
    listed = isinstance(tables, list) and all(isinstance(table, dict) for table in tables)
    unknown = [key for key in raw if key not in _KEYS]
    why = ""
    if unknown:
        why = f"unknown: {', '.join(unknown)}"
    elif not isinstance(options, dict) or not listed:
        why = "options must be a table and phase a list of tables"
    if why:
        raise _senseless(where, why, hint="it has a description, one table [options], and tables [[phase]]")


def _phase(table: Mapping[str, Any], where: str) -> Phase:
    options = {key: value for key, value in table.items() if key not in _OWN_KEYS_OF_A_PHASE}
    until, every = _count(table, "until", where), _count(table, "reinit_every", where)
    reinit = table.get("reinit", [])
    if not isinstance(reinit, list) or not all(isinstance(name, str) for name in reinit):
        raise _senseless(f"{where}, reinit", "it must be a list of names", hint='such as reinit = ["inter_AB"]')
    if every and not reinit:
        raise _senseless(f"{where}, reinit_every", "there is no reinit beside it that says what starts anew")
    return Phase(until, _values(options, where, forbidden=_NOT_IN_A_PHASE), tuple(reinit), every or 0)


def _count(table: Mapping[str, Any], key: str, where: str) -> int | None:
    value = table.get(key)
    # bool first: true of a TOML file is an int in Python.
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise _senseless(
            f"{where}, {key}",
            f"{value!r} is not a number of iterations",
            hint="a whole number from 1 on, such as 100_000",
        )
    return value


def _require_order(phases: tuple[Phase, ...], where: str) -> None:
    before, hint = 0, "until is the iteration at which the next phase begins; they must rise"
    for number, phase in enumerate(phases, 1):
        here = f"{where}, phase {number}, until"
        if phase.until is None and number < len(phases):
            raise _senseless(here, "it is missing, and only the last phase may be without it", hint=hint)
        if phase.until is not None and phase.until <= before:
            raise _senseless(here, f"{phase.until} does not come after {before}", hint=hint)
        before = phase.until or before


def _values(raw: Mapping[str, Any], where: str, forbidden: set[str]) -> dict[str, Any]:
    """The values as the recipe takes them."""
    for name in raw:
        why = _why_not(name, forbidden)
        if why:
            raise _senseless(f"{where}, {name}", why)
    try:
        sound = _Values(**raw)
    except ValidationError as error:
        fault = error.errors()[0]
        given = str(fault["input"])[:_SHOWN]
        raise _senseless(f"{where}, {fault['loc'][0]}", f"{fault['msg']} (it is {given!r})") from None
    return {name: getattr(sound, name) for name in raw}


def _why_not(name: str, forbidden: set[str]) -> str:
    """Why an option cannot be set there; empty if it can."""
    if name not in forbidden and name in (*SAVED, RATE):
        return ""
    if name in FIXED:
        return "it fixes the networks and cannot change"
    return "it cannot be set there" if name in forbidden else "there is no such option"


def _senseless(where: str, why: str, hint: str = "docs/options.md lists the options and their ranges") -> PipelineError:
    return InputError("the preset has a mistake", where=where, why=why, hint=hint)
