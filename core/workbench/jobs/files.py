"""What is kept of a job in its folder, so that a new server knows it: what was asked for, and how it ended."""

import json
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from core.errors import InputError
from core.fsio import lock, write_bytes
from core.safe_paths import own_folder

State = Literal["waiting", "running", "done", "failed", "stopped", "killed", "cancelled"]
OVER: frozenset[State] = frozenset({"done", "failed", "stopped", "killed", "cancelled"})
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
# Of a log that a page gets at once.
LOG_BYTES = 256 << 10


@dataclass(frozen=True)
class Job:
    """A stage that was asked for.

    id: begins with the time. values: as they were filled in. arguments: of ``python -m core``.
    after: id of the job that has to end well before; empty for none. takes_over: that one is stopped for it.
    note: why it did not run, or was stopped.
    created, started, ended: seconds since 1970, 0 for not yet. code: its exit code.
    """

    id: str
    stage: str
    arguments: tuple[str, ...]
    values: dict[str, Any] = field(default_factory=dict)
    after: str = ""
    takes_over: bool = False
    state: State = "waiting"
    note: str = ""
    created: float = 0.0
    started: float = 0.0
    ended: float = 0.0
    code: int | None = None


@dataclass(frozen=True)
class JobFolder:
    """The files of a job."""

    path: Path

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def progress(self) -> Path:
        return self.path / "progress.json"

    @property
    def _job(self) -> Path:
        return self.path / "job.json"

    @property
    def _ended(self) -> Path:
        return self.path / "ended.json"

    @property
    def held(self) -> Path:
        """Locked as long as the job runs, however its process or the server may end."""
        return self.path / "running.lock"

    def write(self, job: Job) -> None:
        own_folder(self.path)
        write_bytes(self._job, json.dumps(asdict(job), indent=1).encode())

    def read(self) -> Job | None:
        """None for a folder that holds no job."""
        said = _object(self._job)
        try:
            return replace(Job(**said), arguments=tuple(said["arguments"])) if said else None
        except (TypeError, KeyError):
            return None

    def note_end(self, code: int) -> None:
        write_bytes(self._ended, json.dumps({"code": code, "ended": time.time()}).encode())

    def end(self) -> tuple[int, float] | None:
        """(exit code, when); None where it has not ended, or was killed together with its runner."""
        said = _object(self._ended)
        code, ended = said.get("code"), said.get("ended")
        return (code, ended) if isinstance(code, int) and isinstance(ended, float) else None

    def is_held(self) -> bool:
        """Whether the process that runs it is alive."""
        try:
            with lock(self.held, "this job"):
                return False
        except InputError:
            return True

    def progress_said(self) -> dict[str, Any]:
        """What ``core.progress.ProgressFile`` wrote last; empty where nothing was."""
        return _object(self.progress)

    def log_from(self, start: int) -> tuple[str, int]:
        """(the log from this byte on, the byte after it); of a long log its end."""
        try:
            with open(self.log, "rb") as stream:
                size = stream.seek(0, 2)
                begin = start if size - LOG_BYTES <= start <= size else max(0, size - LOG_BYTES)
                stream.seek(begin)
                data = stream.read(LOG_BYTES)
        except FileNotFoundError:
            return "", 0
        # Half a character waits for its other half.
        whole = data.decode("utf-8", "ignore") if len(data) < 4 else data.decode("utf-8", "replace").rstrip("\ufffd")
        return whole, begin + len(data)


def new_id() -> str:
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def folders(root: Path) -> Iterator[JobFolder]:
    """Of all jobs, oldest first."""
    if root.is_dir():
        yield from (JobFolder(path) for path in sorted(root.iterdir()) if is_id(path.name) and path.is_dir())


def _object(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
