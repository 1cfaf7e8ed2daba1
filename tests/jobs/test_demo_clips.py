"""The clips of the demo are made once, and never beside videos of a person."""

import pytest

from core.errors import InputError
from core.jobs import demo_clips
from core.jobs.demo_clips import DemoClips, make_demo_clips
from core.stages import demo_media
from core.video.probe import probe
from core.workspace import Workspace


def test_clips_are_made_once(tmp_path):
    workspace = Workspace(tmp_path / "demo")
    made = make_demo_clips(workspace, 8)
    assert made == DemoClips(tuple(workspace.root / f"data_{side}.mp4" for side in ("src", "dst")), made=True)
    for path in made.paths:
        info = probe(path)
        assert (info.frames, info.width, info.height) == (8, 512, 512)
    assert workspace.model.is_dir()
    again = make_demo_clips(workspace, 8)
    assert set(again.paths) == set(made.paths) and not again.made
    assert "nothing to do" in demo_media.run(demo_media.Options(frames=8), workspace).title


def test_a_persons_video_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_clips, "make_clips", lambda folder, frames: pytest.fail("must not be called"))
    (tmp_path / "data_dst.mov").write_bytes(b"mine")
    with pytest.raises(InputError, match="there is a video"):
        make_demo_clips(Workspace(tmp_path), 8)
    assert (tmp_path / "data_dst.mov").read_bytes() == b"mine"
