"""One progress bar for all stages: on a terminal it redraws, in a log file it writes a line now and then."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress(items: Iterable | None = None, **kwargs: Any) -> tqdm:
    """``tqdm`` on stderr with an ETA; keyword arguments as there (total, desc, unit, initial)."""
    interval = 0.2 if sys.stderr.isatty() else 10.0
    return tqdm(
        items,
        file=sys.stderr,
        mininterval=interval,
        maxinterval=interval * 2,
        dynamic_ncols=True,
        smoothing=0.05,
        **kwargs,
    )
