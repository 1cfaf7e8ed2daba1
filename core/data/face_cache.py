"""Prepared faces that all workers share, so that each is decoded once and not once in every worker."""

from collections.abc import Callable
from contextlib import suppress

from core.data.faces import TrainingFace, face_bytes
from core.data.shared import SharedMemory

_EMPTY, _FILLED = b"\0", b"\1"


class FaceCache:
    """The first faces of each side, as many as fit; a face has its place by its number, so nobody has to agree.

    Faces are copied in and out by system calls, not through a map: a reader never sees half a face, and memory that is
    used up is an error that a worker survives.
    """

    def __init__(self, counts: tuple[int, int], size: int, *, exact: bool, room: int):
        """counts: faces of src and dst. size: side of the images in pixels. exact: float32. room: bytes in all."""
        self._size, self._exact = size, exact
        self._bytes = face_bytes(size, exact=exact)
        self.kept = shares(counts, room // (self._bytes + 1))
        # First one byte a face, whether it is there; then the faces.
        self._memory = SharedMemory(sum(self.kept) * (self._bytes + 1))

    def get(self, side: int, index: int, make: Callable[[int], TrainingFace]) -> TrainingFace:
        """The face ``index`` of ``side`` (0 src, 1 dst), by ``make(index)`` where it is not there."""
        if index >= self.kept[side]:
            return make(index)
        place = index + (self.kept[0] if side else 0)
        start = sum(self.kept) + place * self._bytes
        if self._memory.read(1, place) == _FILLED:
            return TrainingFace.from_bytes(self._memory.read(self._bytes, start), self._size, exact=self._exact)
        face = make(index)
        with suppress(OSError):  # no room after all: it is made again next time
            self._memory.write(face.to_bytes(), start)
            # Only now: who reads it, and a worker that is killed in between, find a whole face or none.
            self._memory.write(_FILLED, place)
        return face


def shares(counts: tuple[int, int], room: int) -> tuple[int, int]:
    """How many faces of each side are kept where ``room`` faces fit: half for each, and what the other leaves."""
    src, dst = counts
    kept_src = min(src, max(room // 2, room - dst))
    return kept_src, min(dst, room - kept_src)
