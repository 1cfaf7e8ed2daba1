"""Records of moved files from a stranger: what they name stays where it is."""

import json
import os

import facekit
import pytest

from core.errors import CorruptFileError
from core.faceset import journal, steps
from core.faceset.journal import Move
from core.faceset.sorting import trash
from core.jobs.faceset.sort import sort, undo
from core.workspace import Workspace

SOUND = {
    "number": 1,
    "what": "sort by hist",
    "moves": [["aligned/00001_0.jpg", "aligned/1.jpg", ""]],
    "renames": [],
    "direction": "forward",
    "phase": "away",
    "time": "",
}


@pytest.fixture
def side(tmp_path):
    found = Workspace(tmp_path / "ws").create().side("src")
    facekit.write_faces(found.aligned, 3)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/id_rsa").write_text("secret")
    (found.frames / "aligned_history").mkdir()
    return found


def write_step(side, **changes) -> None:
    (side.frames / "aligned_history/000001.json").write_text(json.dumps({**SOUND, **changes}))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


HOSTILE = [
    ["../../home/id_rsa", "aligned/id_rsa.jpg", ""],
    ["aligned/00001_0.jpg", "../../home/authorized_keys", ""],
    ["aligned/../../../home/id_rsa", "aligned/x.jpg", ""],
    ["/etc/hostname", "aligned/x.jpg", ""],
    ["aligned/00001_0.jpg", "/tmp/x.jpg", ""],
    ["00001.png", "aligned/x.jpg", ""],
    ["faces.db", "aligned/x.jpg", ""],
    ["aligned_views/x", "aligned/x.jpg", ""],
    ["aligned", "aligned_trash/x", ""],
    ["aligned/", "aligned_trash/x", ""],
    ["aligned/a\0b", "aligned_trash/x", ""],
]


@pytest.mark.parametrize("move", HOSTILE)
@pytest.mark.parametrize("phase", steps.PHASES)
def test_moves_that_lead_out_are_refused(side, move, phase, tmp_path):
    write_step(side, moves=[move], phase=phase)
    before = names(side.aligned), names(tmp_path / "home")
    for work in (
        lambda: journal.finish(side.frames),
        lambda: sort(side.workspace, "src", "blur"),
        lambda: undo(side.workspace, "src"),
    ):
        with pytest.raises(CorruptFileError, match="leads out") as caught:
            work()
        assert caught.value.exit_code == 7
        assert "000001.json" in str(caught.value.where)
    assert (names(side.aligned), names(tmp_path / "home")) == before


@pytest.mark.parametrize("place", ["aligned_trash", "aligned_groups"])
def test_links_are_not_followed(side, place, tmp_path):
    (side.frames / place).symlink_to(tmp_path / "home")
    write_step(side, moves=[[f"{place}/id_rsa", "aligned/id_rsa.jpg", ""]])
    with pytest.raises(CorruptFileError):
        journal.finish(side.frames)
    (side.frames / "aligned_history/000001.json").unlink()
    with pytest.raises(CorruptFileError):
        journal.begin(side.frames, "x", [Move("aligned/00001_0.jpg", f"{place}/00001_0.jpg")])
    assert names(tmp_path / "home") == ["id_rsa"]
    assert len(names(side.aligned)) == 3


def test_a_faceset_on_another_disk_is_sorted(side, tmp_path):
    side.aligned.rename(tmp_path / "large")
    side.aligned.symlink_to(tmp_path / "large")
    assert journal.begin(side.frames, "x", [Move("aligned/00001_0.jpg", "aligned_trash/00001_0.jpg")])
    assert names(tmp_path / "large") == ["00002_0.jpg", "00003_0.jpg"]


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "1"},
        {"number": {"polys": [{}]}},
        {"number": 2},
        {"moves": [[1, 2]]},
        {"moves": [["aligned/5.jpg", 1e308, "blurred"]]},
        {"moves": [["aligned/5.jpg"]]},
        {"moves": "aligned"},
        {"moves": None},
        {"renames": [["a"]]},
        {"renames": [[1, 2]]},
        {"persons": 5},
        {"persons": [["face", "ann"]]},
        {"persons": [["face", "ann", None]]},
        {"direction": [[float("nan"), 1]] * 40},
        {"direction": "sideways"},
        {"phase": None},
    ],
)
def test_records_that_make_no_sense_are_named(side, changes):
    write_step(side, **changes)
    with pytest.raises(CorruptFileError, match="damaged record") as caught:
        journal.finish(side.frames)
    assert caught.value.hint
    assert len(names(side.aligned)) == 3


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 100_000, "\0", "{"])
def test_records_that_are_none(side, text):
    (side.frames / "aligned_history/000001.json").write_text(text)
    with pytest.raises(CorruptFileError, match="damaged record"):
        journal.finish(side.frames)


def test_a_record_that_never_ends_does_not_wait(side):
    os.mkfifo(side.frames / "aligned_history/000001.json")
    with pytest.raises(CorruptFileError, match="not a file"):
        journal.finish(side.frames)


@pytest.mark.parametrize(
    "entry",
    [
        {"file": "../../home/id_rsa"},
        {"file": 5},
        {"file": "a.jpg", "from": "../../home/x"},
        {"file": "a.jpg", "from": 5},
    ],
)
def test_the_log_of_the_trash_names_files_of_the_trash(side, entry, tmp_path):
    (side.frames / "aligned_trash").mkdir()
    (side.frames / "aligned_trash/a.jpg").write_bytes(facekit.face())
    (side.frames / "aligned_trash/trash.jsonl").write_text(json.dumps(entry) + "\n")
    with pytest.raises(CorruptFileError, match="leads out"):
        trash.restore(side.frames)
    assert names(tmp_path / "home") == ["id_rsa"]


def test_odd_lines_of_the_log_are_passed_over(side):
    folder = side.frames / "aligned_trash"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(facekit.face())
    lines = ["{", "7", '{"fine": "a.jpg"}', '{"file": "a.jpg", "reason": 5}', "[" * 100_000]
    (folder / "trash.jsonl").write_text("\n".join(lines))
    assert steps.read_trash_log(side.frames) == []
    assert trash.restore(side.frames)
    assert (side.aligned / "a.jpg").is_file()


def test_the_log_is_not_written_through_a_link(side, tmp_path):
    (side.frames / "aligned_trash").mkdir()
    (side.frames / "aligned_trash/trash.jsonl").symlink_to(tmp_path / "home/id_rsa")
    with pytest.raises(CorruptFileError, match="a link"):
        journal.begin(side.frames, "x", [Move("aligned/00001_0.jpg", "aligned_trash/00001_0.jpg", "blurred")])
    assert (tmp_path / "home/id_rsa").read_text() == "secret"


def test_names_with_backslashes_are_names_of_files_here(side):
    (side.aligned / "00001_0.jpg").rename(side.aligned / "a\\b.jpg")
    assert journal.begin(side.frames, "x", [Move("aligned/a\\b.jpg", "aligned/c.jpg")])
    journal.undo(side.frames)
    assert "a\\b.jpg" in names(side.aligned)
