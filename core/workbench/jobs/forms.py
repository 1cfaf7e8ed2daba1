"""The form of a stage, made from its ``Options``, and what is wrong with a form that was filled in."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Protocol, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from core.errors import UsageError, did_you_mean
from core.options import Options, flag_name, place_of, plain

_KINDS = {bool: "switch", int: "whole", float: "number", Path: "path", str: "text"}
_LEFT_OUT = frozenset({"debug"})


class Stages(Protocol):
    """The stages that there are; ``core.stages`` is one."""

    def names(self) -> list[str]: ...

    def summary(self, name: str) -> str: ...

    def load(self, name: str) -> ModuleType: ...


class WrongForm(UsageError):
    """A form with faults. fields: name -> what is wrong with it."""

    def __init__(self, fields: Mapping[str, str]):
        super().__init__("some options cannot be", where=", ".join(fields))
        self.fields = dict(fields)


def form(stages: Stages, stage: str) -> dict[str, Any]:
    """What a page needs to draw the form of a stage: groups of fields, the usual ones first (JSON values)."""
    options: type[Options] = stages.load(stage).Options
    fields = {name: field for name, field in options.model_fields.items() if name not in _LEFT_OUT}
    usual = [name for names in options.GROUPS.values() for name in names]
    places = [name for name, field in fields.items() if place_of(field) and name not in usual]
    rest = [name for name in fields if name not in usual and name not in places]
    groups = [("", places, True), *((heading, names, True) for heading, names in options.GROUPS.items())]
    groups.append(("more options" if usual else "options", rest, not usual))
    return {
        "stage": stage,
        "summary": stages.summary(stage),
        "groups": [
            {"heading": heading, "usual": shown, "fields": [_field(name, fields[name]) for name in names]}
            for heading, names, shown in groups
            if names
        ],
    }


def _field(name: str, field: FieldInfo) -> dict[str, Any]:
    kind = plain(field.annotation)
    several = get_origin(kind) is list
    if several:
        (kind,) = get_args(kind)
    choices = list(get_args(kind)) if get_origin(kind) is Literal else []
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return {
        "name": name,
        "label": name.replace("_", " "),
        "flag": flag_name(name),
        "kind": "choice" if choices else _KINDS.get(kind, "text"),
        "several": several,
        "choices": choices,
        "required": field.is_required(),
        "default": None if field.is_required() else _json(field.default),
        "help": field.description or "",
        "fixed": bool(extra.get("fixed")),
        **_limits(field),
    }


def _json(value: Any) -> Any:
    if isinstance(value, list):
        return [_json(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _limits(field: FieldInfo) -> dict[str, float]:
    found = {}
    for item in field.metadata:
        for name, least in (("ge", True), ("gt", True), ("le", False), ("lt", False)):
            if hasattr(item, name):
                found["least" if least else "most"] = getattr(item, name)
    return found


def checked(stages: Stages, stage: str, values: Mapping[str, Any]) -> Options:
    """The options of a stage, filled in.

    Raises:
        WrongForm: with every field that cannot be so. UsageError: there is no such stage.
    """
    options: type[Options] = stages.load(stage).Options
    try:
        return options(**values)
    except ValidationError as error:
        raise WrongForm(_faults(error, options)) from None


def _faults(error: ValidationError, options: type[Options]) -> dict[str, str]:
    faults: dict[str, str] = {}
    for item in error.errors():
        name = str(item["loc"][0]) if item["loc"] else ""
        said = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            said = "there is no such option"
            known = list(options.model_fields)
        else:
            field = options.model_fields.get(name)
            kind = plain(field.annotation) if field else None
            known = [str(choice) for choice in get_args(kind)] if get_origin(kind) is Literal else []
        hint = did_you_mean(str(item.get("input") if item["type"] != "extra_forbidden" else name), known)
        faults.setdefault(name, f"{said}; {hint}" if hint else said)
    return faults


def require_stage(stages: Stages, stage: str, without: frozenset[str]) -> None:
    """Raises UsageError for a stage that there is not, or that a page cannot start."""
    if stage not in stages.names() or stage in without:
        raise UsageError("no such stage", where=stage[:60])
