"""How long the iterations of a training took, over all of its runs."""

import json
import math
from array import array
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.training.session import Session

# Iterations whose time nobody knows count as usual ones, unless there are more than so many.
_MOST_UNKNOWN = 0.1


class TrainingTime:
    """Seconds of every iteration: those of this run as they pass, those of earlier ones from ``metrics.jsonl``."""

    def __init__(self, metrics: Path):
        self._metrics: Path | None = metrics
        # By iteration; a whole training has millions of them.
        self._seconds = array("d", [math.nan])

    def note(self, session: Session) -> None:
        """Remember what the newest iteration took whose losses are known."""
        if session.known > session.begun:
            self._set(session.known, session.spent)

    def passed(self, session: Session, count: int) -> NDArray[np.float64] | None:
        """Seconds that had passed after each of the newest ``count`` iterations; None where too few are known."""
        last = session.known
        if self._metrics is not None:  # now and not at the start, which people wait for
            self._read(self._metrics, session.folder.prefix, last)
            self._metrics = None
        self._set(last, self._seconds[last] if last < len(self._seconds) else math.nan)
        spent = np.array(self._seconds)[last - count + 1 : last + 1]
        unknown = np.isnan(spent)
        if len(spent) < count or unknown.mean() > _MOST_UNKNOWN:
            return None
        spent[unknown] = np.median(spent[~unknown])
        return np.cumsum(spent)

    def _set(self, iteration: int, seconds: float) -> None:
        missing = iteration + 1 - len(self._seconds)
        self._seconds.extend([math.nan] * max(missing, 0))
        self._seconds[iteration] = seconds

    def _read(self, path: Path, model: str, last: int) -> None:
        """Lines of other models, of iterations to come, and what is no line of ours are left out."""
        if not path.is_file():
            return
        with path.open(errors="replace") as stream:
            for line in stream:
                found = _line(line, model)
                if found and 0 < found[0] <= last and not self._known(found[0]):
                    self._set(*found)

    def _known(self, iteration: int) -> bool:
        return iteration < len(self._seconds) and not math.isnan(self._seconds[iteration])


def _line(line: str, model: str) -> tuple[int, float] | None:
    """(iteration, seconds) of a line of metrics."""
    try:
        found = json.loads(line)
        if found.get("model", model) != model:
            return None
        iteration, seconds = int(found["iter"]), float(found["ms"]) / 1000
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return (iteration, seconds) if 0 <= seconds < math.inf else None
