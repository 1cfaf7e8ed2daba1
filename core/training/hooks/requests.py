"""What is asked of a run while it trains: save, draw a preview, other numbers. A file says it, as ``STOP`` does."""

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.training.hooks.base import BaseHook
from core.training.session import Session

log = logging.getLogger(__name__)
_LARGEST = 10_000  # bytes
Act = Callable[[Session, Any], None]


class Requests(BaseHook):
    """Does what the JSON object in ``path`` asks for, name -> value, and takes the file away.

    A wrong value is named in the log and changes nothing: no request ends a run.

    acts: what there is to ask for.
    """

    def __init__(self, path: Path, acts: Mapping[str, Act]):
        self._path, self._acts = path, acts

    def after_step(self, session: Session, batch: Any) -> None:
        if not self._path.exists():
            return
        asked = _read(self._path)
        self._path.unlink(missing_ok=True)
        for name, value in asked.items():
            try:
                self._acts[name](session, value)
                log.info("asked for while training: %s %s", name.replace("_", " "), value)
            except (KeyError, TypeError, ValueError) as error:
                log.warning("asked for while training, and left out: %s %s (%s)", name, str(value)[:80], error)


def _read(path: Path) -> dict[str, Any]:
    try:
        with open(path, "rb") as stream:
            asked = json.loads(stream.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        log.warning("%s is no JSON object, and left out", path.name)
        return {}
    return asked


def within(value: Any, least: float, most: float) -> float:
    """The number. Raises ValueError for none, or one that is too small or too large."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ValueError(f"it has to be a number from {least:g} to {most:g}")
    return value
