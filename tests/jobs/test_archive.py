"""Earlier films of a side are put away and brought back, whole, whenever a run is killed."""

import os
from pathlib import Path

import facekit
import pytest
from clips import make_clip, pattern
from portraits import snapshot

from core.errors import InputError
from core.faceset.register import open_known
from core.jobs import archive as job
from core.jobs.archive import archive, archives, bring_back, newcomer
from core.jobs.extract_frames import extract_frames
from core.options import parse
from core.stages import archive as stage
from core.video.selection import Selection
from core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path, any_ffmpeg):
    """A film, its frames, faces cut from them with their database, and cues of the film."""
    workspace = Workspace(tmp_path / "work").create()
    make_clip(workspace.root / "data_dst.mp4", *pattern(0.3))
    extract_frames(workspace, "dst", Selection())
    facekit.write_faces(workspace.side("dst").aligned, 2)
    with open_known(workspace.side("dst")):
        pass
    (workspace.root / "convert.toml").write_text("# cues\n")
    return workspace


def files(workspace) -> dict[str, bytes]:
    """Everything of the target side, by its place."""
    found = snapshot(workspace.side("dst").frames)
    return found | {path.name: path.read_bytes() for path in workspace.root.glob("[!.]*.*") if path.is_file()}


def another_film(workspace, name="data_dst.mkv"):
    make_clip(workspace.root / name, *pattern(0.5, "96x64"))


def test_a_side_is_put_away_and_comes_back(workspace):
    before = files(workspace)
    made = archive(workspace, "dst")
    assert (made.video, made.frames, made.faces, made.moving) == ("data_dst.mp4", 3, 2, "")
    assert not files(workspace) and workspace.side("dst").aligned.is_dir()
    assert archives(workspace.side("dst")) == (made,)
    with pytest.raises(InputError, match="nothing to put away"):
        archive(workspace, "dst")
    done = bring_back(workspace, "dst", made.name)
    assert done.put_away is None and files(workspace) == before
    assert archives(workspace.side("dst")) == () and not job.archive_folder(workspace.side("dst")).exists()
    assert not extract_frames(workspace, "dst", Selection()).made


def test_two_films_change_places(workspace):
    first = files(workspace)
    archive(workspace, "dst")
    another_film(workspace)
    extract_frames(workspace, "dst", Selection())
    second = files(workspace)
    done = bring_back(workspace, "dst", "newest")
    assert files(workspace) == first and done.put_away.video == "data_dst.mkv"
    bring_back(workspace, "dst", done.put_away.name)
    assert files(workspace) == second


@pytest.mark.parametrize("old_film_is_there", [True, False])
def test_frames_of_another_film_are_put_away_when_that_is_wanted(workspace, old_film_is_there):
    before = files(workspace)
    side = workspace.side("dst")
    if not old_film_is_there:
        (workspace.root / "data_dst.mp4").unlink()
        before.pop("data_dst.mp4")
    assert newcomer(side) is None
    another_film(workspace)
    assert newcomer(side) == workspace.root / "data_dst.mkv"
    with pytest.raises(InputError, match="--archive"):
        extract_frames(workspace, "dst", Selection())
    done = extract_frames(workspace, "dst", Selection(), archive=True)
    assert done.made and done.count == 5 and done.archived.frames == 3 and not side.has_faces()
    assert newcomer(side) is None and (workspace.root / "data_dst.mkv").is_file()
    # The same again does nothing: it is no other film any more.
    assert extract_frames(workspace, "dst", Selection(), archive=True).archived is None
    bring_back(workspace, "dst", "newest")
    assert files(workspace) == before


def test_frames_of_the_same_film_stay(workspace):
    before = files(workspace)
    assert extract_frames(workspace, "dst", Selection(), archive=True).archived is None
    assert files(workspace) == before
    # A copy of the film is not called another one, though only a person knows.
    os.utime(workspace.root / "data_dst.mp4", (1, 1))
    assert newcomer(workspace.side("dst")) is None


@pytest.mark.parametrize("moves", range(4))
@pytest.mark.parametrize("back", [False, True])
def test_a_killed_move_is_completed(workspace, monkeypatch, moves, back):
    before = files(workspace)
    if back:
        archive(workspace, "dst")

    class Killed(BaseException):
        pass

    rename, count = Path.rename, [moves]

    def dying(path, target):
        if not count[0]:
            raise Killed
        count[0] -= 1
        return rename(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", dying)
        try:
            bring_back(workspace, "dst", "newest") if back else archive(workspace, "dst")
        except Killed:
            assert moves < 3  # the film, the folder, the cues
    with job._alone(workspace, "dst"):
        pass
    if back:
        assert files(workspace) == before and archives(workspace.side("dst")) == ()
    else:
        assert not files(workspace) and archives(workspace.side("dst"))[0].moving == ""
        bring_back(workspace, "dst", "newest")
        assert files(workspace) == before


def test_what_is_new_is_not_moved_again(workspace, monkeypatch):
    """Killed after the last move, before that was noted."""
    write = job._write
    with monkeypatch.context() as patched:
        patched.setattr(job, "_write", lambda side, one: write(side, one) if one.moving else None)
        archive(workspace, "dst")
    assert archives(workspace.side("dst"))[0].moving == "away"
    another_film(workspace, "data_dst.mp4")
    assert extract_frames(workspace, "dst", Selection()).count == 5
    assert archives(workspace.side("dst"))[0].moving == "" and newcomer(workspace.side("dst")) is None


def test_a_link_that_would_break_is_not_moved(workspace):
    real = workspace.root.parent / "elsewhere.mp4"
    (workspace.root / "data_dst.mp4").rename(real)
    (workspace.root / "data_dst.mp4").symlink_to("../elsewhere.mp4")
    before = files(workspace)
    with pytest.raises(InputError, match="relative link"):
        archive(workspace, "dst")
    assert files(workspace) == before and archives(workspace.side("dst")) == ()


def test_a_damaged_record_names_nothing_else(workspace):
    made = archive(workspace, "dst")
    record = job.archive_folder(workspace.side("dst")) / made.name / "archive.json"
    record.write_text(record.read_text().replace("data_dst.mp4", "../data_src"))
    assert archives(workspace.side("dst")) == ()
    with pytest.raises(InputError, match="no earlier film"):
        bring_back(workspace, "dst", made.name)


def test_the_stage_says_what_it_did(workspace):
    def run(*arguments):
        return stage.run(parse(stage.Options, "archive", ["dst", *arguments]), workspace)

    assert dict(run().rows)["put away"] == "data_dst.mp4, 3 frames, 2 faces"
    (name,) = dict(run("--show").rows)
    assert dict(run("--back", name).rows)["brought back"] == f"{name}: data_dst.mp4, 3 frames, 2 faces"
