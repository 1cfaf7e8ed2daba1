"""Films at their speed, cameras that are not there, recordings, and the whole program."""

import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import av
import numpy as np
import pytest
from live_kit import new_player, wait_until
from portraits import person
from tiny_dfm import write_dfm

from core.errors import CorruptFileError, DiskFullError, EnvironmentFault, InputError, UsageError
from core.formats.origin.film import film_label
from core.inference.dfm import open_dfm
from core.inference.sessions import Settings, open_session
from core.live.agreement import require_agreement
from core.live.frames import Captured
from core.live.play import LiveChoices, play
from core.live.recording import Recording
from core.live.sources import Capture, Film, open_source
from core.live.virtual_camera import VirtualCamera
from core.stages.live import Options, run
from core.video.film.writer import FilmWriter
from core.workspace import Workspace


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Six pictures, 50 a second, growing brighter."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=50)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(6):
            image = np.full((48, 64, 3), 20 + 30 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def test_a_film_is_played_again_and_again(film):
    source, stopped, seen = open_source(str(film)), threading.Event(), []
    assert source.size == (64, 48)
    for image in source.pictures(stopped):
        seen.append(float(image.mean()))
        if len(seen) == 9:
            stopped.set()
    assert len(seen) == 9
    assert seen[:6] == sorted(seen[:6]) and seen[6:] == seen[:3]


def test_a_capture_numbers_pictures_and_tells_what_ended_it(film):
    put, failed = [], []
    with Capture(Film(film), put.append, failed.append):
        wait_until(lambda: len(put) >= 3)
    assert [captured.number for captured in put[:3]] == [1, 2, 3] and not failed
    moments = [captured.moment for captured in put]
    assert moments == sorted(moments)

    class Broken:
        size = (2, 2)

        def pictures(self, stopped):
            raise InputError("the camera gives no picture")
            yield

    with Capture(Broken(), put.append, failed.append):
        wait_until(lambda: failed)
    assert isinstance(failed[0], InputError)


def test_what_is_not_there(tmp_path):
    for name in ("/dev/video-none", "/dev/video987", "/dev/null"):
        with pytest.raises(InputError, match="no such camera"):
            open_source(name)
    with pytest.raises(InputError):
        open_source(str(tmp_path / "none.mp4"))
    (tmp_path / "bad.mp4").write_bytes(b"nonsense")
    with pytest.raises((CorruptFileError, InputError)):
        open_source(str(tmp_path / "bad.mp4"))
    with pytest.raises(InputError, match="no exported model"):
        play(Workspace(tmp_path / "ws", tmp_path), LiveChoices())


@pytest.fixture
def served(film):
    """The address of the film on a server of this machine."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(film.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://somebody:secret@127.0.0.1:{server.server_address[1]}/{film.name}"
        server.shutdown()


def test_a_stream_has_an_address_and_its_end_is_told(served, film):
    source, seen = open_source(served), []
    assert source.size == (64, 48)
    with pytest.raises(InputError, match="the stream has ended") as error:
        seen += source.pictures(threading.Event())
    assert "secret" not in str(error.value) and len(seen) >= 4, "the last may wait for what does not come"
    seen, stopped = [], threading.Event()
    for image in open_source(served).pictures(stopped):
        seen.append(float(image.mean()))
        if len(seen) == 4:
            stopped.set()
    assert seen == sorted(seen) and len(seen) == 4


def test_a_stream_that_is_not_there_is_told_without_its_password():
    with pytest.raises(InputError, match="no such stream") as error:
        open_source("rtsp://somebody:secret@127.0.0.1:1/camera")
    assert "secret" not in str(error.value) and "rtsp://127.0.0.1" in str(error.value)


def test_a_recording_is_a_labelled_film_with_the_times_of_its_pictures(tmp_path):
    path, player = tmp_path / "out.mp4", new_player(tmp_path)
    failed = []
    with Recording(path, failed.append) as recording:
        player.outputs.append(recording)
        with player:
            for number, moment in ((1, 100.0), (2, 100.04), (3, 100.5)):
                player.put(Captured(person(0)[0], number, moment))
                wait_until(lambda n=number: player.measured.frames == n and recording._slot._item is None)
    assert not failed and recording.report.frames == 3
    assert film_label(path).tool.startswith("DFM Forge")
    with av.open(str(path)) as container:
        times = [round(frame.time, 3) for frame in container.decode(video=0)]
    assert times == [0, 0.04, 0.5]
    with pytest.raises(InputError, match="this name"):
        Recording(path, failed.append)
    with pytest.raises(UsageError):
        Recording(tmp_path / "out.txt", failed.append)


def test_a_recording_without_pictures_leaves_no_film(tmp_path):
    failed = []
    with Recording(tmp_path / "out.mp4", failed.append) as recording:
        pass
    assert recording.report is None and not failed and not (tmp_path / "out.mp4").exists()


def test_a_recording_that_cannot_go_on_tells_at_once(tmp_path, monkeypatch):
    def full(self, frame):
        raise DiskFullError("no space left on the disk")

    monkeypatch.setattr(FilmWriter, "write", full)
    player = new_player(tmp_path)
    with Recording(tmp_path / "out.mp4", player.fail) as recording, player:
        player.outputs.append(recording)
        player.put(Captured(person(0)[0], 1))
        wait_until(lambda: player.failure)
    assert isinstance(player.failure, DiskFullError)


def test_a_virtual_camera_needs_its_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyvirtualcam", None)
    with pytest.raises(EnvironmentFault, match="requirements-live.txt"):
        VirtualCamera((64, 48))


def test_a_computer_without_virtual_camera_is_told(monkeypatch):
    class Package:
        class PixelFormat:
            BGR = 1

        @staticmethod
        def Camera(*args, **kwargs):
            raise RuntimeError("v4l2loopback is not there")

    monkeypatch.setitem(__import__("sys").modules, "pyvirtualcam", Package)
    with pytest.raises(EnvironmentFault, match="v4l2loopback"):
        VirtualCamera((64, 48))


def test_a_runtime_that_is_not_there_is_named(tmp_path):
    path = write_dfm(tmp_path / "m.dfm")
    with pytest.raises(EnvironmentFault, match="no tensorrt here"):
        open_session(path, path, Settings(runtime="tensorrt"))
    assert open_session(path, path, Settings(runtime="cpu")).device == "CPU"


@pytest.mark.parametrize(("inverts", "agrees"), [(False, True), (True, False)])
def test_another_runtime_must_agree_with_the_cpu(tmp_path, inverts, agrees):
    swapper = new_player(tmp_path).swapper
    other = write_dfm(tmp_path / "other.dfm", inverts=not inverts)
    computed = replace(
        open_dfm(other, Settings()), session=replace(open_session(other, other, Settings()), device="OpenVINO")
    )
    found = replace(swapper, dfm=computed)
    if agrees:
        require_agreement(found)
        return
    with pytest.raises(EnvironmentFault, match="OpenVINO"):
        require_agreement(found)


def test_the_whole_program(tmp_path, film):
    workspace = Workspace(tmp_path / "ws", tmp_path / "assets")
    write_dfm(workspace.model / "tiny.dfm")
    record = tmp_path / "shown.mp4"
    options = Options(source=str(film), port=0, seconds=1.5, record=record, face_type="wf", runtime="cpu")
    report = str(run(options, workspace))
    assert "tiny.dfm on CPU" in report and str(record) in report
    assert film_label(record) is not None


def test_no_badge_without_consent(tmp_path, film):
    workspace = Workspace(tmp_path / "ws", tmp_path / "assets")
    write_dfm(workspace.model / "tiny.dfm")
    with pytest.raises(InputError, match="consent"):
        run(Options(source=str(film), port=0, seconds=1, badge=False), workspace)
