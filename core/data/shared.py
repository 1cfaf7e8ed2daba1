"""Memory that a process shares with the workers that it spawns.

It has no name, so nothing is left behind however the processes end. Pages that nobody has written take no memory.
"""

import mmap
import os
import tempfile
from multiprocessing import reduction
from typing import Any


class SharedMemory:
    """``size`` bytes, zero at first; goes to a worker as an argument of its process, not through a pipe."""

    def __init__(self, size: int):
        self.size = size
        self._fd = _without_name()
        # A file of holes: it is as large as what was written into it.
        os.ftruncate(self._fd, max(size, 1))

    def mapped(self) -> mmap.mmap:
        """All of it as a buffer; writing to it fills the memory that all processes see."""
        return mmap.mmap(self._fd, max(self.size, 1))

    def read(self, count: int, offset: int) -> bytes:
        """A copy of ``count`` bytes."""
        return os.pread(self._fd, count, offset)

    def write(self, data: bytes, offset: int) -> None:
        """Raises OSError where the memory is used up."""
        view = memoryview(data)
        while view:
            written = os.pwrite(self._fd, view, offset)
            view, offset = view[written:], offset + written

    def close(self) -> None:
        """Give this process's hold back; the memory is free when the last holder has."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        if getattr(self, "_fd", -1) >= 0:
            self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {"size": self.size, "fd": reduction.DupFd(self._fd)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.size, self._fd = state["size"], state["fd"].detach()


def _without_name() -> int:
    """A file descriptor of memory; of a file on the disk where the system has none such."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("dfm-forge")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
