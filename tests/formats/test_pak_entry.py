"""One face in the list of a pak, written and read again."""

from dataclasses import replace

import facekit
import numpy as np
import pytest

from core.errors import CorruptFileError
from core.formats.pak_entry import name_of, person_of, read_entry, write_entry
from core.formats.pickle import safe_pickle
from core.types import Polygon

TRIANGLE = Polygon(True, np.float32([[1, 2], [30, 2], [30, 40]]))
# What the list of a pak does not keep: the embedded face has it.
ONLY_EMBEDDED = {"source_landmarks": None, "source_rect": None, "image_to_face_mat": None, "face_id": ""}


def listed(*records) -> list[dict]:
    """The dicts of faces as a reader of the list gets them."""
    entries = b"".join(write_entry(record) + safe_pickle.LIST_NEXT for record in records)
    data = safe_pickle.LIST_START + entries + safe_pickle.LIST_END
    return safe_pickle.load_list(data, lambda index, item: dict(item), where="test")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"source_filename": None},
        {"source_filename": "a(]e face_type ü" * 30},
        {"eyebrows_expand_mod": 1.5, "polygons": (TRIANGLE,)},
        {"face_type": "head"},
        {"shape": (300, 65535)},
        *({"xseg_mask": b"\x89PNG" * size} for size in (1, 64, 70_000)),
    ],
)
def test_a_record_comes_back(changes):
    record = replace(facekit.record(), **changes)
    (entry,) = listed(record)
    expected = replace(record, **ONLY_EMBEDDED)
    assert facekit.same_record(read_entry(entry, name_of(entry, 0), "x"), expected)
    assert entry["sample_type"] == 1 and entry["shape"] == (*record.shape, 3)


def test_persons_and_names():
    with_person, without = listed(facekit.record(person="anna"), facekit.record())
    assert (person_of(with_person), person_of(without)) == ("anna", None)
    hostile = with_person | {"filename": "../../etc/passwd", "person_name": "../up"}
    assert (name_of(hostile, 0), person_of(hostile)) == ("passwd.jpg", "up")
    assert name_of(with_person | {"filename": [1]}, 7) == name_of(None, 7) == "face_000007.jpg"


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": None},
        {"shape": (0, 5, 3)},
        {"shape": (65536, 5, 3)},
        {"shape": (True, 5, 3)},
        {"landmarks": None},
        {"landmarks": np.zeros((67, 2))},
        {"face_type": 77},
        {"face_type": None, "shape": "ab"},
    ],
)
def test_what_makes_no_sense_is_refused(changes):
    (entry,) = listed(facekit.record())
    with pytest.raises(CorruptFileError):
        read_entry(entry | changes, "a.jpg", "x")
    with pytest.raises(CorruptFileError, match="no dict"):
        read_entry([entry], "a.jpg", "x")
