"""Write docs/options.md from the fields of every stage: ``python docs/make_options.py``. A test keeps it up to date."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pydantic.fields import FieldInfo

from core import stages
from core.options import Options, flag_name, place_of

HEAD = """# Options

Made from the code by `python docs/make_options.py`; do not edit.

Each flag can also be given as an environment variable: `FORGE_` and its name in capitals, dashes as underscores. Switches have a `--no-` form.
*fixed* means: belongs to the model once it exists. All stages also understand `--help` and `--debug`.
"""


def page() -> str:
    return "\n".join([HEAD, *(section(name) for name in stages.names())])


def section(name: str) -> str:
    options: type[Options] = stages.load(name).Options
    rows = [row(field, info) for field, info in options.model_fields.items() if field != "debug"]
    table = ["| flag | default | range | meaning |", "|---|---|---|---|", *rows] if rows else ["No options."]
    return "\n".join([f"## {name}", "", stages.summary(name), "", *table, ""])


def row(field: str, info: FieldInfo) -> str:
    place = place_of(info)
    names = [f"`{field.upper()}`"] if place else []
    if place is None or place.flag:
        names.append(f"`{flag_name(field)}`")
    default = "required" if info.is_required() else "" if info.default is None else f"`{info.default}`"
    fixed = " *(fixed)*" if isinstance(info.json_schema_extra, dict) and info.json_schema_extra.get("fixed") else ""
    return f"| {', '.join(names)} | {default} | {limits(info)} | {info.description or ''}{fixed} |".replace("\n", " ")


def limits(info: FieldInfo) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "multiple_of": "multiple of"}
    bounds = [
        f"{sign} {value:g}"
        for item in info.metadata
        for key, sign in signs.items()
        if (value := getattr(item, key, None)) is not None
    ]
    choices = [f"`{value}`" for value in literals(info.annotation)]
    return ", ".join(bounds or choices)


def literals(annotation: object) -> list:
    from typing import Literal, get_args, get_origin

    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [value for part in get_args(annotation) for value in literals(part)]


if __name__ == "__main__":
    (Path(__file__).parent / "options.md").write_text(page())
