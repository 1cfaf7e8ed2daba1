"""What a training run keeps of itself beside the weights: a JSON object."""

from pathlib import Path
from typing import Any

from core.safe_files import read_object


def read_state(path: Path | None) -> dict[str, Any]:
    """A JSON object; empty when there is no file.

    Raises:
        CorruptFileError: it is damaged.
    """
    return {} if path is None else read_object(path, "cannot read the state of a training run")
