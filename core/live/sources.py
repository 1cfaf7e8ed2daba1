"""Where pictures come from: a film, a camera here or in the network, or the page (which puts them in by itself)."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import av
import cv2
import numpy as np

from core.errors import InputError
from core.live.frames import Captured, Image
from core.video.film.frames import read_film
from core.video.probe import probe

BROWSER = "browser"
_LATE = 0.5  # seconds behind, from which a film does not try to catch up
_CAMERA_SIZE = (640, 480)
_STREAMS = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "srt")
_PATIENCE = 10.0  # seconds without anything from the network
# No picture waits for others that may be late.
_AT_ONCE = {"fflags": "nobuffer", "flags": "low_delay"}
_DEVICE = re.compile(r"/dev/video([0-9]+)")


class Source(Protocol):
    """Pictures of the moment. size: (width, height)."""

    size: tuple[int, int]

    def pictures(self, stopped: threading.Event) -> Iterator[Image]:
        """Each picture at the moment when it is due, until ``stopped``."""


class Film:
    """A film at its own speed, again and again."""

    def __init__(self, path: Path):
        """Raises InputError where there is no such file, CorruptFileError where it is no film."""
        if not path.is_file():
            raise InputError("no such film", where=path, hint="--source takes browser, /dev/video0, or a film")
        self._info = probe(path)
        self.size = (self._info.width, self._info.height)

    def pictures(self, stopped: threading.Event) -> Iterator[Image]:
        while not stopped.is_set():
            begun: float | None = None
            for frame in read_film(self._info):
                due = float(frame.pts * frame.time_base)
                now = time.perf_counter()
                if begun is None or now - begun - due > _LATE:
                    begun = now - due
                if stopped.wait(max(begun + due - now, 0)):
                    return
                yield np.asarray(frame.image, np.uint8)


class Camera:
    """A camera of this computer."""

    def __init__(self, device: str, size: tuple[int, int] = _CAMERA_SIZE):
        """device: such as ``/dev/video0``. Raises InputError where it cannot be opened."""
        self._device = device
        self._capture = _opened(device)
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        width, height = (self._capture.get(side) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        self.size = (int(width), int(height))

    def pictures(self, stopped: threading.Event) -> Iterator[Image]:
        try:
            while not stopped.is_set():
                there, image = self._capture.read()
                if not there:
                    raise InputError(
                        "the camera gives no picture", where=self._device, hint="is it unplugged, or in use?"
                    )
                yield np.asarray(image, np.uint8)
        finally:
            self._capture.release()


class Stream:
    """A camera in the network, or any stream that has an address."""

    def __init__(self, address: str):
        """Raises InputError where nothing answers, or what answers has no picture."""
        self._address = address
        with self._open() as container:
            context = container.streams.video[0].codec_context
            self.size = (context.width, context.height)

    def pictures(self, stopped: threading.Event) -> Iterator[Image]:
        try:
            with self._open() as container:
                for frame in container.decode(video=0):
                    if stopped.is_set():
                        return
                    yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
        except av.error.FFmpegError as error:
            raise self._broken("the stream broke off", error) from None
        raise self._broken("the stream has ended")

    def _open(self) -> Any:
        tcp = {"rtsp_transport": "tcp"} if self._address.startswith("rtsp") else {}
        try:
            container = av.open(self._address, options=_AT_ONCE | tcp, timeout=_PATIENCE)
        except (av.error.FFmpegError, ValueError) as error:
            raise self._broken("no such stream", error) from None
        if not container.streams.video:
            container.close()
            raise self._broken("a stream without a picture")
        return container

    def _broken(self, what: str, error: Exception | None = None) -> InputError:
        # An address may have a password in it.
        parts = urlsplit(self._address)
        shown = f"{parts.scheme}://{parts.hostname or ''}"
        why = getattr(error, "strerror", None) or type(error).__name__ if error else ""
        return InputError(what, where=shown, why=why, hint="does another player show it?")


def _opened(device: str) -> Any:
    found = _DEVICE.fullmatch(device)
    if found is None or not Path(device).exists():
        raise InputError(
            "no such camera",
            where=device,
            hint="`ls /dev/video*` lists them; --source browser uses the camera of the computer that shows the page",
        )
    capture = cv2.VideoCapture(int(found[1]), cv2.CAP_V4L2)
    if not capture.isOpened():
        raise InputError(
            "the camera cannot be opened", where=device, hint="another program may use it, or it is no camera"
        )
    return capture


def open_source(name: str) -> Source | None:
    """The source of this name: a device, an address, else a film; None for the page, which puts them in by itself.

    Raises:
        InputError: there is none, or it cannot be opened.
        CorruptFileError: it is no film.
    """
    if name == BROWSER:
        return None
    if name.partition("://")[0].lower() in _STREAMS and "://" in name:
        return Stream(name)
    return Camera(name) if name.startswith("/dev/") else Film(Path(name))


class Capture:
    """Puts the pictures of a source into a player, in a thread of its own, while it is open."""

    def __init__(self, source: Source, put: Callable[[Captured], None], failed: Callable[[BaseException], None]):
        """failed: is told what ended it, but for its closing."""
        self._source, self._put, self._failed = source, put, failed
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def __enter__(self) -> "Capture":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            for number, image in enumerate(self._source.pictures(self._stopped), 1):
                self._put(Captured(image, number))
        except Exception as error:
            self._failed(error)
