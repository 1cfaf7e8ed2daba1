"""The losses and times of ``metrics.jsonl`` as columns, read on where they were left, and thinned out for a curve."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAMES = ("iter", "src_loss", "dst_loss", "ms", "wait_ms", "held_src", "held_dst")
_AT_ONCE = 8 << 20  # bytes that are read and parsed: the page is answered in between
_SMOOTH = 100


class Metrics:
    """The lines of one file. May be used by several threads."""

    def __init__(self, path: Path):
        self.path = path
        self._lock = threading.Lock()
        self._place, self._file = 0, 0
        # Rows that nobody has asked for yet, and those that somebody has: a tenth of the memory.
        self._new: dict[str, list[list[float]]] = {}
        self._columns: dict[str, NDArray[np.float64]] = {}
        self.newest = ""

    def read_on(self) -> int:
        """Read what is new, of much of it a part; returns how much of the file has been read."""
        with self._lock:
            try:
                status = self.path.stat()
            except FileNotFoundError:
                self._start_anew(0)
                return 0
            # Taking back lines replaces the file.
            if status.st_ino != self._file or status.st_size < self._place:
                self._start_anew(status.st_ino)
            with open(self.path, "rb") as stream:
                if os.fstat(stream.fileno()).st_ino != self._file:
                    return self._place
                stream.seek(self._place)
                data = stream.read(_AT_ONCE)
            whole = data[: data.rfind(b"\n") + 1]
            self._place += len(whole)
            for line in whole.splitlines():
                self._take(line)
            return self._place

    def _start_anew(self, file: int) -> None:
        self._place, self._file = 0, file
        self._new, self._columns, self.newest = {}, {}, ""

    def _take(self, line: bytes) -> None:
        try:
            said = json.loads(line)
            row = [float(said.get(name, np.nan)) for name in NAMES]
        except (ValueError, TypeError, AttributeError, RecursionError):
            return
        self.newest = str(said.get("model", ""))
        self._new.setdefault(self.newest, []).append(row)

    def models(self) -> list[str]:
        return sorted(self._new.keys() | self._columns.keys())

    def columns(self, model: str) -> NDArray[np.float64]:
        """(n, 7), the lines of a model: what ``NAMES`` names; what a line does not say is NaN."""
        with self._lock:
            known = self._columns.get(model, np.empty((0, len(NAMES))))
            new = self._new.pop(model, [])
            if new:
                known = self._columns[model] = np.concatenate([known, np.array(new, np.float64)])
            return known


def curve(rows: NDArray[np.float64], points: int) -> dict[str, Any]:
    """The losses at no more than so many places, for a drawing (JSON values).

    x: iterations. src, dst: means of those around; low and high: the range of each. ms, wait: means of times.
    held: [iterations, src, dst] of held-out faces, all of them.
    """
    if not len(rows):
        return {"x": [], "held": [[], [], []]}
    edges = np.unique(np.linspace(0, len(rows), min(points, len(rows)) + 1).astype(int))
    starts, sizes = edges[:-1], np.diff(edges)
    found: dict[str, Any] = {"x": rows[edges[1:] - 1, 0].astype(int).tolist()}
    for name, column in (("src", 1), ("dst", 2), ("ms", 3), ("wait", 4)):
        found[name] = _rounded(np.add.reduceat(rows[:, column], starts) / sizes)
    for name, column in (("src", 1), ("dst", 2)):
        found[f"{name}_low"] = _rounded(np.minimum.reduceat(rows[:, column], starts))
        found[f"{name}_high"] = _rounded(np.maximum.reduceat(rows[:, column], starts))
    held = rows[np.isfinite(rows[:, 5])]
    found["held"] = [held[:, 0].astype(int).tolist(), _rounded(held[:, 5]), _rounded(held[:, 6])]
    return found


def _rounded(values: NDArray[np.float64]) -> list[float | None]:
    return [round(float(value), 6) if np.isfinite(value) else None for value in values]


def latest(rows: NDArray[np.float64]) -> dict[str, float | None]:
    """Means of the last hundred iterations: losses, milliseconds, and the share of them that waited for data."""
    if not len(rows):
        return {}
    mean = rows[-_SMOOTH:, :5].mean(axis=0)
    share = mean[4] / mean[3] if mean[3] else 0.0
    held = rows[np.isfinite(rows[:, 5])]
    found = {"iter": int(rows[-1, 0]), "src": mean[1], "dst": mean[2], "ms": mean[3], "wait": share}
    if len(held):
        found |= {"held_src": held[-1, 5], "held_dst": held[-1, 6]}
    return {name: round(float(value), 5) if np.isfinite(value) else None for name, value in found.items()}
