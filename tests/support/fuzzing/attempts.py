"""One try of a reader on one tree of files: what came of it, time, memory, and what it touched."""

import os
import shutil
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from core.errors import PipelineError
from fuzzing.readers import Reader, refused
from fuzzing.samples import Tree

SECONDS, MEGABYTES = 5.0, 700.0  # of the processor, which other programs do not take away
_WAITED = 60.0  # seconds after which it is stopped
_HWM = 5  # what /proc takes for forgetting the peak of memory


@dataclass(frozen=True)
class Attempt:
    """kind: ``read``, ``typed``, ``untyped``, ``hang``, ``memory`` or ``outside`` (a file beside the folder changed).

    place: file, line and kind of what was raised, or what was touched. seconds, megabytes: of time and of memory.
    """

    kind: str
    place: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0

    @property
    def sound(self) -> bool:
        return self.kind in ("read", "typed")


class _TooSlow(BaseException):
    """The time is over."""


def attempt(reader: Reader, tree: Tree, outer: Path) -> Attempt:
    """Read ``tree`` as a folder inside ``outer``, which has files beside it that nobody may touch."""
    folder = lay_out(tree, outer)
    before = _peak_reset()
    started = time.process_time()
    kind, place = "read", ""
    refused.clear()
    try:
        with _at_most(_WAITED):
            reader.read(folder)
        kind = "typed" if refused else "read"
    except PipelineError:
        kind = "typed"
    except _TooSlow as error:
        kind, place = "hang", _place(error)
    except MemoryError as error:
        kind, place = "memory", _place(error)
    except Exception as error:
        kind, place = "untyped", f"{type(error).__name__} {_place(error)}"
    spent, taken = time.process_time() - started, _peak() - before
    if kind in ("read", "typed"):
        if touched := _touched(outer):
            kind, place = "outside", touched
        elif spent > SECONDS:
            kind = "hang"
        elif taken > MEGABYTES:
            kind, place = "memory", f"{taken:.0f} MB"
    return Attempt(kind, place, spent, taken)


_CANARY = b"nobody's business\n"
_BESIDE = ("precious.txt", "home/.bashrc", "home/id_rsa")


def lay_out(tree: Tree, outer: Path) -> Path:
    """An empty ``outer`` but for files that are none of the reader's, and ``outer/home/ws`` with the tree."""
    shutil.rmtree(outer, ignore_errors=True)
    folder = outer / "home" / "ws"
    folder.mkdir(parents=True)
    for name in _BESIDE:
        (outer / name).write_bytes(_CANARY)
    for name, data in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def _touched(outer: Path) -> str:
    """What is not as it was beside the reader's folder."""
    for name in _BESIDE:
        with suppress(OSError):
            if (outer / name).read_bytes() == _CANARY:
                continue
        return name
    here = {f"{folder}{entry.name}" for folder in ("", "home/") for entry in os.scandir(outer / folder)}
    return " ".join(sorted(here - {*_BESIDE, "home", "home/ws"}))


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raises when the block takes longer, as soon as Python is at work."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _place(error: BaseException) -> str:
    """Where in the program it was raised: the innermost line of ours."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/core/" in frame.filename]
    if not ours:
        return "outside of core"
    return f"core/{ours[-1].filename.rpartition('/core/')[2]}:{ours[-1].lineno}"


def _peak_reset() -> float:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text(str(_HWM))
    return _peak()


def _peak() -> float:
    """Megabytes of memory that this process had at most since the last reset; 0 where nobody tells."""
    with suppress(OSError), open("/proc/self/status") as stream:
        for line in stream:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0
