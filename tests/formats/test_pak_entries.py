"""The quick way through a pak of ours gives what the general reader gives, or leaves the list to it."""

from dataclasses import replace

import facekit
import numpy as np
import pytest

from core.formats import pak_entries
from core.formats.pak import PakReader, config_fragment
from core.formats.pak_writer import FileSource, write_pak
from core.formats.pickle import safe_pickle
from core.types import Polygon

PLAIN = [
    facekit.record("00001_0.jpg"),
    facekit.record("b c.png", size=300, seed=1, person="anna", eyebrows_expand_mod=1.5),
    facekit.record("ü_0.jpg", seed=2, source_filename=None),
    facekit.record("a(]e face_type.jpg", seed=3, source_filename="x" * 255),
]


def joined(records) -> bytes:
    return (
        safe_pickle.LIST_START
        + b"".join(config_fragment(record) + safe_pickle.LIST_NEXT for record in records)
        + safe_pickle.LIST_END
    )


def general(data: bytes) -> list:
    return safe_pickle.load_list(data, dict, where="test")


def test_same_entries_as_the_general_reader():
    data = joined(PLAIN)
    quick, slow = pak_entries.load(data, dict), general(data)
    assert len(quick) == len(slow) == 4
    for one, other in zip(quick, slow, strict=True):
        assert (one.pop("landmarks") == other.pop("landmarks")).all()
        left_out = {key: other[key] for key in other.keys() - one.keys()}
        assert one == {key: other[key] for key in one}
        assert left_out == {"sample_type": 1, "seg_ie_polys": {"polys": []}, "xseg_mask": None}


@pytest.mark.parametrize(
    "change",
    [{"source_filename": "y" * 256}, {"polygons": (Polygon(True, facekit.record().landmarks[:5].astype("float32")),)}],
)
def test_other_entries_are_left_to_the_general_reader(change):
    data = joined([PLAIN[0], replace(PLAIN[1], **change)])
    assert pak_entries.load(data, dict) is None
    assert len(general(data)) == 2


@pytest.mark.parametrize("size", [1, 4, 255, 256, 70_000])
def test_masks(size):
    """Of every spelling of their length, beside faces without."""
    masks = [b"\x89PNG" * size, None, b"tb" * size]
    data = joined([replace(facekit.record(f"{n}.jpg", seed=n), xseg_mask=mask) for n, mask in enumerate(masks)])
    quick, slow = pak_entries.load(data, dict), general(data)
    for one, other, mask in zip(quick, slow, masks, strict=True):
        for entry in (one, other):
            found = entry["xseg_mask_compressed"]
            assert (
                (found is None)
                if mask is None
                else (found.dtype == np.uint8 and found.ndim == 1 and found.tobytes() == mask)
            )
        assert one["filename"] == other["filename"]
        assert np.array_equal(one["landmarks"], other["landmarks"])


def test_a_mask_shorter_or_longer_than_it_says():
    data = joined([replace(facekit.record(), xseg_mask=b"m" * 9)])
    for old, new in (
        (b"(K\x09t", b"(K\x08t"),
        (b"C\x09mmm", b"C\x08mmm"),
        (b"C\x09mmm", b"C\x0ammm"),
        (b"u1", b"i1"),
        (b"K\x09t", b"K\x03K\x03t"),
    ):
        assert data.count(old) == 1
        assert pak_entries.load(data.replace(old, new), dict) is None


def test_a_text_shorter_or_longer_than_it_says_is_refused():
    data = joined(PLAIN[:1])
    at = data.index(b"\x0b00001_0.jpg")
    for length in (10, 12, 255, 0):
        assert pak_entries.load(data[:at] + bytes([length]) + data[at + 1 :], dict) is None


def test_cut_and_foreign_lists_are_refused():
    data = joined(PLAIN)
    assert pak_entries.load(data, dict) is not None
    assert all(pak_entries.load(data[:end], dict) is None for end in range(0, len(data), 97))
    assert pak_entries.load(b"\x80\x04]" + data[4:], dict) is None
    assert pak_entries.load(data.replace(b"facelib.FaceType", b"posix.systemType"), dict) is None
    assert pak_entries.load(data.replace(b"00001_0", b"0000\xff_0"), dict) is None


def test_records_of_a_pak_do_not_depend_on_the_way(tmp_path, monkeypatch):
    paths = facekit.write_faces(tmp_path / "a", 5)
    write_pak(tmp_path / "faceset.pak", [FileSource(path, "ben") for path in paths])
    quick = PakReader(tmp_path / "faceset.pak").records
    monkeypatch.setattr(pak_entries, "load", lambda *_: None)
    slow = PakReader(tmp_path / "faceset.pak").records
    assert len(quick) == 5
    assert all(facekit.same_record(one, other) for one, other in zip(quick, slow, strict=True))
