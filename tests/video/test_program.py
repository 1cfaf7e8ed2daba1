"""Which ffmpeg program is used, and what its version changes."""

import os
import shutil

import pytest
from clips import make_clip, pattern, stand_in, wheel_ffmpeg

from core.errors import EnvironmentFault
from core.jobs import doctor
from core.stages import doctor as stage
from core.video import program
from core.video.decode import read_frames
from core.video.probe import probe


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


def on_path(monkeypatch, folder, script):
    monkeypatch.setenv("PATH", stand_in(folder, script))
    program.forget()
    return str(folder / "ffmpeg")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("clip") / "a.mp4", *pattern(0.5), "-pix_fmt", "yuv420p")


LOADER = "ffmpeg: error while loading shared libraries: libopenh264.so.5"


def test_a_program_that_does_not_run_is_passed_over(tmp_path, monkeypatch, clip, caplog):
    broken = on_path(monkeypatch, tmp_path / "bin", f"echo '{LOADER}' >&2; exit 127")
    assert broken not in program.usable() and "libopenh264" in caplog.text
    assert len(list(read_frames(probe(clip)))) == 5
    first = doctor.ffmpegs()[0]
    assert (first.path, first.fault) == (broken, LOADER)
    assert "libopenh264" in stage.ffmpeg_warnings(doctor.ffmpegs())[0]


@pytest.mark.parametrize("script", ["exit 0", "echo I am a teapot", "kill -9 $$"])
def test_what_cannot_say_its_version_is_no_ffmpeg(tmp_path, monkeypatch, script):
    assert on_path(monkeypatch, tmp_path / "bin", script) not in program.usable()


def test_a_file_that_is_no_program(tmp_path, monkeypatch):
    path = on_path(monkeypatch, tmp_path / "bin", "")
    (tmp_path / "bin" / "ffmpeg").write_bytes(b"\x7fELF nonsense")
    assert program.installed()[0].path == path and program.installed()[0].fault


OLD = 'case "$*" in *-version*) echo "ffmpeg version 5.1";; *) echo "Decoder (codec none) not found" >&2; exit 1;; esac'


def test_one_that_lacks_the_decoder_is_passed_over(tmp_path, monkeypatch, clip, caplog):
    old = on_path(monkeypatch, tmp_path / "bin", OLD)
    info = probe(clip)
    assert info.program != old and len(list(read_frames(info))) == 5
    assert f"{old} cannot decode this video (Decoder (codec none) not found)" in caplog.text
    assert doctor.ffmpegs()[0].fault == "Decoder (codec none) not found"


def test_when_none_can_it_is_not_the_fault_of_the_film(tmp_path, monkeypatch, clip):
    old = on_path(monkeypatch, tmp_path / "bin", OLD)
    monkeypatch.setattr(program, "usable", lambda: (old,))
    with pytest.raises(EnvironmentFault, match="no ffmpeg here can decode h264") as caught:
        probe(clip)
    assert old in caught.value.why and "newer ffmpeg" in caught.value.hint


def test_no_program_at_all(tmp_path, monkeypatch):
    on_path(monkeypatch, tmp_path / "bin", "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(program, "_in_wheel", lambda: None)
    with pytest.raises(EnvironmentFault, match="no ffmpeg program") as caught:
        program.usable()
    assert "does not run" in caught.value.why


def test_one_without_a_filter_that_a_film_needs_comes_last(tmp_path, monkeypatch, clip):
    """HDR without zscale is pale: the next program may have it."""
    poor = on_path(monkeypatch, tmp_path / "bin", 'case "$*" in *-filters*) exit 0;; *) exec "$REAL" "$@";; esac')
    tags = ("-vf", "format=yuv420p10le,setparams=color_trc=smpte2084", "-c:v", "ffv1")
    hdr = make_clip(tmp_path / "hdr.mkv", *pattern(0.3), *tags)
    assert probe(clip).program == poor and probe(hdr).program != poor
