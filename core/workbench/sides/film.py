"""Any frame of a film: an index of its frames, one decoder that goes forward while it can, and the newest pictures."""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError
from core.video.info import VideoInfo
from core.video.probe import opened, probe
from core.workbench.answers import Missing

_KEPT = 48  # frames
# Decoding so many frames forward is quicker than starting anew at a key frame.
_FORWARD = 60
_NEAR = 5


@dataclass(frozen=True)
class Index:
    """When the frames of a film are shown, in ticks, in order; and those of them that decoding can begin at."""

    times: tuple[int, ...]
    keys: tuple[int, ...]


def index_of(info: VideoInfo) -> Index:
    """Read off the packets, without decoding."""
    with opened(info.path) as container:
        packets = [
            (packet.pts, packet.is_keyframe)
            for packet in container.demux(container.streams[info.stream])
            if packet.size > 0 and not packet.is_discard and packet.pts is not None
        ]
    return Index(tuple(sorted(time for time, _ in packets)), tuple(sorted(time for time, key in packets if key)))


class Film:
    """The frames of a film by number; for several threads, one of which decodes at a time."""

    def __init__(self, path: Path):
        self.info = probe(path)
        self.index = index_of(self.info)
        self._lock = threading.Lock()
        self._open = ExitStack()
        self._decoder: Iterator[Any] | None = None
        self._next = -1  # number of the frame that the decoder gives next
        self._kept: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()

    def __len__(self) -> int:
        return len(self.index.times)

    def frame(self, number: int) -> NDArray[np.uint8]:
        """uint8 H x W x 3 BGR, upright, with square pixels. number: from 0.

        Raises:
            Missing: there is no such frame. CorruptFileError: it cannot be decoded.
        """
        if not 0 <= number < len(self):
            raise Missing("the film has no such frame", where=f"{self.info.path.name}, frame {number + 1}")
        with self._lock:
            if number not in self._kept:
                self._decode(number)
            self._kept.move_to_end(number)
            return self._kept[number]

    def close(self) -> None:
        with self._lock:
            self._open.close()
            self._decoder = None

    def _decode(self, number: int) -> None:
        if self._decoder is None or not self._next <= number < self._next + _FORWARD:
            self._seek(number)
        wanted = self.index.times[number]
        for frame in self._decoder or ():
            if frame.pts is None:
                continue
            place = bisect_right(self.index.times, frame.pts) - 1
            self._next = place + 1
            # Those just before are asked for at the same moment, by a page that plays, in any order.
            if number - _NEAR < place < number:
                self._keep(place, self._upright(frame))
            if frame.pts >= wanted:
                self._keep(number, self._upright(frame))
                return
        self._decoder = None
        raise CorruptFileError("this frame cannot be decoded", where=f"{self.info.path.name}, frame {number + 1}")

    def _seek(self, number: int) -> None:
        self._open.close()
        self._open = ExitStack()
        container = self._open.enter_context(opened(self.info.path))
        stream = container.streams[self.info.stream]
        stream.thread_type = "AUTO"
        container.seek(self.index.times[number], stream=stream, backward=True)
        self._decoder, self._next = container.decode(stream), number

    def _keep(self, number: int, image: NDArray[np.uint8]) -> None:
        self._kept[number] = image
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    def _upright(self, frame: Any) -> NDArray[np.uint8]:
        """As an extraction has it, but for the way in which colours are rounded."""
        image = frame.to_ndarray(format="bgr24")
        turns = round(getattr(frame, "rotation", 0) / 90) % 4
        image = np.rot90(image, turns) if turns else image
        size = (self.info.width, self.info.height)
        if image.shape[1::-1] != size:
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(image)
