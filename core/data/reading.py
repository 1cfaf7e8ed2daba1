"""What samples of every kind do with faces that are read again and again: keep them, and pass over the bad ones."""

from collections.abc import Callable
from functools import lru_cache
from math import gcd
from typing import Generic, Protocol, TypeVar

from core.errors import InputError, PipelineError
from core.geometry.align import FaceType, Matrix, face_matrix
from core.types import FaceRecord

_ATTEMPTS = 200
_GOLDEN_RATIO = (5**0.5 - 1) / 2


class Sized(Protocol):
    """Something that knows how many bytes it takes."""

    @property
    def nbytes(self) -> int: ...


S = TypeVar("S", bound=Sized)
T = TypeVar("T")


class Cache(Generic[S]):
    """Prepared faces by number, made on first use and kept as long as they fit into ``room`` bytes.

    Nothing is evicted: in shuffled epochs the face that was used longest ago comes back soonest.
    """

    def __init__(self, room: int):
        self._room = room
        self._kept: dict[int, S] = {}

    def get(self, index: int, make: Callable[[int], S]) -> S:
        """The face at ``index``, by ``make(index)`` where it is not there."""
        if index in self._kept:
            return self._kept[index]
        face = make(index)
        if face.nbytes <= self._room:
            self._room -= face.nbytes
            self._kept[index] = face
        return face


def first_readable(read: Callable[[int], T], count: int, first: int, skipped: list[str], what: str = "faces") -> T:
    """``read(first)``, or another of ``count`` faces that can be read.

    The others are looked for all over the faceset: where one face is gone its neighbours often are, too.

    skipped: those that cannot be read are added here, each in one line.
    what: of the faces there are, in plural, for the error.

    Raises:
        InputError: none of many faces can be read.
    """
    step = _step(count)
    for attempt in range(min(count, _ATTEMPTS)):
        try:
            return read((first + attempt * step) % count)
        except PipelineError as error:
            # One line each: they are told apart, and counted, as texts.
            skipped.append(str(error).replace("\n", " "))
    raise InputError(
        f"none of the {what} can be read",
        why=skipped[-1],
        hint="extract the faces again, or take the faceset from a backup",
    )


def to_face_type(record: FaceRecord, size: int, face_type: FaceType) -> Matrix | None:
    """Pixels of an aligned image -> ``size`` pixels of another face type; None where it is of that type."""
    if FaceType.parse(record.face_type) == face_type:
        return None
    return face_matrix(record.landmarks, size, face_type)


@lru_cache(maxsize=8)
def _step(count: int) -> int:
    """A step around a circle of ``count`` faces that comes to each of them, and soon everywhere."""
    step = max(1, round(count * _GOLDEN_RATIO))
    while gcd(step, count) != 1:
        step += 1
    return step
