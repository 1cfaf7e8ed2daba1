"""Files and database agree: new, renamed, deleted and packed faces."""

import facekit
import pytest

from core.errors import InputError
from core.faceset.database import faces, images
from core.faceset.database.connection import open_database
from core.faceset.identity import face_id
from core.faceset.register import open_known, register_files
from core.formats import dfl_image
from core.jobs.faceset.pack import pack_faces, unpack_faces
from core.jobs.side import opened_side
from core.workspace import Workspace, image_files, list_images


@pytest.fixture
def workspace(tmp_path):
    made = Workspace(tmp_path).create()
    facekit.write_faces(made.side("src").aligned, 4)
    return made


@pytest.fixture
def side(workspace):
    return workspace.side("src")


def names(side, folder=images.ALIGNED):
    with open_database(side.database) as connection:
        return {row.name: row.face for row in images.images(connection, folder)}


def test_a_foreign_faceset_gets_a_database(side):
    with open_known(side) as known:
        found = list(faces.faces(known.connection))
        assert {face.id for face in found} == set(known.ids)
        assert {face.origin for face in found} == {"imported"}
        assert [face.frame for face in found] == [f"0000{number}.png" for number in range(1, 5)]
    assert names(side) == {path.name: face_id(dfl_image.read(path)) for path in list_images(side.aligned)}


def test_again_changes_nothing(side):
    with open_known(side) as known:
        first = known.ids
    with open_known(side) as known:
        assert known.ids == first
        assert known.missing == ()


def test_a_renamed_file_is_the_same_face(side):
    with open_known(side) as known:
        before = known.ids
    (side.aligned / "00001_0.jpg").rename(side.aligned / "zz.jpg")
    with open_known(side) as known:
        assert known.ids == (*before[1:], before[0])
        assert known.missing == ()
    assert names(side)["zz.jpg"] == before[0]
    assert "00001_0.jpg" not in names(side)


def test_a_deleted_file_is_named_and_a_renamed_one_is_not(workspace, side):
    with open_known(side):
        pass
    (side.aligned / "00001_0.jpg").rename(side.aligned / "zz.jpg")
    (side.aligned / "00002_0.jpg").unlink()
    with opened_side(workspace, "src") as opened:
        assert opened.deleted == ("00002_0.jpg",)
    with open_known(side) as known:
        assert known.missing == ("00002_0.jpg",)


def test_only_new_and_changed_files_are_read(side, monkeypatch):
    paths = list_images(side.aligned)

    def files():
        found = image_files(side.aligned)
        return {path.name: found[path.name] for path in paths}

    with open_database(side.database, create=True) as connection:
        first = register_files(connection, side.aligned, files())
        paths[1].write_bytes(facekit.face("another.jpg", seed=40))
        read = []
        monkeypatch.setattr(
            "core.faceset.register.read_records",
            lambda some: read.append(some) or ([dfl_image.read(p) for p in some], []),
        )
        again = register_files(connection, side.aligned, files())
    assert read == [[paths[1]]]
    assert again.ids[1] == face_id(dfl_image.read(paths[1])) != first.ids[1]
    assert (again.ids[0], *again.ids[2:]) == (first.ids[0], *first.ids[2:])


def test_packed_and_unpacked_faces_are_themselves(workspace, side):
    with open_known(side) as known:
        loose = known.ids
    pack_faces(workspace, "src", remove_originals=True)
    assert names(side) == {}
    with open_known(side) as known:
        assert known.ids == loose
        assert known.missing == ()
    unpack_faces(workspace, "src")
    assert names(side, images.PAK) == {}
    with open_known(side) as known:
        assert known.ids == loose


def test_a_foreign_pak_under_the_name_of_ours_is_read(workspace, side):
    with open_known(side):
        pass
    pack_faces(workspace, "src", remove_originals=True)
    other = Workspace(workspace.root / "other").create()
    facekit.write_faces(other.side("src").aligned, 4, size=80)
    for number, path in enumerate(list_images(other.side("src").aligned)):
        path.write_bytes(facekit.face(path.name, size=80, seed=50 + number))
    pack_faces(other, "src", remove_originals=True)
    expected = {face_id(facekit.record(f"0000{number + 1}_0.jpg", seed=50 + number)) for number in range(4)}
    side.pak.write_bytes(other.side("src").pak.read_bytes())
    with open_known(side) as known:
        assert set(known.ids) == expected


def test_a_deleted_original_does_not_come_back_from_the_pak(workspace, side):
    with open_known(side):
        pass
    pack_faces(workspace, "src")
    (side.aligned / "00003_0.jpg").unlink()
    with pytest.raises(InputError, match="deleted are still in the packed") as caught, open_known(side):
        pass
    assert "00003_0.jpg" in caught.value.why
    pack_faces(workspace, "src", overwrite=True)
    with open_known(side) as known:
        assert len(known.ids) == 3


def test_a_pak_whose_originals_are_all_gone_is_a_pak(workspace, side):
    with open_known(side):
        pass
    pack_faces(workspace, "src")
    for path in list_images(side.aligned):
        path.unlink()
    with open_known(side) as known:
        assert len(known.ids) == 4


def test_a_face_without_its_frame_is_a_face_too(side):
    path = side.aligned / "00001_0.jpg"
    path.write_bytes(facekit.face(path.name, source_filename=None, source_landmarks=None, source_rect=None))
    with open_known(side) as known:
        face = faces.find_face(known.connection, known.ids[0])
    assert (face.frame, face.landmarks, face.origin) == ("", None, "imported")
