"""Which frames of a video are wanted."""

import math
from dataclasses import dataclass

from core.video.info import VideoInfo

_ROUNDING = 1e-3  # of a frame: times are written with so many digits only


@dataclass(frozen=True)
class Selection:
    """Which frames of a video: all, or some by rate and time; and whether they are deinterlaced.

    fps: frames a second; None for every frame, once.
    start, end: seconds from the beginning of the file; None for the beginning and the end of the video.
    deinterlace: make whole images of half ones, one frame out for one frame in.
    """

    fps: float | None = None
    start: float | None = None
    end: float | None = None
    deinterlace: bool = False

    @property
    def every_frame(self) -> bool:
        return self.fps is None and self.start is None and self.end is None

    def expected(self, info: VideoInfo) -> int | None:
        """About how many frames will come out; None when the container does not say.

        Exact where the container counts its frames and they follow each other at equal distances.
        """
        if self.every_frame and info.frames:
            return info.frames
        length = info.duration
        if info.frames and info.rate:
            length = info.frames / info.rate
        if length is None:
            return None
        start = max((self.start or 0) - info.begins, 0)
        end = length if self.end is None else min(self.end - info.begins, length)
        if self.fps is not None:
            return max(round((end - start) * self.fps), 0)
        return max(_frames_before(end, info.rate) - _frames_before(start, info.rate), 0)


EVERY_FRAME = Selection()


def _frames_before(second: float, rate: float) -> int:
    """How many frames begin before a time, the first at 0."""
    return math.ceil(second * rate - _ROUNDING)
