"""Options declared once, as typed fields: flag, environment variable, ``--help`` and documentation come from the field.

A stage declares ``class Options(core.options.Options)`` with pydantic fields. An object built in code has the values it
is given and the defaults, nothing else. ``parse`` reads a command line and, here only, the environment: a flag wins
over ``FORGE_<FIELD>``, and that over the default. ``options.model_fields_set`` tells what a person chose.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, NoReturn, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from core.errors import UsageError, did_you_mean

_WIDE = 40  # of choices that stand beside their flag
SideName = Literal["src", "dst"]
O = TypeVar("O", bound="Options")
T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Marks a field that is given by its place on the command line. flag: or by its flag."""

    flag: bool = False


Positional = Annotated[T, Place()]
PositionalOrFlag = Annotated[T, Place(flag=True)]


class Options(BaseModel):
    """What every stage understands.

    GROUPS: heading -> the usual options below it in ``--help``; the others are in ``--help-all``. Without groups all
    are shown.
    """

    GROUPS: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, protected_namespaces=())

    debug: bool = Field(False, description="show tracebacks and more log lines")


class SideOptions(Options):
    """A stage that works on one side."""

    side: Positional[SideName] = Field(description="which side: src is the face to put in, dst the film it goes into")


def fixed(default: Any, **kwargs: Any) -> Any:
    """A field that belongs to the model once it exists.

    A resumed run takes it from the model; a flag that contradicts it is an error.
    """
    return Field(default, json_schema_extra={"fixed": True}, **kwargs)


def parse(options: type[O], stage: str, arguments: list[str]) -> O:
    """The options of ``stage`` as a person gave them. ``--help`` and ``--help-all`` leave through SystemExit.

    Raises:
        UsageError: for unknown flags, and for bad values of flags or environment variables.
    """
    parser = _Parser(stage, options)
    given = parser.read(_spread_lists(options, arguments))
    environment = _environment(options)
    try:
        return options(**environment | given)
    except ValidationError as error:
        variables = [name for name in environment if name not in given]
        raise _usage_error(error, options, variables) from None


def flag_name(field: str) -> str:
    """``--batch-size``, of the field ``batch_size``."""
    return "--" + field.replace("_", "-")


def variable_name(field: str) -> str:
    """``FORGE_BATCH_SIZE``, of the field ``batch_size``."""
    return "FORGE_" + field.upper()


def place_of(field: FieldInfo) -> Place | None:
    """How the field is given by its place; None where it has a flag only."""
    return next((item for item in field.metadata if isinstance(item, Place)), None)


class _Switch(argparse.BooleanOptionalAction):
    """``--flag`` and ``--no-flag``; help shows the one that changes something, or both where a model keeps either."""

    def __init__(self, option_strings: Sequence[str], dest: str, shown: str, **more: Any):
        super().__init__(option_strings, dest, **more)
        self.shown = shown


class _Help(argparse.HelpFormatter):
    def _format_action_invocation(self, action: argparse.Action) -> str:
        return action.shown if isinstance(action, _Switch) else super()._format_action_invocation(action)


class _Parser(argparse.ArgumentParser):
    """Reads texts by field; what they have to be is the model's to say."""

    def __init__(self, stage: str, options: type[Options]):
        script = os.environ.get("FORGE_SCRIPT", "")
        # The script of a family takes the job and the side from the command line.
        family, _, job = stage.partition(" ")
        of_family = bool(job) and script.endswith(f"/{family}.sh")
        called = f"{script} {job}" if of_family else script
        # What was not given is absent, so that model_fields_set tells what a person chose.
        super().__init__(
            prog=called or f"python -m core {stage}",
            allow_abbrev=False,
            argument_default=argparse.SUPPRESS,
            formatter_class=_Help,
            add_help=False,
            description=(sys.modules[options.__module__].__doc__ or "").partition("\n")[0],
        )
        fields = options.model_fields
        # A script has said the side already.
        said = {"side"} if script and not of_family else set()
        places = [name for name in fields if place_of(fields[name]) and name not in said]
        typed = [_typed(name, fields[name]) for name in places]
        # argparse formats the usage with %.
        self.usage = " ".join([self.prog.replace("%", "%%"), *typed, "[options]"])
        self._add_fields(options, hidden_places=set(fields) - set(places))

    def _add_fields(self, options: type[Options], hidden_places: set[str]) -> None:
        usual = [name for names in options.GROUPS.values() for name in names]
        more = [name for name in options.model_fields if name not in usual]
        for name, field in options.model_fields.items():
            if place_of(field):
                # Upper case keeps it apart from the flag of the same field; read compares the two.
                count = None if field.is_required() else "?"
                if get_origin(plain(field.annotation)) is list:
                    count = "+" if field.is_required() else "*"
                text = argparse.SUPPRESS if name in hidden_places else _help(field)
                self.add_argument(name.upper(), nargs=count, help=text)
        for heading, names in options.GROUPS.items():
            self._add_group(options, heading, names)
        self._rest = self._add_group(options, "more options" if usual else "options", more)
        self._has_groups = bool(usual)
        self._rest.add_argument("-h", "--help", action="help", help="show this help")
        # Without groups it shows the same as --help, and is not mentioned there.
        text = "show all options" if usual else argparse.SUPPRESS
        self._rest.add_argument("--help-all", action=_HelpAll, nargs=0, help=text)

    def _add_group(self, options: type[Options], heading: str, names: Iterable[str]) -> argparse._ArgumentGroup:
        group = self.add_argument_group(heading)
        for name in names:
            field = options.model_fields[name]
            place = place_of(field)
            if place is None or place.flag:
                _add_flag(group, name, field)
        return group

    def format_help(self) -> str:
        """The usual options; a last line tells of the others."""
        if not self._has_groups:
            return super().format_help()
        groups, self._action_groups = self._action_groups, [g for g in self._action_groups if g is not self._rest]
        try:
            return f"{super().format_help()}\n--help-all shows {len(self._rest._group_actions)} more options.\n"
        finally:
            self._action_groups = groups

    def format_all(self) -> str:
        """All options."""
        return super().format_help()

    def read(self, arguments: list[str]) -> dict[str, Any]:
        """Field -> what was given for it."""
        given = vars(self.parse_intermixed_args(arguments))
        by_flag = {key: value for key, value in given.items() if key.islower()}
        by_place = {key.lower(): value for key, value in given.items() if key.isupper()}
        for name in by_place.keys() & by_flag.keys():
            if by_place[name] != by_flag[name]:
                different = f"{name.upper()} is {by_place[name]}, {flag_name(name)} is {by_flag[name]}"
                self.error(f"{different}; they are the same option")
        return by_place | by_flag

    def error(self, message: str) -> NoReturn:
        known = [name for name in self._option_string_actions if name.startswith("--")]
        words = [word.partition("=")[0] for word in message.split() if word.startswith("--")]
        close = [did_you_mean(word, known) for word in words if word not in known]
        raise UsageError(message, hint=next(filter(None, close), ""))


class _HelpAll(argparse.Action):
    def __call__(self, parser: Any, *_: Any) -> None:
        parser._print_message(parser.format_all(), sys.stdout)
        parser.exit()


def _typed(name: str, field: FieldInfo) -> str:
    """How a positional argument stands in the usage: choices as they are typed."""
    choices = get_args(plain(field.annotation)) if get_origin(plain(field.annotation)) is Literal else ()
    text = "|".join(map(str, choices)) or name.upper()
    return text if field.is_required() else f"[{text}]"


def _add_flag(group: argparse._ArgumentGroup, name: str, field: FieldInfo) -> None:
    how: dict[str, Any] = {"metavar": _metavar(field.annotation)}
    kind = plain(field.annotation)
    if kind is bool:
        how = {"action": _Switch, "shown": _shown_switch(name, field)}
    elif get_origin(kind) is list:
        how |= {"action": "extend", "type": _at_commas if get_args(kind) == (str,) else _alone}
    group.add_argument(flag_name(name), dest=name, help=_help(field), **how)


def _shown_switch(name: str, field: FieldInfo) -> str:
    if field.default is False:
        return flag_name(name)
    return flag_name(f"[no-]{name}")


def _spread_lists(options: type[Options], arguments: list[str]) -> list[str]:
    """``--list a b`` as ``--list a --list b``, for flags that take several values.

    Only after the positional arguments, which would be taken for more.
    """
    fields = options.model_fields.items()
    flags = {flag_name(name) for name, field in fields if get_origin(plain(field.annotation)) is list}
    places = [name for name, field in fields if place_of(field)]
    if any(argument.startswith("-") for argument in arguments[: len(places)]):
        return arguments
    spread: list[str] = []
    flag, values = "", 0
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        flag, values = (name, len(equals)) if argument.startswith("-") else (flag, values + 1)
        spread += [flag, argument] if flag in flags and values > 1 else [argument]
    return spread


def _at_commas(text: str) -> list[str]:
    return [item.strip() for item in text.split(",")]


def _alone(text: str) -> list[str]:
    """A path may have commas in its name."""
    return [text]


def _environment(options: type[Options]) -> dict[str, Any]:
    """Field -> the value of its variable, where there is one. A list is written as in JSON."""
    found: dict[str, Any] = {}
    for name, field in options.model_fields.items():
        text = os.environ.get(variable_name(name))
        if text is not None:
            found[name] = _json(text) if get_origin(plain(field.annotation)) is list else text
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text  # the model says what is wrong with it


def plain(annotation: Any) -> Any:
    """An annotation without None and validators: ``int``, of ``int | None``."""
    if get_origin(annotation) is Annotated:
        return plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
        return plain(kinds[0]) if len(kinds) == 1 else annotation
    return annotation


def _metavar(annotation: Any) -> str:
    """What ``--help`` shows in place of a value: ``N``, ``{src,dst}``."""
    kind = plain(annotation)
    if get_origin(kind) is list:
        return _metavar(get_args(kind)[0])
    if get_origin(kind) is Literal:
        return _choices(kind) if len(_choices(kind)) <= _WIDE else "KIND"
    return {int: "N", float: "X", str: "NAME", Path: "PATH"}.get(kind, kind.__name__.upper())


def _choices(kind: Any) -> str:
    return "{" + ",".join(map(str, get_args(kind))) + "}"


def _help(field: FieldInfo) -> str:
    text = field.description or ""
    kind = plain(field.annotation)
    if get_origin(kind) is Literal and len(_choices(kind)) > _WIDE:
        text += f"; one of {', '.join(map(str, get_args(kind)))}"
    if isinstance(field.default, bool):
        text += " (default: on)" if field.default else ""
    elif field.default not in (None, [], "") and not field.is_required():
        text += f" (default: {field.default})"
    # argparse formats the help with %.
    return text.replace("%", "%%")


def _usage_error(error: ValidationError, options: type[Options], variables: list[str]) -> UsageError:
    """What is wrong, by the names that a person typed. variables: the fields that come from the environment."""
    faults = []
    for item in error.errors():
        field = str(item["loc"][0]) if item["loc"] else ""
        said = item["msg"].removeprefix("Value error, ")
        received = f" (received {item['input']!r})" if field else ""
        faults.append(f"{_name(options, field, variables)}: {said}{received}")
    return UsageError("wrong option", where="; ".join(faults))


def _name(options: type[Options], field: str, variables: list[str]) -> str:
    if field not in options.model_fields:
        return "options"
    if field in variables:
        return variable_name(field)
    return field.upper() if place_of(options.model_fields[field]) else flag_name(field)
