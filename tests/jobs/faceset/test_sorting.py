"""The jobs of sorting as a program calls them: values in, values out, and who listens hears of progress."""

import shutil

import facekit
import numpy as np
import pytest
from portraits import snapshot, write_face, write_set

from core.errors import CorruptFileError, InputError, Interrupted, UsageError
from core.faceset import journal
from core.faceset.cleaning.rejected import reject
from core.faceset.cleaning.verdicts import VERDICTS
from core.faceset.database import faces as faces_table
from core.faceset.database import images
from core.faceset.database.changes import changing
from core.faceset.database.connection import open_database
from core.faceset.register import open_known
from core.faceset.scores.persons import Persons
from core.faceset.sorting import groups
from core.faceset.sorting.ranking import Choices
from core.formats.pak_sources import FileSource
from core.formats.pak_writer import write_pak
from core.jobs.faceset import clean, group, sort
from core.jobs.faceset.pack import pack_faces
from core.progress import Listener, reporting_to
from core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    write_set(tmp_path / "data_src/aligned", 8)
    return Workspace(tmp_path)


def faces(workspace, side="src") -> dict[str, bytes]:
    return snapshot(workspace.side(side).aligned)


def test_sort_undo_and_restore_tell_what_they_did(workspace):
    before = faces(workspace)
    previewed = sort.preview(workspace, "src", "best", Choices(count=5))
    assert faces(workspace) == before and previewed.listing.exists() and previewed.sheet.exists()
    done = sort.sort(workspace, "src", "best", Choices(count=5))
    assert done.order == previewed.order and len(done.order.names) == 5 and sum(done.order.reasons().values()) == 3
    assert done.moved >= 3 and done.completed == ""
    assert [faces(workspace)[name] for name in done.order.new_names()] == [before[name] for name in done.order.names]
    assert sort.restore(workspace, "src", "no such reason").faces == 0
    assert sort.restore(workspace, "src").faces == 3
    undone = [sort.undo(workspace, "src") for _ in range(2)]
    assert [step.what for step in undone] == ["restore", "sort by best"] and undone[1].moved == done.moved
    assert faces(workspace) == before


def test_groups_are_counted_and_moved(workspace):
    before = faces(workspace)
    shown = group.preview_groups(workspace, "src", "brightness", 3)
    assert faces(workspace) == before and sum(shown.sizes.values()) == 8
    done = group.group(workspace, "src", "brightness", 3)
    assert done.sizes == shown.sizes == {folder.name: len(list(folder.iterdir())) for folder in done.folder.iterdir()}


def persons(side) -> dict[str, str]:
    """Who the database says is on a file, by its name."""
    with open_database(side.database) as connection:
        named = faces_table.persons(connection)
        return {row.name: named[row.face] for rows in images.images_by_folder(connection).values() for row in rows}


@pytest.fixture
def two_people(tmp_path, monkeypatch):
    """The side src, whose faces are alternately of two people, and of one of which somebody said so."""
    side = Workspace(tmp_path).create().side("src")
    facekit.write_faces(side.aligned, 5)
    labels = np.arange(5) % 2
    monkeypatch.setattr(groups, "find_persons", lambda features, least: Persons(labels, labels * 1.0, labels * 1.0))
    with open_known(side) as known:
        faces_table.name_persons(known.connection, {known.ids[0]: "ann"})
    return side


@pytest.mark.parametrize("packed", [False, True])
def test_one_person_stays_and_the_others_come_back(two_people, packed):
    before = faces(two_people.workspace)
    if packed:
        pack_faces(two_people.workspace, "src", remove_originals=True)
    with pytest.raises(UsageError, match="(?s)person_07.*person_00"):
        group.keep_groups(two_people.workspace, "src", "persons", ["person_07"])
    done = group.keep_groups(two_people.workspace, "src", "persons", ["person_00"])
    assert (done.kept, done.rejected) == (done.sizes["person_00"], len(before) - done.sizes["person_00"])
    with open_known(two_people) as known:
        assert len(known.faceset) == done.kept > 0
    if not packed:
        left = faces(two_people.workspace)
        assert left.items() < before.items() and len(left) == done.kept
    assert sort.undo(two_people.workspace, "src").what == "keep person_00"
    with open_known(two_people) as known:
        assert len(known.faceset) == len(before)


def test_who_has_grouped_everything_is_told_so(two_people):
    group.group(two_people.workspace, "src", "persons")
    for job in (sort.sort, group.preview_groups):
        with pytest.raises(InputError, match="aligned_groups.*--undo"):
            job(two_people.workspace, "src", "yaw")
    with pytest.raises(InputError, match="aligned_groups.*--undo"):
        pack_faces(two_people.workspace, "src")


@pytest.mark.parametrize("by", ["persons", "clusters", "Face", "identity"])
def test_groups_of_persons_name_them_until_it_is_undone(two_people, by):
    before = persons(two_people)
    assert sorted(set(before.values())) == ["", "ann"]
    done = group.group(two_people.workspace, "src", by)
    assert {path.name: path.parent.name for path in done.folder.rglob("*.jpg")} == persons(two_people)
    sort.undo(two_people.workspace, "src")
    assert persons(two_people) == before
    folder = group.preview_groups(two_people.workspace, "src", by.upper()).folder
    assert folder.name in ("groups_persons", "groups_identity")


def test_a_division_that_is_refused_names_nobody(two_people, tmp_path):
    before = persons(two_people)
    (two_people.frames / "aligned_groups").symlink_to(tmp_path)
    with pytest.raises(CorruptFileError):
        group.group(two_people.workspace, "src", "persons")
    assert persons(two_people) == before


def test_persons_are_named_after_a_kill_too(two_people, monkeypatch):
    with monkeypatch.context() as killed:
        killed.setattr(journal, "_note_in_database", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            group.group(two_people.workspace, "src", "persons")
    journal.finish(two_people.frames)
    assert set(persons(two_people).values()) == {"person_00", "person_01"}


def test_clean_names_what_goes(workspace):
    write_face(workspace.side("src").aligned, "dark.jpg", seed=40, fault="dark")
    before = faces(workspace)
    found = clean.review(workspace, "src", {"too dark"})
    assert set(found.rejected) == {"dark.jpg"} and "too dark" in found.rejected["dark.jpg"]
    assert set(found.names) == set(before) == set(faces(workspace)) and found.page.exists()
    assert clean.clean(workspace, "src", {"too dark"}).rejected == found.rejected
    assert set(before) - set(faces(workspace)) == {"dark.jpg"}
    # The page leads to where the faces are now.
    assert 'href="../aligned_trash/dark.jpg"' in found.page.read_text()
    assert (workspace.side("src").aligned_trash / "dark.jpg").is_file()


def rejecting(workspace, name, *verdicts):
    """What the workbench does when somebody keeps a face although it is as cleaning says."""
    with open_database(workspace.side("src").database) as connection, changing(connection, "reject") as change:
        (face,) = [face for face, shown in images.names_of_faces(connection, images.ALIGNED).items() if shown == name]
        reject(change, faces_table.find_face(connection, face), verdicts)


def test_clean_leaves_alone_what_somebody_keeps_anyway(workspace):
    side = workspace.side("src")
    for seed, name in enumerate(("dark.jpg", "darker.jpg"), 40):
        write_face(side.aligned, name, seed=seed, fault="dark")
    assert set(clean.review(workspace, "src", {"too dark"}).rejected) == {"dark.jpg", "darker.jpg"}
    rejecting(workspace, "dark.jpg", *VERDICTS)
    found = clean.clean(workspace, "src")
    assert set(found.rejected) == {"darker.jpg"} and "kept anyway (1)" in found.page.read_text()
    assert (side.aligned / "dark.jpg").is_file()
    # It is known by its face, whatever its file is called.
    sort.sort(workspace, "src", "blur")
    assert not clean.review(workspace, "src").rejected
    pack_faces(workspace, "src", remove_originals=True)
    assert list(clean.review(workspace, "src").verdicts.kept_anyway.values()) == [("too dark",)]


def test_a_rejected_verdict_does_not_hide_another_one(workspace):
    write_face(workspace.side("src").aligned, "dark.jpg", seed=40, fault="dark")
    clean.review(workspace, "src")
    rejecting(workspace, "dark.jpg", "blurred", "too bright")
    assert "dark.jpg" in clean.review(workspace, "src").rejected


def test_in_the_film_blurred_faces_and_duplicates_stay(workspace):
    assert clean.usual_verdicts("src") - clean.usual_verdicts("dst") == {"blurred", "duplicate"}


@pytest.mark.parametrize("originals", [False, True])
def test_the_poses_of_a_packed_other_side_are_shown(workspace, originals):
    """Packing leaves the loose originals where they are: they do not hide the pak."""
    other = workspace.side("dst")
    paths = facekit.write_faces(other.aligned, 3)
    write_pak(other.pak, [FileSource(path) for path in paths])
    if not originals:
        for path in paths:
            path.unlink()
    assert other.has_faces()
    assert "dst: 3 faces" in clean.review(workspace, "src").page.read_text()


def test_a_pak_beside_its_originals_is_not_sorted(workspace):
    side = workspace.side("src")
    write_pak(side.pak, [FileSource(path) for path in sorted(side.aligned.glob("*.jpg"))])
    with pytest.raises(InputError, match="packed faceset and loose"):
        sort.sort(workspace, "src", "yaw")
    with pytest.raises(InputError, match="is packed"):
        sort.restore(workspace, "src")


def test_a_packed_faceset_is_not_divided(workspace):
    side = workspace.side("src")
    paths = sorted(side.aligned.glob("*.jpg"))
    write_pak(side.pak, [FileSource(path) for path in paths])
    for path in paths:
        path.unlink()
    with pytest.raises(InputError, match="cannot be divided"):
        group.group(workspace, "src", "yaw")
    assert sum(group.preview_groups(workspace, "src", "yaw").sizes.values()) == 8


def test_a_listener_cancels_before_anything_moves(workspace):
    class Impatient(Listener):
        def update(self, task):
            raise Interrupted("cancelled")

    before = faces(workspace)
    with reporting_to(Impatient()), pytest.raises(Interrupted):
        sort.sort(workspace, "src", "yaw")
    assert faces(workspace) == before
    sort.sort(workspace, "src", "yaw")


def test_nothing_moves_while_another_run_holds_the_side(workspace):
    with workspace.side("src").locked():
        for job in (sort.sort, sort.preview, group.group):
            with pytest.raises(InputError, match="another run"):
                job(workspace, "src", "yaw")
    shutil.rmtree(workspace.side("src").aligned)
    with pytest.raises(InputError, match="no faces"):
        sort.sort(workspace, "src", "yaw")


@pytest.mark.parametrize("by", ["best", "yaw"])
def test_a_sort_that_would_leave_nothing_is_refused(tmp_path, by):
    """Images that are no faces of ours, such as another program's."""
    workspace = Workspace(tmp_path).create()
    side = workspace.side("src")
    for number in range(3):
        (side.aligned / f"{number}.png").write_bytes(facekit.png(64, seed=number))
    with pytest.raises(InputError, match="nothing would be left") as caught:
        sort.sort(workspace, "src", by)
    assert "all 3 images" in caught.value.why
    assert len(list(side.aligned.iterdir())) == 3
    assert not side.aligned_trash.exists()
