"""Options declared once, as typed fields: flag, environment variable, saved JSON, ``--help`` and docs come from the field.

A stage declares ``class Options(core.options.Options)`` with pydantic fields. Precedence: flag, then the environment
variable ``FORGE_<FIELD>``, then the default. ``options.model_fields_set`` tells what a person chose.
"""

from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    CliApp,
    CliPositionalArg,
    CliSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from core.errors import UsageError

SideName = Literal["src", "dst"]
O = TypeVar("O", bound="Options")
_POSITIONAL = get_args(CliPositionalArg[str])[1]


class Options(BaseSettings):
    """What every stage understands."""

    model_config = SettingsConfigDict(
        env_prefix="FORGE_",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
        extra="forbid",
        frozen=True,
        validate_default=True,
        protected_namespaces=(),
    )
    debug: bool = Field(False, description="show tracebacks and more log lines")


class SideOptions(Options):
    """A stage that works on one side."""

    side: CliPositionalArg[SideName] = Field(
        description="which side: src is the face to put in, dst the film it goes into"
    )


def fixed(default: Any, **kwargs: Any) -> Any:
    """A field that belongs to the model once it exists: a resumed run takes it from the model, a conflicting flag is an error."""
    return Field(default, json_schema_extra={"fixed": True}, **kwargs)


def parse(options: type[O], stage: str, arguments: list[str]) -> O:
    """Read ``arguments`` into ``options``. Raises UsageError for unknown flags and bad values; ``--help`` leaves through SystemExit."""
    source: CliSettingsSource = CliSettingsSource(
        options, cli_prog_name=f"python -m core {stage}", cli_exit_on_error=False
    )
    try:
        return CliApp.run(options, cli_args=_spread_lists(options, arguments), cli_settings_source=source)
    except SettingsError as error:
        raise UsageError(str(error).removeprefix("error parsing CLI: "), hint=_hint(stage)) from None
    except ValidationError as error:
        raise usage_error(error, options, stage) from None


def _spread_lists(options: type[Options], arguments: list[str]) -> list[str]:
    """``--list a b`` as ``--list a --list b``, for flags that take several values. Only after the positional arguments, which would be taken for more."""
    flags = {
        "--" + name.replace("_", "-")
        for name, field in options.model_fields.items()
        if get_origin(field.annotation) is list
    }
    positional = sum(_POSITIONAL in field.metadata for field in options.model_fields.values())
    if any(argument.startswith("-") for argument in arguments[:positional]):
        return arguments
    spread: list[str] = []
    flag, values = "", 0
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        flag, values = (name, len(equals)) if argument.startswith("-") else (flag, values + 1)
        spread += [flag, argument] if flag in flags and values > 1 else [argument]
    return spread


def usage_error(error: ValidationError, options: type[Options], stage: str) -> UsageError:
    """The validation error in the words of the command line."""
    lines = []
    for item in error.errors():
        field = str(item["loc"][0]) if item["loc"] else "options"
        name = field.upper() if is_positional(options, field) else f"--{field.replace('_', '-')}"
        lines.append(
            f"{name}: {item['msg'].removeprefix('Value error, ')}"
            + (f" (received {item['input']!r})" if item["type"] != "missing" else "")
        )
    return UsageError("wrong option", where="; ".join(lines), hint=_hint(stage))


def is_positional(options: type[Options], field: str) -> bool:
    """Whether the field is given by its place instead of a flag."""
    return field in options.model_fields and any(
        "CliPositional" in str(item) for item in options.model_fields[field].metadata
    )


def _hint(stage: str) -> str:
    return f"python -m core {stage} --help lists the options and their ranges"
