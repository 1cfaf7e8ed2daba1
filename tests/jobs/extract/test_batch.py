"""Films and folders of pictures, each in a workspace of its own."""

import json
import os

import cv2
import numpy as np
import pytest
from clips import make_clip, pattern

from core.errors import InputError
from core.jobs.extract import batch
from core.jobs.extract.batch import run_batch
from core.workspace import Workspace, list_frames


@pytest.fixture
def sources(tmp_path):
    """Two films, a folder of pictures, and what is neither."""
    folder = tmp_path / "sources"
    (folder / "holiday").mkdir(parents=True)
    (folder / "nothing").mkdir()
    (folder / "notes.txt").write_text("x")
    for name in ("b.mp4", "a.mkv"):
        make_clip(folder / name, *pattern(0.3))
    for name in ("1.png", "2.png"):
        cv2.imwrite(str(folder / "holiday" / name), np.zeros((8, 8, 3), np.uint8))
    return folder


def run(tmp_path, sources, work):
    return run_batch(Workspace(tmp_path / "w").create(), "dst", sources, work)


def test_each_gets_its_own_place(tmp_path, sources):
    seen = []

    def work(place, film):
        found = place.side("dst")
        seen.append((place.root.name, film, [path.name for path in list_frames(found.frames)]))
        if film:
            (own,) = found.namesakes()
            assert own.read_bytes() == (sources / f"{place.root.name}{own.suffix}").read_bytes()
        return "fine"

    done = run(tmp_path, sources, work)
    assert seen == [("a", True, []), ("b", True, []), ("holiday", False, ["1.png", "2.png"])]
    assert [(job.name, job.code, job.line) for job in done.jobs] == [
        (name, 0, "fine") for name in ("a", "b", "holiday")
    ]
    written = json.loads(done.report.read_text())
    assert written["side"] == "dst" and [job["exit"] for job in written["jobs"]] == [0, 0, 0]
    assert written["jobs"][0]["workspace"] == str(tmp_path / "w" / "batch" / "a")
    # Again, with what is there.
    assert [job.code for job in run(tmp_path, sources, lambda place, film: "").jobs] == [0, 0, 0]


def test_one_that_fails_does_not_stop_the_others(tmp_path, sources):
    def work(place, film):
        if place.root.name == "a":
            raise InputError("no faces", why="it is dark")
        if place.root.name == "b":
            raise MemoryError
        return "fine"

    done = run(tmp_path, sources, work)
    assert [(job.code, job.line) for job in done.jobs] == [
        (3, "no faces: it is dark"),
        (5, "out of memory"),
        (0, "fine"),
    ]


def test_another_film_in_the_place_is_not_overwritten(tmp_path, sources):
    run(tmp_path, sources, lambda place, film: "")
    (sources / "b.mp4").unlink()
    make_clip(sources / "b.mp4", *pattern(0.5))
    done = run(tmp_path, sources, lambda place, film: "fine")
    assert [job.code for job in done.jobs] == [0, 3, 0] and "another file" in done.jobs[1].line


def test_a_disk_without_links_gets_copies(tmp_path, sources, monkeypatch):
    def no_links(*_):
        raise OSError("not here")

    monkeypatch.setattr(os, "link", no_links)
    for _ in range(2):
        assert [job.code for job in run(tmp_path, sources, lambda place, film: "").jobs] == [0, 0, 0]


def test_names_that_would_be_one(tmp_path, sources):
    (sources / "b").mkdir()
    cv2.imwrite(str(sources / "b" / "1.png"), np.zeros((8, 8, 3), np.uint8))
    names = [job.name for job in run(tmp_path, sources, lambda place, film: "").jobs]
    assert names == ["a", "b", "b.mp4", "holiday"]


def test_nothing_to_do(tmp_path):
    with pytest.raises(InputError, match="no folder"):
        run(tmp_path, tmp_path / "absent", lambda place, film: "")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no film"):
        run(tmp_path, tmp_path / "empty", lambda place, film: "")
    assert batch.FOLDER == "batch"
