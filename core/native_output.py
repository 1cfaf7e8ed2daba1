"""What libraries print behind Python's back goes into a file, not between our lines."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from core.errors import PipelineError
from core.safe_paths import own_folder

_STDERR = 2
_LINES = 15


@contextlib.contextmanager
def diverted(path: Path) -> Iterator[None]:
    """Inside, what anybody but Python writes to the standard error goes to ``path``, in a folder of our own.

    An empty file is removed at the end. Where the standard error is closed or not the process's own, or the file cannot
    be made, nothing is diverted: messages in the wrong place are no reason to fail.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, ValueError, AttributeError, PipelineError):
            stack.enter_context(_swapped(path))
        yield


@contextlib.contextmanager
def _swapped(path: Path) -> Iterator[None]:
    before = sys.stderr
    if before.fileno() != _STDERR:
        raise ValueError("not the process's own standard error")
    own_folder(path.parent)
    # O_APPEND: several processes of a run write into it. O_NOFOLLOW: a link in its place may lead anywhere.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW
    target = os.open(path, flags, 0o666)
    kept = os.dup(_STDERR)
    os.dup2(target, _STDERR)
    os.close(target)
    # Line by line, as Python's own.
    sys.stderr = os.fdopen(kept, "w", buffering=1, encoding=before.encoding, errors="backslashreplace")
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        os.dup2(kept, _STDERR)
        # Not closed: handlers of the log may still hold it.
        sys.stderr = before
        with contextlib.suppress(OSError):
            if path.stat().st_size == 0:
                path.unlink()


def last_lines(path: Path) -> list[str]:
    """The end of what was diverted."""
    try:
        return path.read_text(encoding="utf-8", errors="backslashreplace").splitlines()[-_LINES:]
    except OSError:
        return []
