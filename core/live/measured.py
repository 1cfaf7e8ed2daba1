"""What the player measures of itself, over the last few seconds."""

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.live.frames import Shown

_KEPT = 150  # pictures


@dataclass
class Measured:
    """Numbers of a running player; may be asked from any thread.

    frames: how many were shown. faces: frames with a swapped face. damaged: pictures that could not be read.
    """

    frames: int = 0
    faces: int = 0
    damaged: int = 0
    _last: deque[tuple[float, float, dict[str, float]]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, shown: Shown, now: float) -> None:
        """A picture has come out. now: of ``time.perf_counter``."""
        with self._lock:
            self.frames += 1
            self.faces += shown.faces > 0
            self._last.append((now, (now - shown.moment) * 1000, dict(shown.stages)))

    def numbers(self) -> dict[str, Any]:
        """``frames``, ``fps``; ``latency_ms`` and ``latency_p95_ms`` from capture to output; ``stages``: name ->
        median milliseconds. Zeros before the second picture.
        """
        with self._lock:
            last = list(self._last)
        if len(last) < 2:
            return {"frames": self.frames, "fps": 0.0, "latency_ms": 0.0, "latency_p95_ms": 0.0, "stages": {}}
        passed = last[-1][0] - last[0][0]
        latency = [item[1] for item in last]
        names = last[-1][2]
        return {
            "frames": self.frames,
            "fps": round((len(last) - 1) / max(passed, 1e-9), 1),
            "latency_ms": round(float(np.median(latency)), 1),
            "latency_p95_ms": round(float(np.percentile(latency, 95)), 1),
            "stages": {name: round(float(np.median([x[2].get(name, 0) for x in last])), 1) for name in names},
        }
