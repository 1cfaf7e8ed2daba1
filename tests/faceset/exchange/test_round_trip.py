"""Alignments of faceswap into the database and out again: nothing is lost that they can hold, the rest is counted."""

from collections import Counter

import numpy as np
import pytest
from fsa_cases import ERAS, MATRIX, described, document, face
from golden_files import golden_path

from core.faceset.database import changes, faces, frame_masks
from core.faceset.database.changes import changing
from core.faceset.database.connection import open_database
from core.faceset.database.faces import FaceRow
from core.faceset.database.frame_masks import FrameMask
from core.faceset.database.frames import FrameRow
from core.faceset.exchange import to_fsa as module
from core.faceset.exchange.incoming import from_fsa
from core.faceset.exchange.merge import merge
from core.faceset.exchange.to_fsa import to_fsa
from core.formats.faceswap import fsa
from core.formats.faceswap.document import landmarks_68
from core.geometry.align import FaceType, face_matrix
from core.geometry.centring import crop_matrix
from core.geometry.landmarks import HEAD_3D
from core.types import Face


@pytest.fixture
def connection(tmp_path):
    with open_database(tmp_path / "faces.db", create=True) as opened:
        yield opened


def take_in(connection, found, **options):
    names = {frame.key: frame.key for frame in found.frames}
    return merge(connection, list(from_fsa(found.frames, names, "imported:fsa", Counter())), "import", **options)


def written(connection):
    return to_fsa(connection, str, {})


@pytest.mark.parametrize("name", [f"{era}/alignments.fsa" for era in ERAS] + ["newest/test_alignments.fsa"])
def test_golden_files(name, connection):
    found = fsa.read(golden_path(f"faceswap/{name}"))
    assert take_in(connection, found).added == found.face_count()
    out = written(connection)
    assert described(out.document) == described(found) and out.left_out == {}


def test_everything_that_a_file_can_hold(connection):
    found = document(face(0), face(1, points=98), face(2, points=4), face(3, thumb=None, masks={}, identities={}))
    take_in(connection, found)
    assert described(written(connection).document) == described(found)
    assert [(one.landmarks is None) for one in faces.faces(connection)].count(True) == 1


def test_faces_at_the_very_same_place_are_both_kept(connection):
    found = document(face(0), face(0), face(1))
    assert take_in(connection, found).added == 4
    assert described(written(connection).document) == described(found)
    assert take_in(connection, found).kept == 4


def test_frames_are_read_some_at_a_time(connection, monkeypatch):
    found = document(face(0), face(1), face(2), face(3))
    take_in(connection, found)
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    monkeypatch.setattr(module, "_IN_A_THREAD", 1)
    assert described(written(connection).document) == described(found)


def test_a_second_time_changes_nothing(connection):
    take_in(connection, document())
    again = take_in(connection, document())
    assert (again.added, again.updated, again.kept, again.completed, again.frames) == (0, 0, 3, 0, [])
    assert len(changes.history(connection)) == 1


def ours(number: int = 0, **parts) -> Face:
    points = HEAD_3D[:, :2].astype(np.float64) + 200 + 300 * number + 1 / 3
    usual = {"frame": "00001.png", "origin": "yunet", "id": f"{number:016x}", "landmarks": points}
    return Face(np.array([1, 2, 30, 40], np.float32), 0.9, **(usual | parts))


def test_what_a_file_cannot_hold_is_counted(connection):
    made = [
        FaceRow(
            ours(0, person="ann", track=3), scores={"yaw": 0.5}, vectors={"sface": np.ones(4), "vggface2": np.ones(4)}
        ),
        FaceRow(ours(1, status="filtered", reason="small")),
        FaceRow(Face(np.full(4, np.nan, np.float32), 0.0, frame="00001.png", id="f" * 16)),
    ]
    faces.add(connection, [(FrameRow("00001.png"), made)])
    out = written(connection)
    assert out.document.face_count() == 1 and list(out.document.frames[0].faces[0].identities) == ["vggface2"]
    assert out.left_out == {
        "faces that are filtered or dropped": 1,
        "faces without points and box": 1,
        "identity vectors of sface": 1,
        "names of persons": 1,
        "numbers of tracks": 1,
        "scores": 1,
    }


def test_our_faces_come_back_as_they_were(connection, tmp_path):
    """But for what files keep as float32 and whole pixels."""
    faces.add(
        connection, [(FrameRow("00001.png"), [FaceRow(ours(0), vectors={"vggface2": np.ones(4)}), FaceRow(ours(1))])]
    )
    out = written(connection)
    with open_database(tmp_path / "other.db", create=True) as other:
        take_in(other, out.document)
        assert described(written(other).document) == described(out.document)
        back = sorted(one.landmarks.astype(np.float32).tolist() for one in faces.faces(other))
    before = sorted(one.landmarks.astype(np.float32).tolist() for one in faces.faces(connection))
    assert back == before
    assert take_in(connection, out.document, prefer_file=True).kept == 2
    np.testing.assert_array_equal(faces.find_face(connection, "0" * 16).landmarks, ours().landmarks)


def test_points_moved_here_win_over_those_of_the_file(connection):
    take_in(connection, document(face(0, points=98)))
    before = next(one for one in faces.faces(connection) if one.frame == "a.png")
    with changing(connection, "move") as change:
        change.update(before, landmarks=before.landmarks + 1)
    one = written(connection).document.frames[0].faces[0]
    np.testing.assert_array_equal(one.landmarks, landmarks_68(face(0, points=98).landmarks) + np.float32(1))
    assert not one.identities and one.thumb is None


def test_masks_of_our_own_crops_go_to_the_crop_of_the_face(connection):
    one = ours()
    faces.add(connection, [(FrameRow("00001.png"), [FaceRow(one)])])
    matrix = face_matrix(one.landmarks, 200, FaceType.WHOLE_FACE)
    wanted = crop_matrix(one.landmarks, 128, "face")
    disc = np.zeros((200, 200), np.uint8)
    disc[60:150, 50:140] = 255
    frame_masks.note_mask(
        connection, one.id, FrameMask("hand", frame_masks.encode(disc), matrix, "whole_face", 1, "hand", "x")
    )
    mask = written(connection).document.frames[0].faces[0].masks["hand"]
    np.testing.assert_array_equal(mask.frame_to_mask, wanted)
    assert (mask.stored_size, mask.centering) == (128, "face")
    area = mask.pixels().astype(float).sum() / 255 / abs(np.linalg.det(wanted[:, :2]))
    assert area == pytest.approx(90 * 90 / abs(np.linalg.det(matrix[:, :2])), rel=0.02)


def test_stale_masks_of_their_crops_move_to_the_crop_of_today(connection):
    take_in(connection, document())
    before = next(one for one in faces.faces(connection) if one.frame == "c.png")
    with changing(connection, "move") as change:
        change.update(before, landmarks=ours().landmarks)
    mask = written(connection).document.frames[1].faces[0].masks["xseg_face"]
    np.testing.assert_array_equal(mask.frame_to_mask, crop_matrix(ours().landmarks, 8, "head"))
    assert mask.centering == "head" and not np.array_equal(mask.frame_to_mask, MATRIX)


def test_the_order_of_a_file_comes_back_and_new_faces_after_it(connection):
    found = document(face(5), face(1), face(3))
    take_in(connection, found)
    row = connection.execute("SELECT frame FROM frames WHERE name = 'a.png'").fetchone()[0]
    with changing(connection, "add") as change:
        change.add(row, ours(frame="a.png"))
    boxes = [one.box for one in written(connection).document.frames[0].faces]
    assert boxes == [*(one.box for one in found.frames[0].faces), (1, 2, 29, 38)]
