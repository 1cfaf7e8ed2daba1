"""Which ffmpeg program is used, and what its version changes."""

import os
import shutil

import pytest
from clips import wheel_ffmpeg

from core.video import program


@pytest.fixture(autouse=True)
def _looked_up_afresh():
    program.forget()
    yield
    program.forget()


@pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="no ffmpeg on this system: videos are read with the one in the wheel only"
)
def test_the_systems_program_is_used():
    """Tests of reading run with it too: see the fixture ``any_ffmpeg``."""
    assert program.find_ffmpeg() == shutil.which("ffmpeg")


def pretender(path, version):
    """A program that says that it is an ffmpeg of a version."""
    path.write_text(f"#!/bin/sh\necho 'ffmpeg version {version}'\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("text", "number", "option"),
    [
        ("n9.0.2-17-g2a571b6068", (9, 0), "fps_mode"),
        ("5.1.9-0+deb12u1 Copyright", (5, 1), "fps_mode"),
        ("N-121-gabc", None, "fps_mode"),
        ("4.4.2", (4, 4), "vsync"),
    ],
)
def test_version_and_the_spelling_of_the_sync_option(tmp_path, text, number, option):
    fake = pretender(tmp_path / "ffmpeg", text)
    assert program.version(fake) == number
    assert list(program.keep_every_frame(fake)) == [option]


def test_the_systems_program_goes_before_the_one_in_the_wheel(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert os.path.samefile(program.find_ffmpeg(), wheel_ffmpeg())
    system = pretender(tmp_path / "ffmpeg", "4.4")
    program.forget()
    assert program.find_ffmpeg() == system == shutil.which("ffmpeg")
