"""Jobs on the database: what is decided, what follows, and that everything can be taken back."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from found_faces import face_at, frame_image, points_at, side_with

from core.errors import InputError, UsageError
from core.faceset.alignments.decisions import Which
from core.faceset.database import faces, images
from core.faceset.database.changes import changing
from core.faceset.database.connection import open_database
from core.faceset.database.masks import MaskRow, MaskTable, checksum
from core.faceset.identity import record_geometry
from core.formats import dfl_image
from core.geometry.align import FaceType, transform_points
from core.imaging.codec import decode_image
from core.imaging.masks import decode_mask, encode_mask
from core.jobs.alignments import decide, history, look, names
from core.jobs.alignments.crop_plan import Again
from core.jobs.alignments.extract import extract_again
from core.types import Polygon
from core.workspace import Workspace, list_images

FRAMES = [f"{number:05d}.png" for number in range(1, 5)]


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "w")


@pytest.fixture
def side(workspace):
    """Four frames: one face, three faces, none, two faces; cut out."""
    places = {FRAMES[0]: [150], FRAMES[1]: [60, 160, 260], FRAMES[2]: [], FRAMES[3]: [90, 220]}
    made = side_with(workspace, {frame: [face_at(frame, x) for x in there] for frame, there in places.items()})
    extract_again(workspace, "src", Again())
    return made


def names_of(side) -> list[str]:
    return [path.name for path in list_images(side.aligned)]


def record(side, name: str):
    path = side.aligned / name
    return dfl_image.parse(path.read_bytes(), name, where=path)


def status(side) -> dict[str, tuple[str, str]]:
    with open_database(side.database) as connection:
        return {face.id: (face.status, face.reason) for face in faces.faces(connection, "")}


def move(side, face_id: str, by: float) -> None:
    with open_database(side.database) as connection:
        face = faces.find_face(connection, face_id)
        with changing(connection, "move") as change:
            change.update(face, landmarks=face.landmarks + by, origin="hand")


def test_every_kept_face_gets_a_crop_that_says_whose_it_is(side, workspace):
    assert len(names_of(side)) == 6
    for name in names_of(side):
        found = record(side, name)
        with open_database(side.database) as connection:
            face = faces.find_face(connection, found.face_id)
        np.testing.assert_allclose(found.source_landmarks, face.landmarks)
        assert found.source_filename == face.frame
        assert found.shape == (64, 64)
    again = extract_again(workspace, "src", Again())
    assert (again.made, again.up_to_date) == (0, 6)


def test_only_what_moved_is_cut_out_again_and_its_name_stays(side, workspace):
    before = {name: (side.aligned / name).read_bytes() for name in names_of(side)}
    moved = record(side, "00001_0.jpg").face_id
    move(side, moved, 9)
    done = extract_again(workspace, "src", Again())
    assert (done.made, done.up_to_date) == (1, 5)
    after = {name: (side.aligned / name).read_bytes() for name in names_of(side)}
    assert [name for name in before if before[name] != after[name]] == ["00001_0.jpg"]
    assert record(side, "00001_0.jpg").face_id == moved
    history.undo(workspace, "src")
    extract_again(workspace, "src", Again())
    assert {name: (side.aligned / name).read_bytes() for name in names_of(side)} == before


def test_a_mask_and_polygons_stay_where_they_are_in_the_frame(side, workspace):
    name = "00001_0.jpg"
    old = record(side, name)
    mask = np.zeros((64, 64), np.float32)
    cv2.circle(mask, (30, 34), 9, 1.0, -1)
    drawn = Polygon(True, np.array([[20, 20], [40, 20], [40, 44]], np.float32))
    changed = replace(old, xseg_mask=encode_mask(mask, "xseg"), polygons=(drawn,), extra={"note": "kept"})
    dfl_image.write(side.aligned / name, (side.aligned / name).read_bytes(), changed)
    with open_database(side.database) as connection, MaskTable(connection) as table:
        row = MaskRow(old.face_id, "xseg", "net", checksum(changed.xseg_mask), 0.1, 0.1, record_geometry(old))
        table.add(row)
    move(side, old.face_id, 6)
    extract_again(workspace, "src", Again())
    new = record(side, name)
    to_frame = [cv2.invertAffineTransform(found.image_to_face_mat) for found in (old, new)]
    for one, other in zip(changed.polygons, new.polygons, strict=True):
        places = [transform_points(p.points, m) for p, m in zip((one, other), to_frame, strict=True)]
        np.testing.assert_allclose(places[0], places[1], atol=0.01)
    centres = []
    for found, matrix in zip((changed, new), to_frame, strict=True):
        pixels = np.argwhere(decode_mask(found.xseg_mask)[..., 0] > 0.5)[:, ::-1].astype(np.float64)
        centres.append(transform_points(pixels, matrix).mean(axis=0))
    np.testing.assert_allclose(centres[0], centres[1], atol=0.6)
    assert new.extra == {"note": "kept"}
    with open_database(side.database) as connection, MaskTable(connection) as table:
        assert table.row(new) is not None, "the moved mask is known"
        assert not table.done(new, "net"), "and stale"


def test_another_size_makes_all_of_them_again_and_a_later_extraction_agrees(side, workspace):
    done = extract_again(workspace, "src", Again(size=96, face_type=FaceType.HEAD))
    assert done.made == 6
    assert record(side, "00002_1.jpg").shape == (96, 96)
    assert record(side, "00002_1.jpg").face_type == "head"
    from core.faceset.database import extraction

    with open_database(side.database) as connection:
        found = extraction.read_settings(connection)
    assert (found["image_size"], found["face_type"]) == (96, "head")


def test_a_training_set_goes_elsewhere_and_touches_nothing(side, workspace, tmp_path):
    with open_database(side.database) as connection, changing(connection, "name") as change:
        for face in list(faces.faces(connection)):
            change.update(face, person="ann" if face.landmarks[:, 0].mean() < 170 else "bob")
    before = names_of(side)
    out = tmp_path / "set"
    done = extract_again(workspace, "src", Again(out=out, every=2, persons=("ann",), size=128))
    assert done.made == len(list_images(out)) == 1
    assert names_of(side) == before
    with pytest.raises(InputError, match="pictures already"):
        extract_again(workspace, "src", Again(out=out))
    small = extract_again(workspace, "src", Again(out=tmp_path / "large", size=1024, min_scale=100))
    assert (small.made, small.small) == (0, 6)


def test_deleted_pictures_become_decisions_each_with_its_own_face(side, workspace):
    """Three faces share a frame, the files were sorted the other way round, the middle one is deleted."""
    whose = {name: record(side, name).face_id for name in names_of(side)}
    for number, name in enumerate(reversed([n for n in whose if n.startswith("00002")])):
        (side.aligned / name).rename(side.aligned / f"{number:05d}_sorted.jpg")
    deleted = record(side, "00001_sorted.jpg").face_id
    (side.aligned / "00001_sorted.jpg").unlink()
    done = decide.remove_faces(workspace, "src", rename=True)
    assert (done.reasons, done.renamed) == ({"picture deleted": 1}, 2)
    assert [face for face, (state, _) in status(side).items() if state == "dropped"] == [deleted]
    assert {name: record(side, name).face_id for name in names_of(side)} == {
        name: face for name, face in whose.items() if face != deleted
    }
    assert history.undo(workspace, "src").change.faces == 1
    assert status(side)[deleted] == ("kept", "")


def test_what_lies_in_the_trash_is_dropped_for_its_reason_and_comes_back(side, workspace):
    from core.faceset import journal
    from core.faceset.sorting.trash import to_trash

    face = record(side, "00004_1.jpg").face_id
    journal.begin(side.frames, "clean", to_trash(side.frames, {"00004_1.jpg": "blurred"}))
    assert decide.remove_faces(workspace, "src").reasons == {"in the trash: blurred": 1}
    done = decide.restore_faces(workspace, "src", Which(reasons=("blurred",)))
    assert (done.faces, done.without_picture) == (1, 0)
    assert "00004_1.jpg" in names_of(side)
    assert status(side)[face] == ("kept", "")


def test_undoing_a_clean_brings_the_faces_back_with_their_pictures(side, workspace):
    from core.faceset import journal
    from core.faceset.sorting.trash import to_trash

    journal.begin(side.frames, "clean", to_trash(side.frames, {"00004_1.jpg": "blurred"}))
    decide.remove_faces(workspace, "src")
    journal.undo(side.frames)
    done = decide.remove_faces(workspace, "src")
    assert (done.faces, done.returned) == (0, 1)
    assert all(state == "kept" for state, _ in status(side).values())


def test_packed_faces_are_unpacked_before_anything_is_decided_about_them(side, workspace):
    from core.jobs.faceset.pack import pack_faces

    pack_faces(workspace, "src", remove_originals=True)
    for decision in (
        lambda: decide.remove_faces(workspace, "src"),
        lambda: decide.drop_faces(workspace, "src", Which(frames=(FRAMES[0],))),
        lambda: look.multi_faces(workspace, "src", pick=True),
        lambda: extract_again(workspace, "src", Again()),
    ):
        with pytest.raises(InputError, match="packed"):
            decision()
    assert all(state == "kept" for state, _ in status(side).values())
    assert look.info(workspace, "src").packed


def test_no_picture_at_all_is_no_choice(side, workspace):
    for path in list_images(side.aligned):
        path.unlink()
    with pytest.raises(UsageError, match="no picture is left"):
        decide.remove_faces(workspace, "src")
    assert all(state == "kept" for state, _ in status(side).values())


def test_filtered_faces_come_back_by_id_reason_and_by_moving_their_picture(side, workspace):
    extra = {
        reason: face_at(FRAMES[2], x, status="filtered", reason=reason)
        for reason, x in (("too far", 60), ("too small", 160), ("unwanted", 260))
    }
    with open_database(side.database) as connection, changing(connection, "add") as change:
        frame = connection.execute("SELECT frame FROM frames WHERE name = ?", (FRAMES[2],)).fetchone()[0]
        for face in extra.values():
            change.add(frame, face)
    with pytest.raises(InputError, match="no face has this id"):
        decide.restore_faces(workspace, "src", Which(ids=("0" * 16,)))
    with pytest.raises(UsageError, match="which faces"):
        decide.restore_faces(workspace, "src", Which())
    by_id = decide.restore_faces(workspace, "src", Which(ids=(extra["too far"].id,)))
    assert (by_id.faces, by_id.without_picture) == (1, 1)
    assert decide.restore_faces(workspace, "src", Which(reasons=("small",))).reasons == {"too small": 1}
    assert extract_again(workspace, "src", Again()).made == 2
    # Cut out by hand from elsewhere: a file that says whose it is.
    picture = side.frames / "aligned_filtered" / "x.jpg"
    picture.parent.mkdir()
    source = side.aligned / "00001_0.jpg"
    moved = replace(
        record(side, "00001_0.jpg"),
        face_id=extra["unwanted"].id,
        source_filename=FRAMES[2],
        source_landmarks=extra["unwanted"].landmarks,
    )
    dfl_image.write(picture, source.read_bytes(), moved)
    picture.rename(side.aligned / "rescued.jpg")
    assert decide.restore_faces(workspace, "src", Which(), moved=True).reasons == {"unwanted": 1}
    assert status(side)[extra["unwanted"].id] == ("kept", "")
    assert len(names_of(side)) == 9, "no picture was lost to another of its frame"


def test_dropping_and_undoing_moves_the_pictures_along(side, workspace):
    face = record(side, "00002_1.jpg").face_id
    decide.drop_faces(workspace, "src", Which(ids=(face,)), "a poster")
    assert "00002_1.jpg" not in names_of(side)
    assert (side.aligned_trash / "00002_1.jpg").is_file()
    history.undo(workspace, "src")
    assert "00002_1.jpg" in names_of(side)
    history.redo(workspace, "src")
    assert "00002_1.jpg" not in names_of(side)
    assert status(side)[face] == ("dropped", "a poster")


def test_a_run_that_is_killed_before_the_files_follow_is_completed_by_the_next(side, workspace, monkeypatch):
    from core.jobs.alignments import opened

    face = record(side, "00002_1.jpg").face_id
    calls = []

    def killed(connection, frames):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return 0

    monkeypatch.setattr(opened, "settle", killed)
    with pytest.raises(KeyboardInterrupt):
        decide.drop_faces(workspace, "src", Which(ids=(face,)))
    monkeypatch.undo()
    assert "00002_1.jpg" in names_of(side)
    names.rename(workspace, "src")
    assert "00002_1.jpg" not in names_of(side)


def test_one_face_a_frame_is_picked_by_person_then_by_track_then_by_size(side, workspace):
    with open_database(side.database) as connection, changing(connection, "name") as change:
        for face in list(faces.faces(connection)):
            x = face.landmarks[:, 0].mean()
            change.update(face, person="ann" if 130 < x < 170 or x < 100 else "bob", track=1 if x < 70 else 2)
    found = look.multi_faces(workspace, "src")
    assert {frame: len(ids) for frame, ids in found.frames.items()} == {FRAMES[1]: 3, FRAMES[3]: 2}
    assert found.dropped == 0
    done = look.multi_faces(workspace, "src", pick=True, person="bob")
    assert done.dropped == 3
    with open_database(side.database) as connection:
        left = {face.frame: face.person for face in faces.faces(connection)}
    assert left == {FRAMES[0]: "ann", FRAMES[1]: "bob", FRAMES[3]: "bob"}
    assert len(names_of(side)) == 3
    history.undo(workspace, "src")
    look.multi_faces(workspace, "src", pick=True)
    with open_database(side.database) as connection:
        assert {face.frame: face.person for face in faces.faces(connection)}[FRAMES[1]] == "ann"


def test_checks_name_what_is_missing_and_what_is_too_much(side, workspace):
    assert look.no_faces(workspace, "src").found == {FRAMES[2]: ""}
    (side.frames / FRAMES[1]).unlink()
    (side.frames / "00009.png").write_bytes((side.frames / FRAMES[0]).read_bytes())
    assert look.missing_frames(workspace, "src").found == {FRAMES[1]: ""}
    assert look.missing_alignments(workspace, "src").found == {"00009.png": ""}
    (side.aligned / "stranger.jpg").write_bytes(cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    done = look.leftover(workspace, "src", write=True)
    assert done.found == {"stranger.jpg": "it shows no face that is known"}
    assert [path.read_text() != "" for path in done.files] == [True, True]


def test_frames_that_are_gone_are_named_and_the_others_are_cut_out(side, workspace):
    for name in names_of(side):
        move(side, record(side, name).face_id, 3)
    (side.frames / FRAMES[1]).unlink()
    (side.frames / FRAMES[3]).write_bytes(b"no picture")
    done = extract_again(workspace, "src", Again())
    assert done.made == 1
    assert done.unread == (FRAMES[1],)
    assert {name for name, _ in done.problems} == {"00004_0.jpg", "00004_1.jpg"}


def test_statistics_count_everything(side, workspace):
    move(side, record(side, "00001_0.jpg").face_id, 4)
    bent = record(side, "00002_0.jpg").face_id
    with open_database(side.database) as connection:
        face = faces.find_face(connection, bent)
        with changing(connection, "bend") as change:
            change.update(face, landmarks=face.landmarks * [1, 0.3] + [0, 70])
    decide.drop_faces(workspace, "src", Which(frames=(FRAMES[3],)), "test")
    found = look.info(workspace, "src")
    counts = found.statistics
    assert (counts.frames, counts.empty, counts.several, counts.corrupt) == (4, 2, 1, 0)
    assert counts.statuses == {"dropped": 2, "kept": 4}
    assert counts.reasons == {("dropped", "test"): 2}
    assert counts.origins == {"yunet": 3, "hand": 1}
    assert (counts.stale, counts.without_picture, counts.changes) == (2, 0, 3)
    assert [face.id for face in found.misaligned] == [bent]


def test_faces_of_a_frame_are_counted_from_left_to_right(side, workspace):
    done = names.sort_by_position(workspace, "src")
    assert done.faces == 6
    for frame in ("00002", "00004"):
        there = [record(side, name) for name in names_of(side) if name.startswith(frame)]
        lefts = [found.source_landmarks[:, 0].min() for found in there]
        assert lefts == sorted(lefts)
    assert names.sort_by_position(workspace, "src") == names.Sorted(0, 0)


def test_names_stay_those_of_extraction_through_changes_of_the_files(side, workspace):
    name = "00002_1.jpg"
    (side.aligned / name).rename(side.aligned / "zzz.jpg")
    names.rename(workspace, "src")
    assert name in names_of(side)
    (side.aligned / name).rename(side.aligned / "zzz.jpg")
    look.leftover(workspace, "src")
    found = record(side, "zzz.jpg")
    dfl_image.write(side.aligned / "zzz.jpg", (side.aligned / "zzz.jpg").read_bytes(), replace(found, extra={"a": 1}))
    names.rename(workspace, "src")
    assert name in names_of(side)


def test_copies_are_listed_and_put_back(side, workspace):
    made = history.back_up(workspace, "src")
    decide.drop_faces(workspace, "src", Which(frames=(FRAMES[1],)))
    with pytest.raises(InputError, match="no such copy"):
        history.restore(workspace, "src", "none.db")
    done = history.restore(workspace, "src", made.name)
    assert all(state == "kept" for state, _ in status(side).values())
    assert {copy.name for copy in history.copies(workspace, "src")} == {made.name, done.before.name}


def test_crops_show_their_place_in_the_frame(side):
    """The same pixels as cut from the frame by the matrix in the file."""
    from core.imaging.warp import warp_face

    found = record(side, "00001_0.jpg")
    expected = warp_face(frame_image(0), found.image_to_face_mat, 64)
    pixels = decode_image((side.aligned / "00001_0.jpg").read_bytes(), "x")
    assert np.abs(pixels.astype(int) - expected).mean() < 6
    np.testing.assert_allclose(found.source_landmarks, points_at(150, 100))
    assert {row.face_type for row in _rows(side)} == {"whole_face"}


def _rows(side):
    with open_database(side.database) as connection:
        return list(images.images(connection))


def test_a_deletion_that_was_noted_is_not_told_again(side, workspace):
    (side.aligned / "00002_1.jpg").unlink()
    decide.remove_faces(workspace, "src")
    from core.jobs.side import opened_side

    with opened_side(workspace, "src") as opened:
        assert opened.deleted == ()


def test_a_name_of_nobody_is_an_error_and_not_an_empty_choice(side, workspace, tmp_path):
    for slip in (
        lambda: decide.drop_faces(workspace, "src", Which(persons=("zoe",))),
        lambda: decide.restore_faces(workspace, "src", Which(persons=("zoe",))),
        lambda: extract_again(workspace, "src", Again(out=tmp_path / "set", persons=("zoe",))),
    ):
        with pytest.raises(InputError, match="nobody of that name"):
            slip()
