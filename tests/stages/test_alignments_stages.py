"""The jobs on faces.db as they are typed: each says what it did, and what to type next."""

import pytest
from found_faces import face_at, side_with

from core import stages
from core.__main__ import main, usage
from core.errors import UsageError
from core.options import parse
from core.workspace import Workspace

FRAMES = [f"{number:05d}.png" for number in range(1, 8)]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    places = {name: [face_at(name, 100 + 5 * number)] for number, name in enumerate(FRAMES)}
    places[FRAMES[2]] = []
    places[FRAMES[4]].append(face_at(FRAMES[4], 230))
    made = Workspace(tmp_path / "w")
    side_with(made, places)
    monkeypatch.setenv("WORKSPACE", str(made.root))
    return made


def said(workspace, command: str) -> str:
    name, rest = stages.split(["alignments", *command.split()])
    module = stages.load(name)
    # How far the columns are apart is not looked at.
    return " ".join(str(module.run(parse(module.Options, name, rest), workspace)).split())


# In this order on one workspace: command -> what is in its report.
CONVERSATION = (
    ("info src", ["faces kept 7", "without a picture", "bash scripts/alignments.sh extract src"]),
    ("extract src --workers 1", ["7 faces cut out", "64, whole_face"]),
    ("extract src --workers 1", ["0 faces cut out", "right already 7"]),
    ("no-faces src --list", ["1 frames without faces", "00003.png", "no_faces.json"]),
    ("missing-alignments src", ["0 frames that nobody looked at"]),
    ("missing-frames src", ["0 frames are not there"]),
    ("leftover src", ["0 pictures belong to no kept face"]),
    ("multi-faces src", ["1 frames with several faces", "00005.png 2: "]),
    ("tracks src", ["tracks", "2"]),
    ("persons src", ["7"]),
    ("interpolate src", ["faces added 1", "bash scripts/alignments.sh extract src"]),
    ("smooth src", ["smoothed, strength 0.5", "smoothing.png"]),
    ("spatial src --strength 0", ["smoothed, strength 0"]),
    ("multi-faces src --pick", ["1 faces dropped", "bash scripts/alignments.sh undo src"]),
    ("undo src", ["taken back: pick one face a frame"]),
    ("redo src", ["made again: pick one face a frame"]),
    ("history src", ["pick one face a frame: 1 faces"]),
    ("restore-faces src --reason another", ["1 faces kept again", "another face of the frame"]),
    ("drop src --frame 00001.png --why test", ["1 faces dropped", "test"]),
    ("sort src", ["counted from left to right"]),
    ("rename src", ["0 files renamed"]),
    ("remove-faces src", ["0 faces dropped", "files renamed"]),
    ("repair-list src", ["frames to look at", "00005.png 2 faces: ", "repair_list.txt"]),
    ("draw src", ["overlay.mp4"]),
    ("backup src", ["faces.db copied", "by-hand"]),
    ("restore src", ["1 copies of faces.db"]),
    ("export src --format csv", ["faces of src as csv"]),
    ("export src", ["alignments.fsa"]),
    ("import src {side}/alignments.fsa", ["new faces", "0"]),
    ("merge src {side}/alignments.fsa", ["1 files joined", "alignments.fsa"]),
    ("from-faces src", ["faces of aligned", "here already 6"]),
    ("extract src --out {side}/set --every 2", ["faces cut out"]),
)


def test_a_conversation(workspace):
    for command, words in CONVERSATION:
        text = said(workspace, command.format(side=workspace.side("src").frames))
        missing = [word for word in words if word not in text]
        assert not missing, f"{command}: {missing} not in\n{text}"


def test_every_job_is_part_of_it():
    spoken = {command.split()[0] for command, _ in CONVERSATION}
    jobs = {name.removeprefix("alignments ") for name in stages.names() if name.startswith("alignments ")}
    assert jobs == spoken


def test_half_a_name_lists_the_jobs(capsys):
    with pytest.raises(UsageError) as caught:
        stages.split(["alignments"])
    assert "history" in caught.value.hint
    assert main(["alignments", "--help"]) == 0
    assert "remove-faces" in capsys.readouterr().out
    assert "alignments" in usage() and "remove-faces" not in usage()
    assert main(["alignments", "hitsory", "src"]) == 2
    assert "did you mean alignments history" in capsys.readouterr().err


def test_a_training_set_needs_a_place():
    with pytest.raises(UsageError, match="--out"):
        parse(stages.load("alignments extract").Options, "alignments extract", ["src", "--every", "2"])
