"""What a training run keeps of itself beside the weights: a JSON object."""

import json
from pathlib import Path
from typing import Any

from core.errors import CorruptFileError


def read_state(path: Path | None) -> dict[str, Any]:
    """A JSON object; empty when there is no file.

    Raises:
        CorruptFileError: it is damaged.
    """
    if path is None:
        return {}
    try:
        state = json.loads(path.read_text())
        if not isinstance(state, dict):
            raise ValueError("it holds no names with values")
    except (OSError, ValueError) as error:
        raise CorruptFileError("cannot read the state of a training run", where=path, why=str(error)) from None
    return state
