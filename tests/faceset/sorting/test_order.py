"""Renaming, trash and undo: nothing is lost, whatever moment a run is killed at."""

import itertools
import json

import pytest
from portraits import snapshot, write_set

from core.errors import CorruptFileError, InputError
from core.faceset import journal, steps
from core.faceset.gallery import open_gallery
from core.faceset.journal import Move
from core.faceset.sorting.apply import apply
from core.faceset.sorting.order import Order, numbered
from core.faceset.sorting.trash import restore, to_trash
from core.faceset.steps import original_names
from core.formats.pak import PakReader
from core.formats.pak_sources import FileSource
from core.formats.pak_writer import write_pak


class Killed(BaseException):
    """Nothing may catch this."""


@pytest.fixture
def side(tmp_path):
    """Six small files whose new names are partly each other's old ones."""
    folder = tmp_path / "data_src"
    (folder / "aligned").mkdir(parents=True)
    for n in range(6):
        (folder / f"aligned/0000{n}.jpg").write_bytes(b"face %d" % n)
    return folder


def reorder(folder) -> None:
    """0 5 3 4 become 00000.., 1 and 2 are thrown out; the trash has a 00001.jpg already."""
    names = ["00000.jpg", "00005.jpg", "00003.jpg", "00004.jpg"]
    thrown = to_trash(folder, {"00001.jpg": "blurred", "00002.jpg": "too dark"})
    journal.begin(
        folder,
        "sort",
        thrown + [Move(f"aligned/{a}", f"aligned/{b}") for a, b in zip(names, numbered(names), strict=True)],
    )


AFTER = {"00000.jpg": b"face 0", "00001.jpg": b"face 5", "00002.jpg": b"face 3", "00003.jpg": b"face 4"}


def everything(folder) -> list[bytes]:
    return sorted(p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.read_bytes().startswith(b"face"))


def test_apply_and_undo(side):
    before = snapshot(side / "aligned")
    (side / "aligned_trash").mkdir()
    (side / "aligned_trash/00001.jpg").write_bytes(b"face from an earlier sort")
    reorder(side)
    assert snapshot(side / "aligned") == AFTER
    trash = snapshot(side / "aligned_trash")
    assert (
        trash["00001.jpg"] == b"face from an earlier sort"
        and trash["00001~2.jpg"] == b"face 1"
        and trash["00002.jpg"] == b"face 2"
    )
    log = steps.read_trash_log(side)
    assert [(e["file"], e["from"], e["reason"]) for e in log] == [
        ("00001~2.jpg", "aligned/00001.jpg", "blurred"),
        ("00002.jpg", "aligned/00002.jpg", "too dark"),
    ]
    journal.undo(side)
    assert snapshot(side / "aligned") == before


@pytest.mark.parametrize("operation", ["rename", "save"])
@pytest.mark.parametrize("back", [False, True])
def test_killed_at_every_moment(side, monkeypatch, operation, back):
    """After each possible kill the next run finds every byte and completes the change."""
    before = snapshot(side / "aligned")
    act = (lambda: journal.undo(side)) if back else (lambda: reorder(side))
    name = "_rename" if operation == "rename" else "save"
    original = getattr(journal, name)
    for moment in itertools.count():
        if back:
            reorder(side)
        calls = itertools.count()

        def maybe(*args, calls=calls, moment=moment):
            if next(calls) == moment:
                raise Killed
            return original(*args)

        monkeypatch.setattr(journal, name, maybe)
        try:
            act()
            killed = False
        except Killed:
            killed = True
        monkeypatch.setattr(journal, name, original)
        assert everything(side) == [b"face %d" % n for n in range(6)]
        journal.finish(side)
        if killed and operation == "save" and moment == 0:  # the plan was not written: nothing has happened
            assert snapshot(side / "aligned") == (AFTER if back else before)
        else:
            assert snapshot(side / "aligned") == (before if back else AFTER)
        if snapshot(side / "aligned") == AFTER:
            journal.undo(side)
        assert snapshot(side / "aligned") == before
        if not killed:
            break
    assert moment > 3


def test_original_names_survive_several_sorts(side):
    reorder(side)
    names = ["00003.jpg", "00001.jpg", "00000.jpg", "00002.jpg"]
    journal.begin(
        side, "again", [Move(f"aligned/{a}", f"aligned/{b}") for a, b in zip(names, numbered(names), strict=True)]
    )
    origin = original_names(side)
    assert {now: (side / now).read_bytes() for now in origin if "trash" not in now} == {
        now: b"face %d" % int(first[-5]) for now, first in origin.items() if "trash" not in now
    }
    assert origin["aligned_trash/00001.jpg"] == "aligned/00001.jpg"
    journal.undo(side)
    journal.undo(side)
    assert original_names(side) == {}
    with pytest.raises(InputError, match="nothing to undo"):
        journal.undo(side)


def test_undo_without_some_files(side):
    reorder(side)
    (side / "aligned/00002.jpg").unlink()
    _, missing = journal.undo(side)
    assert missing == ["aligned/00002.jpg"]
    assert sorted(snapshot(side / "aligned")) == ["00000.jpg", "00001.jpg", "00002.jpg", "00004.jpg", "00005.jpg"]


def test_a_taken_name_is_refused_before_anything_moves(side):
    reorder(side)
    (side / "aligned/00005.jpg").write_bytes(b"new")
    before = snapshot(side / "aligned")
    with pytest.raises(InputError, match="taken"):
        journal.undo(side)
    assert snapshot(side / "aligned") == before
    with pytest.raises(InputError, match="one name"):
        journal.begin(
            side, "x", [Move("aligned/00000.jpg", "aligned/a.jpg"), Move("aligned/00001.jpg", "aligned/a.jpg")]
        )


def test_a_damaged_record_is_an_error(side):
    reorder(side)
    (side / "aligned_history/000001.json").write_text("{")
    with pytest.raises(CorruptFileError, match="record of moved files"):
        journal.undo(side)


def test_restore_by_reason_and_all(side):
    reorder(side)
    restore(side, "dark")
    assert snapshot(side / "aligned") == AFTER | {"00002~2.jpg": b"face 2"}  # its old name is another face's now
    (side / "aligned_trash/by hand.jpg").write_bytes(b"face put there by hand")
    restore(side)
    found = snapshot(side / "aligned")
    assert found["00001~2.jpg"] == b"face 1" and found["by hand.jpg"] == b"face put there by hand"
    assert restore(side) is None


def test_numbers_are_wide_enough_to_sort_as_strings():
    assert numbered(["b.PNG", "a.jpg"]) == ["00000.PNG", "00001.jpg"]
    names = numbered(["x.jpg"] * 100_001)
    assert names == sorted(names)


@pytest.fixture
def packed(tmp_path):
    folder = tmp_path / "data_src/aligned"
    paths = sorted(write_set(tmp_path / "loose", 6))
    folder.mkdir(parents=True)
    write_pak(folder / "faceset.pak", [FileSource(p) for p in paths])
    return tmp_path / "data_src", {p.name: p.read_bytes() for p in paths}


def test_pak_is_sorted_and_undone(packed):
    side, faces = packed
    before = snapshot(side / "aligned")
    names = tuple(sorted(faces, reverse=True))
    with open_gallery(side / "aligned") as gallery:
        apply(side, gallery, Order("blur", names[1:], rejected={names[0]: "too dark"}))
    with PakReader(side / "aligned/faceset.pak") as pak:
        assert [r.name for r in pak.records] == [f"{n:05d}.jpg" for n in range(5)]
        assert [pak.read(i) for i in range(5)] == [faces[n] for n in names[1:]]
    assert snapshot(side / "aligned_trash")[names[0]] == faces[names[0]]
    assert original_names(side)["aligned/00000.jpg"] == f"aligned/{names[1]}"
    journal.undo(side)
    assert snapshot(side / "aligned") == before


def test_pak_of_persons_keeps_them(tmp_path):
    folder = tmp_path / "data_src/aligned"
    folder.mkdir(parents=True)
    write_pak(
        folder / "faceset.pak",
        [FileSource(p, person) for person in ("ann", "bob") for p in write_set(tmp_path / person, 3)],
    )
    with open_gallery(folder) as gallery:
        names = gallery.names
        apply(tmp_path / "data_src", gallery, Order("x", names[::-1]))
    with PakReader(folder / "faceset.pak") as pak:
        assert [r.person for r in pak.records] == ["bob"] * 3 + ["ann"] * 3
        assert len({r.name for r in pak.records}) == 6


def test_a_killed_pak_sort_leaves_the_old_pak(packed, monkeypatch):
    side, faces = packed
    before = snapshot(side / "aligned")

    def die(*args, **kwargs):
        raise Killed

    monkeypatch.setattr("core.faceset.sorting.pak_order.write_pak", die)
    with open_gallery(side / "aligned") as gallery, pytest.raises(Killed):
        apply(side, gallery, Order("blur", gallery.names))
    assert snapshot(side / "aligned") == before and not list((side / "aligned_history").iterdir())


def test_the_step_file_is_readable(side):
    reorder(side)
    step = json.loads((side / "aligned_history/000001.json").read_text())
    assert (
        step["what"] == "sort"
        and step["phase"] == "done"
        and step["moves"][0] == ["aligned/00001.jpg", "aligned_trash/00001.jpg", "blurred"]
    )
