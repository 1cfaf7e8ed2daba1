"""How the numbers of faces are spread, for the filters."""

from typing import Any

import numpy as np

from core.workbench.sides.table import FaceTable

BINS = 32


def spreads(table: FaceTable) -> dict[str, Any]:
    """Column -> its ends, and how many faces are in each of 32 equal parts between them (JSON values)."""
    found = {}
    for name, column in {"frame": table.frames.astype(np.float32), **table.numbers}.items():
        known = np.asarray(column[np.isfinite(column)], np.float64)
        if len(known):
            low, high = float(known.min()), float(known.max())
            bins, _ = np.histogram(known, BINS, (low, high) if low < high else (low, low + 1))
            found[name] = {"low": low, "high": high, "bins": bins.tolist(), "known": len(known)}
    return found
