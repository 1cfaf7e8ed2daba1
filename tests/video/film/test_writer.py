"""A killed run goes on where it was, and ends in the bytes of a run that nobody killed."""

import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
from films import UNEVEN, make_film, picture, shown
from paths import ROOT

from core.errors import DiskFullError, EnvironmentFault, InputError, UsageError
from core.formats.origin.reading import read_label
from core.video.film import encoders
from core.video.film import writer as writer_module
from core.video.film.edit import edit_film
from core.video.film.encoders import FilmSettings, find_encoder
from core.video.film.frames import Frame, read_film
from core.video.film.join import decoding_times
from core.video.film.plan import plan_film, plan_pictures
from core.video.film.writer import FilmWriter
from core.video.probe import probe

SHORT = FilmSettings(part=4)


def same(number, image):
    return image


ENCODE = """
import hashlib, sys
from pathlib import Path
from core.video.film.edit import edit_film
from core.video.film.encoders import FilmSettings
source, target, codec = sys.argv[1:]
edit_film(Path(source), Path(target), lambda number, image: image, FilmSettings(codec=codec))
print(hashlib.sha256(Path(target).read_bytes()).hexdigest())
"""


@pytest.mark.parametrize(("codec", "suffix"), [("h264", "mp4"), ("hevc", "mp4"), ("av1", "mp4"), ("vp9", "webm")])
def test_memory_that_nobody_has_written_decides_nothing(tmp_path, codec, suffix):
    source = make_film(tmp_path / "a.mp4", times=range(0, 48 * 1001, 1001), size=(148, 98))
    command = [sys.executable, "-c", ENCODE, source, tmp_path / f"b.{suffix}", codec]
    # The C library fills memory that it gives out with something else each time.
    found = {
        subprocess.run(
            command, cwd=ROOT, env=os.environ | {"MALLOC_PERTURB_": filled}, check=True, capture_output=True
        ).stdout
        for filled in ("1", "85", "170")
    }
    assert len(found) == 1


SCHEDULED = """
import os, sys
from pathlib import Path
from core.video.film.edit import edit_film
from core.video.film.encoders import FilmSettings

def look(number, image):
    # The encoder is opened after the first frame was changed.
    seen.update(os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task"))
    return image

seen = {os.sched_getscheduler(0)}
edit_film(Path(sys.argv[1]), Path(sys.argv[2]), look, FilmSettings(codec="av1"))
seen.add(os.sched_getscheduler(0))
print(*seen)
"""


def test_writing_av1_leaves_the_machine_to_others(tmp_path):
    """SVT-AV1 would take the highest priority that there is, where root runs it."""
    source = make_film(tmp_path / "a.mp4", times=range(0, 8 * 1001, 1001), size=(148, 98))
    command = [sys.executable, "-c", SCHEDULED, source, tmp_path / "b.mp4"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.split() == [str(os.sched_getscheduler(0))]


class Stopped(Exception):
    pass


def stop_at(last):
    def change(number, image):
        if number == last:
            raise Stopped
        return image

    return change


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "a.mp4"
    return make_film(path, times=UNEVEN, sounds=[("aac", "mono")], chapters=True)


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("h264", "mp4"), ("hevc", "mp4"), ("av1", "mkv"), ("vp9", "webm"), ("prores", "mov"), ("ffv1", "mkv")],
)
def test_the_bytes_are_those_of_an_unbroken_run(source, tmp_path, codec, suffix):
    settings = replace(SHORT, codec=codec)
    whole, broken = tmp_path / f"whole.{suffix}", tmp_path / f"broken.{suffix}"
    edit_film(source, whole, same, settings)
    for last in (3, 7):
        with pytest.raises(Stopped):
            edit_film(source, broken, stop_at(last), settings)
        assert not broken.exists()
    asked = []
    report = edit_film(source, broken, lambda number, image: asked.append(number) or image, settings)
    assert asked == list(range(5, 13)) and report.resumed == 4
    assert broken.read_bytes() == whole.read_bytes()
    assert read_label(broken) == read_label(whole) is not None
    if suffix not in ("mkv", "webm"):
        assert shown(whole) == shown(source)
    with av.open(str(whole)) as film:
        assert len(list(film.decode(video=0))) == 12
        assert sum(packet.is_keyframe for packet in av.open(str(whole)).demux(video=0)) >= 3
    assert sorted(tmp_path.glob(".*")) == []


def test_killed_without_a_word(source, tmp_path):
    edit_film(source, tmp_path / "whole.mp4", same, SHORT)
    code = """
import os, sys
from pathlib import Path
from core.video.film.edit import edit_film
from core.video.film.encoders import FilmSettings
def change(number, image):
    if number == 10:
        os.kill(os.getpid(), 9)
    return image
edit_film(Path(sys.argv[1]), Path(sys.argv[2]), change, FilmSettings(part=4))
"""
    target = tmp_path / "broken.mp4"
    done = subprocess.run([sys.executable, "-c", code, source, target], cwd=ROOT, check=False)
    assert done.returncode == -9 and not target.exists()
    assert edit_film(source, target, same, SHORT).resumed == 8
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_killed_while_the_parts_are_joined(source, tmp_path, monkeypatch):
    edit_film(source, tmp_path / "whole.mp4", same, SHORT)
    target = tmp_path / "broken.mp4"
    with monkeypatch.context() as patch:
        patch.setattr(writer_module, "label_film", lambda path: (_ for _ in ()).throw(Stopped))
        with pytest.raises(Stopped):
            edit_film(source, target, same, SHORT)
    assert not target.exists()
    assert edit_film(source, target, stop_at(1), SHORT).resumed == 12
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()


@pytest.mark.parametrize("other", [{"made_from": "another model"}, {"settings": FilmSettings(part=4, quality=20)}])
def test_parts_of_something_else_are_not_used(source, tmp_path, other):
    with pytest.raises(Stopped):
        edit_film(source, tmp_path / "b.mp4", stop_at(9), SHORT)
    assert edit_film(source, tmp_path / "b.mp4", same, **{"settings": SHORT, **other}).resumed == 0


def test_a_missing_part_is_made_again(source, tmp_path):
    edit_film(source, tmp_path / "whole.mp4", same, SHORT)
    with pytest.raises(Stopped):
        edit_film(source, tmp_path / "b.mp4", stop_at(10), SHORT)
    (tmp_path / ".b.mp4.parts" / "00000001-00000004.packets").unlink()
    assert edit_film(source, tmp_path / "b.mp4", same, SHORT).resumed == 0
    assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_kept_parts_are_used_where_what_decided_them_is_the_same(source, tmp_path):
    edit_film(source, tmp_path / "whole.mp4", same, SHORT)
    info = probe(source)
    plan = plan_film(info, ".mp4", SHORT)
    frames = list(read_film(info, deep=plan.deep))
    target = tmp_path / "b.mp4"

    def write(tags: dict[int, str], keep: bool) -> list[tuple[int, int | None]]:
        digest = lambda first, last: tags[first]  # noqa: E731
        with FilmWriter(target, plan, info, digest=digest, keep=keep) as writer:
            gaps = []
            for first, last in writer.gaps():
                gaps.append((first, last))
                for frame in frames[first - 1 : last]:
                    writer.write(frame)
            writer.finish()
        assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
        return gaps

    assert write({1: "a", 5: "b", 9: "c"}, keep=True) == [(1, None)]
    assert write({1: "a", 5: "d", 9: "c"}, keep=True) == [(5, 8), (13, None)]
    assert write({1: "e", 5: "d", 9: "f"}, keep=True) == [(1, 4), (9, None)]
    assert write({1: "e", 5: "d", 9: "f"}, keep=False) == [(13, None)]
    assert sorted(tmp_path.glob(".*")) == []


def test_fewer_frames_than_before_is_said(source, tmp_path):
    info = probe(source)
    plan = plan_film(info, ".mp4", SHORT)
    frames = list(read_film(info, deep=plan.deep))
    tags = {1: "a", 5: "b", 9: "c"}
    with FilmWriter(tmp_path / "b.mp4", plan, info, digest=lambda first, _: tags[first], keep=True) as writer:
        for frame in frames:
            writer.write(frame)
        writer.finish()
    tags[5] = "d"
    again = FilmWriter(tmp_path / "b.mp4", plan, info, digest=lambda first, _: tags[first])
    with again as writer, pytest.raises(InputError, match="fewer frames"):
        for _ in writer.gaps():
            writer.write(frames[4])


def test_an_older_film_stays_until_the_new_one_is_whole(source, tmp_path):
    target = tmp_path / "b.mp4"
    target.write_bytes(b"older")
    with pytest.raises(Stopped):
        edit_film(source, target, stop_at(10), SHORT)
    assert target.read_bytes() == b"older"
    edit_film(source, target, same, SHORT)
    assert len(shown(target)) == 12


def small_plan(**changes):
    return plan_pictures(".mp4", FilmSettings(**changes), rate=Fraction(25), deep=False)


def frame(number, image=None):
    return Frame(number, number - 1, Fraction(1, 25), picture(number) if image is None else image)


def test_one_writer_at_a_time(tmp_path):
    with FilmWriter(tmp_path / "a.mp4", small_plan()), pytest.raises(InputError, match="another run"):
        FilmWriter(tmp_path / "a.mp4", small_plan()).__enter__()


def test_what_does_not_belong_into_the_film_is_refused(tmp_path):
    with FilmWriter(tmp_path / "a.mp4", small_plan()) as film:
        film.write(frame(1))
        with pytest.raises(ValueError, match="frame 3 instead of 2"):
            film.write(frame(3))
        with pytest.raises(InputError, match="not later"):
            film.write(replace(frame(2), pts=0))
        with pytest.raises(InputError, match="not like the others"):
            film.write(frame(2, picture(2, (32, 48))))
        with pytest.raises(InputError, match="not like the others"):
            film.write(frame(2, picture(2).astype(np.uint16)))
        film.write(frame(2))
        assert film.finish().frames == 2


def test_a_film_without_frames(tmp_path):
    with FilmWriter(tmp_path / "a.mp4", small_plan()) as film, pytest.raises(InputError, match="without frames"):
        film.finish()
    assert not (tmp_path / "a.mp4").exists()


def test_a_full_disk_loses_nothing(source, tmp_path, monkeypatch):
    def full(*arguments):
        raise av.error.FFmpegError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(writer_module, "join_parts", full)
        with pytest.raises(DiskFullError):
            edit_film(source, tmp_path / "b.mp4", same, SHORT)
    assert edit_film(source, tmp_path / "b.mp4", same, SHORT).resumed == 12


def test_decoding_times_need_no_more_delay_than_the_order_asks_for():
    assert decoding_times([0, 1, 2]) == [0, 1, 2]
    assert decoding_times([0, 40, 20, 10, 30]) == [-20, -10, 0, 10, 20]
    assert decoding_times([7]) == [7]
    for shown_at in ([0, 9, 4, 2, 5, 30, 20, 15], [5, 4, 3]):
        decoded = decoding_times(shown_at)
        assert decoded == sorted(set(decoded))
        assert all(before <= at for before, at in zip(decoded, shown_at, strict=True))


def test_codecs_go_into_containers_that_players_read(source, tmp_path):
    with pytest.raises(UsageError, match="does not go into .webm"):
        edit_film(source, tmp_path / "a.webm", same, FilmSettings(codec="h264"))
    with pytest.raises(UsageError, match="not written as .avi"):
        edit_film(source, tmp_path / "a.avi", same)
    assert edit_film(source, tmp_path / "a.webm", same).encoder == "libvpx-vp9"  # the sound does not fit, nor the codec


class Opened:
    """A codec context of a machine that has an NVIDIA GPU."""

    made: list["Opened"] = []

    def __init__(self, name, mode):
        self.name, self.opened = name, False
        Opened.made.append(self)

    def open(self):
        self.opened = True


@pytest.mark.parametrize(("codec", "quality"), [("h264", "19"), ("hevc", "21"), ("av1", "26")])
def test_nvenc_is_tried_and_told_its_quality_where_it_is(monkeypatch, codec, quality):
    monkeypatch.setattr(encoders.av, "CodecContext", SimpleNamespace(create=Opened))
    Opened.made.clear()
    found = find_encoder(codec, "nvenc")
    assert found.name == f"{codec}_nvenc"
    assert [(context.name, context.opened) for context in Opened.made] == [(found.name, True)]
    told = encoders.told(found, FilmSettings(encoder="nvenc"))
    assert told == {"rc": "vbr", "b": "0", "cq": quality, "preset": "p5"}
    assert find_encoder(codec, "software").name in ("libx264", "libx265", "libsvtav1")


def test_nvenc_where_there_is_none(monkeypatch):
    with pytest.raises(UsageError, match="NVENC does not make vp9"):
        find_encoder("vp9", "nvenc")
    if os.path.exists("/dev/nvidia0"):
        pytest.skip("this machine has an NVIDIA GPU")
    with pytest.raises(EnvironmentFault, match="h264_nvenc does not work here") as caught:
        find_encoder("h264", "nvenc")
    assert "--encoder software" in str(caught.value)
