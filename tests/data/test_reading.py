"""Faces that cannot be read are passed over, wherever the next good one is."""

import pytest

from core.data.reading import first_readable
from core.errors import InputError


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100, 656])
@pytest.mark.parametrize("start", [0, 1, 355])
def test_the_one_good_face_is_found(count, start):
    start %= count
    good = (start + count // 2) % count

    def read(index):
        if index != good:
            raise InputError("gone")
        return index

    skipped: list[str] = []
    if count <= 200:
        assert first_readable(read, count, start, skipped) == good
        assert len(skipped) < count


def test_three_hundred_neighbours_may_be_gone():
    """Somebody deletes a scene while it trains."""

    def read(index):
        if 100 <= index < 400:
            raise InputError(f"{index} is gone")
        return index

    for first in range(656):
        skipped: list[str] = []
        read_index = first_readable(read, 656, first, skipped)
        assert read_index < 100 or read_index >= 400
        assert len(skipped) < 10
        assert 100 <= first < 400 or read_index == first


def test_when_none_can_be_read_that_is_an_error():
    def read(index):
        raise InputError("gone")

    with pytest.raises(InputError, match="none of the faces"):
        first_readable(read, 1000, 5, [])
