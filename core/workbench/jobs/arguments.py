"""The arguments of a command line that give a stage the options that were filled in: a list, never a text."""

from typing import Any

from core.errors import UsageError
from core.options import Options, flag_name, place_of


def arguments_of(stage: str, options: Options) -> list[str]:
    """Name of the stage and what was chosen, so that ``core.options.parse`` gives the same options.

    Raises:
        UsageError: a value that is given by its place looks like a flag.
    """
    places: list[str] = []
    flags: list[str] = []
    for name, field in type(options).model_fields.items():
        if name not in options.model_fields_set:
            continue
        value = getattr(options, name)
        place = place_of(field)
        if place is not None and not place.flag:
            places += _by_place(name, value)
        else:
            flags += _by_flag(name, value)
    return [*stage.split(), *places, *flags]


def _by_place(name: str, value: Any) -> list[str]:
    texts = [str(item) for item in value] if isinstance(value, list) else [str(value)]
    for text in texts:
        if text.startswith("-"):
            raise UsageError("this could be taken for an option", where=f"{name}: {text[:40]}", hint="begin it with ./")
    return texts


def _by_flag(name: str, value: Any) -> list[str]:
    flag = flag_name(name)
    if value is None:
        return []
    if isinstance(value, bool):
        return [flag if value else f"--no-{flag.removeprefix('--')}"]
    # With an equals sign: a value may begin with a dash.
    return [f"{flag}={item}" for item in (value if isinstance(value, list) else [value])]
