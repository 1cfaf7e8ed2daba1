"""What a training run keeps of itself beside the weights: a JSON object, and a summary for people."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from core.checkpoints.model_folder import Write
from core.safe_files import read_object

STATE, SUMMARY = "forge.json", "summary.txt"


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
    return {} if path is None else read_object(path, "cannot read the state of a training run")
