"""The quick way through metadata of ours gives what the general reader gives, or leaves it to it."""

import random
from dataclasses import replace

import facekit
import numpy as np
import pytest

from core.errors import CorruptFileError
from core.formats import dfl_image, metadata_pattern
from core.formats.face_metadata import FACE_TYPES, from_dict, to_dict
from core.formats.pak_entry import write_entry, write_plain_entry
from core.formats.pickle import safe_pickle
from core.types import Polygon

NAME = "00001_0.jpg"
MASK = bytes(range(256)) * 3
COVERED = [
    {},
    {"eyebrows_expand_mod": 2.0},
    {"xseg_mask": b"\x89PNG tb"},
    {"xseg_mask": MASK},
    {"xseg_mask": MASK[:255], "eyebrows_expand_mod": 1.5},
    {"source_filename": "ü\x94.png"},
    {"source_filename": ""},
    {"source_rect": (-5, 0, 70_000, 2**31 - 1)},
    {"face_id": "0123456789abcdef"},
    {"face_id": "0123456789abcdef", "xseg_mask": MASK, "eyebrows_expand_mod": 1.5},
]
OTHERS = [
    {"source_filename": "x" * 64},
    {"source_filename": "landmarks"},
    {"source_filename": None},
    {"source_rect": None},
    {"image_to_face_mat": None},
    {"source_landmarks": None},
    {"extra": {"ours": 1}},
    {"polygons": (Polygon(True, np.float32([[1, 2], [3, 4], [5, 1]])),)},
]


def payload(**changes) -> bytes:
    return safe_pickle.dumps(to_dict(replace(facekit.record(), **changes)))


def same(one, other) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("changes", COVERED)
def test_same_values_as_the_general_reader(changes):
    data = payload(**changes)
    quick, slow = metadata_pattern.load(data), safe_pickle.loads(data, points=True)
    assert list(quick) == list(slow)
    assert all(same(quick[key], slow[key]) for key in slow)
    assert facekit.same_record(from_dict(quick, NAME, (64, 64)), replace(facekit.record(), **changes))


@pytest.mark.parametrize("changes", OTHERS)
def test_others_are_left_to_the_general_reader(changes):
    data = payload(**changes)
    assert metadata_pattern.load(data) is None
    assert facekit.same_record(
        from_dict(safe_pickle.loads(data, points=True), NAME, (64, 64)), replace(facekit.record(), **changes)
    )


@pytest.mark.parametrize("changes", [{}, {"xseg_mask": MASK, "eyebrows_expand_mod": 1.5}])
def test_what_is_damaged_is_left_to_the_general_reader_or_reads_the_same(changes):
    data, rng = payload(**changes), random.Random(1)
    assert all(metadata_pattern.load(data[:end]) is None for end in range(len(data)))
    assert metadata_pattern.load(data + b"x") is None
    quick_ones = 0
    for _ in range(2000):
        at = rng.randrange(len(data))
        broken = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        quick = metadata_pattern.load(broken)
        if quick is None:
            continue
        quick_ones += 1
        slow = safe_pickle.loads(broken, points=True)
        assert list(quick) == list(slow)
        assert all(same(quick[key], slow[key]) for key in slow)
    assert quick_ones > 500


def test_a_text_of_another_length_than_it_says():
    data = payload()
    at = data.index(b"\x0awhole_face")
    for length in (9, 11, 0, 255):
        assert metadata_pattern.load(data[:at] + bytes([length]) + data[at + 1 :]) is None


def test_values_are_checked_as_ever():
    points = facekit.record().landmarks.copy()
    points[3, 1] = np.nan
    data = dfl_image.embed(facekit.jpeg(), facekit.record(landmarks=points))
    with pytest.raises(CorruptFileError, match="damaged face metadata"):
        dfl_image.parse(data, "a.jpg")
    with pytest.raises(CorruptFileError, match="unknown face type"):
        dfl_image.parse(facekit.face(face_type="posix_face"), "a.jpg")


def entry(data: bytes) -> bytes:
    """What a pak would hold of these metadata, by way of the record."""
    return write_entry(from_dict(safe_pickle.loads(data, points=True), NAME, (64, 64)))


@pytest.mark.parametrize("changes", [{}, {"source_filename": "ü.png"}, {"face_type": "head"}])
def test_a_pak_holds_the_same_whether_decoded_or_not(changes):
    data = payload(**changes)
    plain = metadata_pattern.plain(data)
    assert write_plain_entry(plain, NAME, (64, 64), None) == entry(data)
    assert all(
        metadata_pattern.plain(payload(**more)) is None
        for more in ({"eyebrows_expand_mod": 2.0}, {"xseg_mask": MASK}, *OTHERS)
    )


def test_damaged_metadata_are_never_taken_undecoded_where_the_record_refuses_them():
    data, rng, taken = payload(), random.Random(2), 0
    for _ in range(3000):
        at = rng.randrange(len(data))
        broken = data[:at] + bytes([rng.choice((0x7F, 0xFF, rng.randrange(256)))]) + data[at + 1 :]
        plain = metadata_pattern.plain(broken)
        if plain is not None and plain.face_type in FACE_TYPES:
            taken += 1
            assert write_plain_entry(plain, NAME, (64, 64), None) == entry(broken)
    assert taken > 500
