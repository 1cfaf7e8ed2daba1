"""What a training run keeps of itself beside the weights: a JSON object, and a summary for people."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.checkpoints.model_folder import Write
from core.safe_files import damaged, read_object

STATE, SUMMARY = "forge.json", "summary.txt"
_WHAT = "cannot read the state of a training run"


def state_writer(state: Mapping[str, Any]) -> Write:
    """Writes ``state`` as JSON that ``read_state`` reads."""
    return text_writer(json.dumps(state, indent=1) + "\n")


def text_writer(text: str) -> Write:
    """Writes ``text`` into a binary file."""

    def write(stream: IO[bytes]) -> None:
        stream.write(text.encode())

    return write


def read_state(path: Path | None) -> dict[str, Any]:
    """A JSON object; empty when there is no file.

    Raises:
        CorruptFileError: it is damaged.
    """
    return {} if path is None else read_object(path, _WHAT)


class _RunState(BaseModel):
    """What ``forge.json`` of a model may hold, and within which bounds."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)
    seed: int = Field(0, ge=0, lt=2**31)
    exact: bool = False
    rate: float = Field(1.0, gt=0, le=1e6)
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    ema: float = Field(0.0, ge=0, lt=1)
    devices: int = Field(1, ge=1, le=64)
    parts: int = Field(1, ge=1, le=64)
    warp_on_device: bool = False
    faces: str = Field("", max_length=200)
    held_out: int = Field(0, ge=0, le=10_000)
    held: list[Annotated[list[float], Field(min_length=3, max_length=3)]] = []
    schedule: dict[str, Any] = {}


def read_run_state(path: Path | None) -> dict[str, Any]:
    """The state of a model: what there is of the fields of ``_RunState``.

    Raises:
        CorruptFileError: it is damaged, or a value is none that it could have.
    """
    return validated(read_state(path), _RunState, path or Path())


def validated(values: Mapping[str, Any], bounds: type[BaseModel], where: Path) -> dict[str, Any]:
    """What there is of the fields of ``bounds``. Raises CorruptFileError for a value that no run can have written."""
    try:
        return bounds.model_validate(values).model_dump(exclude_unset=True)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise damaged(_WHAT, where, ValueError(f"{name}: {first['msg']}")) from None
