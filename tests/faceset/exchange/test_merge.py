"""Faces of a file meet those that are here: the same face is known by its place; what a person decided is not lost."""

from collections import Counter

import numpy as np
import pytest
from fsa_cases import face

from core.faceset.database import changes, faces, frame_masks, frames
from core.faceset.database.changes import changing
from core.faceset.database.connection import open_database
from core.faceset.database.faces import FaceRow
from core.faceset.database.frames import FrameRow
from core.faceset.exchange.incoming import from_fsa
from core.faceset.exchange.matching import distance_of, same_faces
from core.faceset.exchange.merge import merge
from core.formats.faceswap.document import FsaDocument, FsaFace, FsaFrame, make_mask
from core.geometry.landmarks import HEAD_3D
from core.types import Face

POINTS = HEAD_3D[:, :2].astype(np.float64) + 300


def ours(shift: float = 0.0, identity: str = "1" * 16, **parts) -> Face:
    points = POINTS + shift
    box = np.array([*points.min(0), *points.max(0)], np.float32)
    usual = {"frame": "a.png", "origin": "yunet", "id": identity, "landmarks": points}
    return Face(box, 0.9, **(usual | parts))


def theirs(shift: float = 0.0, **parts) -> FsaFace:
    return face(1, **parts) if shift is None else FsaFace((1, 2, 3, 4), (POINTS + shift).astype(np.float32), **parts)


def film(*found: FsaFace) -> FsaDocument:
    return FsaDocument((FsaFrame("a.png", found),))


@pytest.fixture
def connection(tmp_path):
    with open_database(tmp_path / "faces.db", create=True) as opened:
        faces.add(opened, [(FrameRow("a.png"), [FaceRow(ours())])])
        yield opened


def take_in(connection, found, **options):
    names = {frame.key: frame.key for frame in found.frames}
    return merge(connection, list(from_fsa(found.frames, names, "imported:fsa", Counter())), "import", **options)


def mask():
    return make_mask(np.full((8, 8), 200, np.uint8), [[1, 0, 0], [0, 1, 0]])


def ids(connection, status="kept"):
    return [one.id for one in faces.faces(connection, status)]


def test_the_same_face_stays_as_it_is(connection):
    merged = take_in(connection, film(theirs(2), theirs(400)))
    assert (merged.added, merged.kept, merged.updated) == (1, 1, 0)
    np.testing.assert_array_equal(faces.find_face(connection, "1" * 16).landmarks, POINTS)
    assert changes.history(connection)[0].faces == 1


def test_the_file_wins_where_it_is_preferred(connection):
    merged = take_in(connection, film(theirs(2)), prefer_file=True)
    one = faces.find_face(connection, "1" * 16)
    assert (merged.updated, one.origin, one.box.tolist()) == (1, "imported:fsa", [1, 2, 4, 6])
    np.testing.assert_allclose(one.landmarks, POINTS + 2, atol=1e-4)
    changes.undo(connection)
    assert faces.find_face(connection, "1" * 16).origin == "yunet"


def test_a_face_that_is_here_gets_the_masks_that_it_lacks(connection):
    parts = {"masks": {"m": mask()}, "identities": {"vggface2": np.ones(4, np.float32)}, "thumb": b"jpeg"}
    merged = take_in(connection, film(theirs(0, **parts)))
    assert (merged.kept, merged.completed) == (1, 1)
    found = frame_masks.masks_of(connection, "1" * 16)
    assert [one.kind for one in found] == ["m"] and found[0].origin == "imported:fsa"
    other = {"masks": {"m": make_mask(np.zeros((8, 8), np.uint8), [[1, 0, 0], [0, 1, 0]])}}
    assert take_in(connection, film(theirs(0, **other))).completed == 0
    assert frame_masks.masks_of(connection, "1" * 16)[0].pixels().max() == 200
    take_in(connection, film(theirs(0, **other)), prefer_file=True)
    assert frame_masks.masks_of(connection, "1" * 16)[0].pixels().max() == 0


def test_masks_of_other_points_are_not_taken_for_ours(connection):
    assert take_in(connection, film(theirs(2, masks={"m": mask()}))).completed == 0
    assert frame_masks.masks_of(connection, "1" * 16) == []


@pytest.mark.parametrize("status", ["dropped", "filtered"])
def test_what_a_person_dropped_stays_dropped(connection, status):
    with changing(connection, "drop") as change:
        change.update(ours(), status=status, reason="why")
    assert take_in(connection, film(theirs(0))).not_kept_here == 1
    assert ids(connection) == []
    take_in(connection, film(theirs(0)), prefer_file=True)
    assert ids(connection) == ["1" * 16]


def test_undone_and_done_again(connection):
    take_in(connection, film(theirs(400)))
    before = ids(connection)
    changes.undo(connection)
    assert ids(connection) == ["1" * 16]
    assert take_in(connection, film(theirs(400))).added == 1
    assert ids(connection) == before


def test_a_face_that_was_moved_here_is_known_by_where_it_was(connection):
    take_in(connection, film(theirs(400)))
    one = next(one for one in faces.faces(connection) if one.id != "1" * 16)
    with changing(connection, "move") as change:
        change.update(one, landmarks=one.landmarks + 500)
    assert take_in(connection, film(theirs(400))).added == 0


def test_several_pictures_of_one_face_are_one_face(connection):
    merged = take_in(connection, film(theirs(400), theirs(400), theirs(800)), twins=False)
    assert (merged.added, merged.doubled) == (2, 1)


def test_new_frames_and_what_is_known_of_them(connection):
    found = FsaDocument(
        (FsaFrame("a.png", (), {"pts_time": 7, "keyframe": True}), FsaFrame("b.png", (), {"pts_time": 0.5}))
    )
    assert take_in(connection, found).frames == ["b.png"]
    a, b = frames.frames(connection)
    assert a.extra == {"faceswap": {"video_meta": {"pts_time": 7, "keyframe": True}}} and (a.time, b.time) == (
        None,
        0.5,
    )


def test_damaged_masks_are_left_out_and_counted(connection):
    damaged = make_mask(np.zeros((8, 8), np.uint8), [[1, 0, 0], [0, 1, 0]])
    object.__setattr__(damaged, "packed", b"no stream")
    merged = take_in(connection, film(theirs(400, masks={"bad": damaged, "good": mask()})))
    assert merged.remarks == {"masks that are damaged": 1}
    assert [one.kind for _, one in frame_masks.all_masks(connection)] == ["good"]


def test_points_that_are_no_numbers(connection):
    remarks = Counter()
    nothing = FsaFace((500, 500, 20, 30), np.full((68, 2), np.nan, np.float32))
    (frame,) = from_fsa(film(nothing).frames, {"a.png": "a.png"}, "x", remarks)
    assert merge(connection, [frame], "import").added == 1 and len(remarks) == 1
    assert [one.landmarks is None for one in faces.faces(connection)].count(True) == 1


def test_values_that_json_cannot_hold_are_counted():
    remarks = Counter()
    odd = theirs(0, extra={"a": 1, "b": b"x", "c": {1, 2}})
    (frame,) = from_fsa(film(odd).frames, {"a.png": "a.png"}, "x", remarks)
    assert frame.faces[0].face.extra["faceswap"]["unknown"] == {"a": 1} and remarks.total() == 2


def test_each_face_finds_the_nearest():
    known = [ours(0, "a" * 16), ours(12, "b" * 16)]
    assert same_faces([ours(13, ""), ours(1, ""), ours(700, "")], known) == {0: 1, 1: 0}
    assert same_faces([ours(700, "b" * 16)], known) == {0: 1}


def test_boxes_where_there_are_no_points():
    a, b = (Face(np.array(box, np.float32), 0.5) for box in ([0, 0, 10, 10], [2, 0, 12, 10]))
    nowhere = Face(np.full(4, np.nan, np.float32), 0.5)
    assert distance_of(a, a) == 0 and distance_of(a, b) == pytest.approx((1 - 80 / 120) * 2)
    assert distance_of(a, nowhere) == np.inf
