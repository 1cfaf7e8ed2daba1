"""The computer as the header of the page shows it: disk and card."""

import shutil
import subprocess
import threading
import time
from typing import Any

from core.jobs import doctor
from core.workspace import Workspace

_EVERY = 3.0  # seconds
_PATIENCE = 5.0
_QUERY = "name,utilization.gpu,memory.used,memory.total,temperature.gpu"


def disk(workspace: Workspace, reserve: int) -> dict[str, Any]:
    """Bytes of the disk of the workspace. short: whether less is free than is kept in reserve."""
    usage = shutil.disk_usage(doctor.disk(workspace).folder)
    return {"free": usage.free, "total": usage.total, "reserve": reserve, "short": usage.free < reserve}


class Cards:
    """What the NVIDIA driver says of its cards, asked at most every few seconds."""

    def __init__(self) -> None:
        self._there = shutil.which("nvidia-smi") is not None
        self._lock = threading.Lock()
        self._asked = 0.0
        self._cards: list[dict[str, Any]] = []

    def now(self) -> list[dict[str, Any]]:
        """name; use in percent; used and total MiB of memory; degrees Celsius. What a card does not say is None."""
        if not self._there:
            return []
        with self._lock:
            if time.monotonic() - self._asked > _EVERY:
                self._cards = _cards()
                self._asked = time.monotonic()
            return self._cards


def _cards() -> list[dict[str, Any]]:
    command = ["nvidia-smi", f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = done.stdout.splitlines() if done.returncode == 0 else []
    rows = [line.split(", ") for line in lines]
    return [_card(row) for row in rows if len(row) == 5]


def _card(row: list[str]) -> dict[str, Any]:
    use, used, total, temperature = (int(text) if text.strip().isdigit() else None for text in row[1:])
    return {"name": row[0], "use": use, "used": used, "total": total, "temperature": temperature}
