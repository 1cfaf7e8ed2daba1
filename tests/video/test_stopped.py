"""What ends ffmpeg before a film does is an error, whether frames go to files or through a pipe."""

import os
import signal
import time
from pathlib import Path

import pytest
from clips import SLOW, make_clip, pattern, stand_in

from core.errors import CorruptFileError, EnvironmentFault, OutOfMemoryFault
from core.video import program
from core.video.decode import read_frames, write_frames
from core.video.probe import probe


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("clip") / "a.mp4", *pattern(20), "-pix_fmt", "yuv420p")


@pytest.fixture
def ffmpeg_is(tmp_path, monkeypatch):
    def choose(script):
        monkeypatch.setenv("PATH", stand_in(tmp_path / "bin", script))
        program.forget()

    yield choose
    monkeypatch.undo()
    program.forget()


def kill_children(number):
    """Send a signal to the processes that this one has started and that are an ffmpeg."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = status.read_text().partition(")")
        except OSError:
            continue
        if int(rest.split()[1]) == os.getpid() and "ffmpeg" in name:
            os.kill(int(status.parent.name), number)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_signal_while_files_are_written(clip, tmp_path, ffmpeg_is, number):
    ffmpeg_is(SLOW)
    with pytest.raises(EnvironmentFault, match="of about 200 frames") as caught:
        write_frames(probe(clip), tmp_path, "png", on_frame=lambda count: kill_children(number))
    assert number.name in caught.value.why


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_signal_while_frames_are_read(clip, ffmpeg_is, number):
    ffmpeg_is(SLOW)
    got = 0
    with pytest.raises(EnvironmentFault, match="of about 200 frames") as caught:
        for got, _ in enumerate(read_frames(probe(clip)), start=1):
            if got == 2:
                kill_children(number)
    assert 2 <= got < 200 and number.name in caught.value.why


def test_a_limit_of_file_sizes(clip, tmp_path, ffmpeg_is):
    ffmpeg_is('case "$*" in *passthrough*) ulimit -f 1;; esac; exec "$REAL" "$@"')
    with pytest.raises(EnvironmentFault, match="ffmpeg stopped after") as caught:
        write_frames(probe(clip), tmp_path, "png")
    assert "SIGXFSZ" in caught.value.why or "large" in caught.value.why


def test_an_exit_code_counts_even_after_many_frames(clip, tmp_path, ffmpeg_is):
    ffmpeg_is('case "$*" in *passthrough*) "$REAL" "$@"; exit 1;; *) exec "$REAL" "$@";; esac')
    with pytest.raises(EnvironmentFault, match="after 200 of about 200"):
        write_frames(probe(clip), tmp_path, "png")


def test_asking_for_memory_without_end_is_ended(clip, tmp_path, ffmpeg_is):
    endless = "while true; do echo '[h264 @ 0x1] [error] Cannot allocate memory' >&2; done"
    ffmpeg_is(f'case "$*" in *passthrough*) {endless};; *) exec "$REAL" "$@";; esac')
    started = time.monotonic()
    with pytest.raises(OutOfMemoryFault):
        write_frames(probe(clip), tmp_path, "png")
    assert time.monotonic() - started < 60


def test_who_needs_no_more_frames_may_leave(clip):
    frames = read_frames(probe(clip))
    next(frames)
    frames.close()  # raises nothing


def test_damage_is_no_stop(clip, tmp_path):
    """A damaged film gives the frames that decode, and says so."""
    damaged = tmp_path / "a.mp4"
    data = bytearray(clip.read_bytes())
    at = data.index(b"mdat") + len(data) // 2
    data[at : at + 500] = bytes(500)
    damaged.write_bytes(data)
    (tmp_path / "f").mkdir()
    outcome = write_frames(probe(damaged), tmp_path / "f", "png")
    assert outcome.complaints and not outcome.stopped and len(list((tmp_path / "f").iterdir())) > 100
    (tmp_path / "letter.mp4").write_text("hello")
    with pytest.raises(CorruptFileError):
        probe(tmp_path / "letter.mp4")
