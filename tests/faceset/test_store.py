"""A faceset looks the same loose and packed; contradictions are refused."""

import os
import pickle

import facekit
import numpy as np
import pytest

from core.errors import CorruptFileError, InputError
from core.faceset import packing, store
from core.faceset.identity import face_id
from core.faceset.store import open_faceset, read_records
from core.formats import dfl_image
from core.imaging.codec import decode_image


def pack_folder(folder, trash, **kwargs):
    return packing.pack(
        folder / "faceset.pak", packing.merge([("loose", packing.loose_sources(folder, None))]), trash, **kwargs
    )


def test_loose_and_packed_are_the_same(tmp_path):
    paths = facekit.write_faces(tmp_path / "aligned", 12)
    (tmp_path / "aligned/100000_0.jpg").write_bytes(facekit.face("100000_0.jpg"))
    loose = open_faceset(tmp_path / "aligned")
    expected = [loose.read(i) for i in range(len(loose))]
    assert [record.name for record in loose.records()][-2:] == ["00012_0.jpg", "100000_0.jpg"]
    assert loose.path(0) == paths[0]
    before = loose.fingerprint()
    pack_folder(tmp_path / "aligned", tmp_path / "trash")
    packed = open_faceset(tmp_path / "aligned")
    assert packed.packed
    assert [packed.read(i) for i in range(len(packed))] == expected
    assert packed.fingerprint() == before
    assert all(facekit.same_record(packed.full_record(i), record) for i, record in enumerate(loose.records()))
    with pytest.raises(InputError, match="packed"):
        packed.path(0)
    assert pickle.loads(pickle.dumps(packed)).read(3) == expected[3]
    packed.close()


def test_fingerprint_changes_with_the_faces(tmp_path):
    paths = facekit.write_faces(tmp_path, 3)
    first = open_faceset(tmp_path).fingerprint()
    dfl_image.update(paths[1], eyebrows_expand_mod=2.0)
    second = open_faceset(tmp_path).fingerprint()
    paths[2].unlink()
    assert len({first, second, open_faceset(tmp_path).fingerprint()}) == 3


def test_loose_faces_that_are_not_in_the_pak(tmp_path):
    paths = facekit.write_faces(tmp_path, 3)
    pack_folder(tmp_path, tmp_path / "trash")
    (tmp_path / "plain.jpg").write_bytes(facekit.jpeg())
    assert len(open_faceset(tmp_path)) == 3
    later = os.stat(tmp_path / "faceset.pak").st_mtime + 10
    edited = bytearray(paths[0].read_bytes())
    edited[-20] ^= 1
    paths[0].write_bytes(edited)
    os.utime(paths[0], (later, later))
    with pytest.raises(InputError, match="00001_0.jpg"):
        open_faceset(tmp_path)
    paths[0].unlink()
    (tmp_path / "new.jpg").write_bytes(facekit.face("new.jpg", seed=50))
    with pytest.raises(InputError, match="new.jpg"):
        open_faceset(tmp_path)


def test_nothing_there(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        open_faceset(tmp_path / "absent")
    with pytest.raises(InputError, match="empty"):
        open_faceset(tmp_path)
    for name in ("mine.pak", "yours.pak"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError, match="mine.pak: a pak is read under the name faceset.pak.*and 1 more"):
        open_faceset(tmp_path)
    facekit.write_faces(tmp_path / "anna", 1)
    with pytest.raises(InputError, match="anna"):
        open_faceset(tmp_path)
    (tmp_path / "x.jpg").write_bytes(facekit.jpeg())
    with pytest.raises(InputError, match="no picture here is a face"):
        open_faceset(tmp_path)


def test_bad_files_are_named_and_left_out(tmp_path):
    facekit.write_faces(tmp_path, 2)
    (tmp_path / "bad.jpg").write_bytes(facekit.face()[:100])
    (tmp_path / "plain.png").write_bytes(facekit.png())
    faceset = open_faceset(tmp_path)
    assert len(faceset) == 2
    assert {name for name, _ in faceset.problems} == {"bad.jpg", "plain.png"}


def test_damaged_pak(tmp_path):
    (tmp_path / "faceset.pak").write_bytes(b"\1" + bytes(100))
    with pytest.raises(CorruptFileError):
        open_faceset(tmp_path)


def test_many_files_are_read_by_several_processes(tmp_path, monkeypatch):
    from core import parallel

    paths = facekit.write_faces(tmp_path, 6)
    monkeypatch.setattr(parallel, "_PAYS_FROM", 1)
    monkeypatch.setattr(parallel.os, "sched_getaffinity", lambda _: {0, 1})
    records, problems = read_records([*paths, tmp_path / "absent.jpg"])
    assert [record.name for record in records] == [path.name for path in paths]
    assert len(problems) == 1


def exchange(one, other):
    one.rename(one.with_name("between"))
    other.rename(one)
    one.with_name("between").rename(other)


def test_a_face_is_itself_after_a_sort(tmp_path):
    """Read by a run that listed the folder before: never the image of one face under the record of another."""
    paths = facekit.write_faces(tmp_path, 3)
    pixels = [decode_image(path.read_bytes()) for path in paths]
    faceset = open_faceset(tmp_path)
    exchange(paths[0], paths[2])
    paths[1].rename(tmp_path / "renamed.jpg")
    for index in range(3):
        record, data = faceset.read_face(index)
        assert face_id(record) == face_id(faceset.records()[index])
        assert np.array_equal(decode_image(data), pixels[index])


def test_a_face_that_is_gone_or_another_one_by_now_is_an_error(tmp_path):
    paths = facekit.write_faces(tmp_path, 3)
    faceset = open_faceset(tmp_path)
    paths[0].unlink()
    paths[1].write_bytes(facekit.face(paths[1].name, seed=40))
    for index in (0, 1):
        with pytest.raises(InputError, match="a face is gone"):
            faceset.read_face(index)
    assert faceset.read_face(2)[1] == paths[2].read_bytes()
    (tmp_path / "came back.jpg").write_bytes(facekit.face("came back.jpg", seed=0, source_filename="00001.png"))
    assert faceset.read_face(0)[0].name == "came back.jpg"


def test_a_face_is_read_as_it_is_now(tmp_path):
    """Masked while training runs: the new mask goes with the image."""
    (path,) = facekit.write_faces(tmp_path, 1)
    faceset = open_faceset(tmp_path)
    dfl_image.update(path, xseg_mask=b"new")
    assert faceset.read_face(0)[0].xseg_mask == b"new"


def test_the_folder_is_looked_through_once_for_all_that_moved(tmp_path, monkeypatch):
    paths = facekit.write_faces(tmp_path, 4)
    faceset = open_faceset(tmp_path)
    for number, path in enumerate(paths):
        path.rename(tmp_path / f"z{number}.jpg")
    looked = []
    read = store.read_records
    monkeypatch.setattr(store, "read_records", lambda some: looked.append(len(some)) or read(some))
    for index in range(4):
        faceset.read_face(index)
    assert looked == [4]
