"""When each frame of a video is shown."""

import math
from collections.abc import Sequence

import av

from core.video.info import VideoInfo
from core.video.probe import count_frames, opened

_ROUNDING = 1e-6  # of a step: times are multiples of a time base


def presentation_times(info: VideoInfo) -> list[float]:
    """Seconds from the beginning of the file, one for each frame, in order; read from its packets, without decoding.

    Of a bare stream, whose packets have no times, those that its rate gives.
    """
    with opened(info.path) as container:
        stream = container.streams[info.stream]
        packets = [packet for packet in container.demux(stream) if packet.size > 0 and not packet.is_discard]
        stamps = [packet.pts for packet in packets]
        begins = (container.start_time or 0) / av.time_base
        unit = float(stream.time_base)
    if not stamps or None in stamps:
        return [info.begins + number / (info.rate or 25) for number in range(len(stamps) or count_frames(info))]
    return [stamp * unit - begins for stamp in sorted(stamps)]


def at_rate(times: Sequence[float], fps: float) -> list[int]:
    """Which frames to take for ``fps`` of them a second: the first in each step of 1/fps seconds, counted from the
    first frame.
    """
    chosen, last = [], -1
    for index, time in enumerate(times):
        step = math.floor((time - times[0]) * fps + _ROUNDING)
        if step != last:
            chosen.append(index)
            last = step
    return chosen
