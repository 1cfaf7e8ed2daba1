"""The cache that workers share: what fits, that it changes nothing, that other processes see it."""

import errno
import multiprocessing
import os

import numpy as np
import pytest

from core.data.face_cache import FaceCache, shares
from core.data.faces import TrainingFace, face_bytes
from core.data.shared import SharedMemory

SIZE = 8


def face(value: int) -> TrainingFace:
    planes = (np.full((SIZE, SIZE, channels), value, np.uint8) for channels in (3, 1, 1))
    return TrainingFace(*planes)


def never(index):
    raise AssertionError(f"face {index} is made again")


@pytest.mark.parametrize(
    ("counts", "room", "kept"),
    [
        ((10, 10), 100, (10, 10)),
        ((10, 10), 8, (4, 4)),
        ((10, 2), 8, (6, 2)),
        ((2, 10), 8, (2, 6)),
        ((10, 10), 0, (0, 0)),
        ((0, 10), 4, (0, 4)),
    ],
)
def test_who_leaves_room_gives_it_to_the_other_side(counts, room, kept):
    assert shares(counts, room) == kept


def test_kept_faces_are_made_once_and_the_others_every_time():
    room = 5 * (face_bytes(SIZE, exact=False) + 1)
    cache = FaceCache((3, 4), SIZE, exact=False, room=room)
    assert cache.kept == (2, 3)
    for side, count in ((0, 2), (1, 3)):
        for index in range(count):
            assert (cache.get(side, index, lambda i, s=side: face(10 * s + i)).image == 10 * side + index).all()
    for side, count in ((0, 2), (1, 3)):
        for index in range(count):
            again = cache.get(side, index, never)
            assert (again.image == 10 * side + index).all() and (again.mask == 10 * side + index).all()
    with pytest.raises(AssertionError, match="face 3 is made again"):
        cache.get(1, 3, never)


def test_a_face_that_cannot_be_made_is_tried_again():
    cache = FaceCache((1, 1), SIZE, exact=False, room=10**6)
    with pytest.raises(AssertionError):
        cache.get(0, 0, never)
    assert (cache.get(0, 0, face).image == 0).all()


def test_memory_that_is_used_up_costs_the_cache_only(monkeypatch):
    cache = FaceCache((1, 1), SIZE, exact=False, room=10**6)

    def full(*_):
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(os, "pwrite", full)
    assert (cache.get(0, 0, lambda _: face(7)).image == 7).all()
    monkeypatch.undo()
    assert (cache.get(0, 0, lambda _: face(8)).image == 8).all()
    assert (cache.get(0, 0, never).image == 8).all()


def _child(cache, memory, value):
    cache.get(1, 2, lambda _: face(value))
    memory.mapped()[5] = value


def test_another_process_sees_what_one_has_written():
    context = multiprocessing.get_context("spawn")
    cache, memory = FaceCache((4, 4), SIZE, exact=False, room=10**6), SharedMemory(16)
    child = context.Process(target=_child, args=(cache, memory, 9))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert (cache.get(1, 2, never).image == 9).all()
    assert memory.read(1, 5) == b"\x09" == bytes(memory.mapped()[5:6])


def test_memory_without_a_system_call_for_it_is_an_unlinked_file(monkeypatch):
    monkeypatch.delattr(os, "memfd_create", raising=False)
    memory = SharedMemory(1000)
    memory.write(b"abc", 997)
    assert memory.read(3, 997) == b"abc" and len(memory.mapped()) == 1000


def test_what_nobody_has_written_takes_no_memory():
    memory = SharedMemory(2**36)
    memory.write(b"x", 2**35)
    assert os.fstat(memory._fd).st_blocks * 512 < 2**20
