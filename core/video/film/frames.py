"""The frames of a film with their times: those that ``core.video.decode`` gives, by the same program and filters.

The program sends them as NUT, whose packets have times; raw pictures would have none.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.video import program
from core.video.chain import decoded
from core.video.decode import require_finished
from core.video.info import VideoInfo
from core.video.messages import Outcome
from core.video.probe import opened
from core.video.selection import EVERY_FRAME, Selection
from core.video.trial import unreadable

Image = NDArray[np.uint8] | NDArray[np.uint16]
# Times may be negative, which NUT cannot say: they are sent later by so many times the length of the time base's
# numerator in seconds, which is a whole number of ticks.
_LATER = 100
# White with 16 bits, for us and for FFmpeg's library, which appends a byte to the 255 of 8 bits.
WHITE, DEEP_WHITE = 65535, 65280
_SMALL = (16, 16)
_BUFFER = 1 << 20


@dataclass(frozen=True)
class Frame:
    """A frame of a film.

    number: 1 for the first.
    pts: when it is shown, in ticks.
    time_base: seconds of a tick.
    image: H x W x 3 BGR; uint8, or uint16 with 65535 for white.
    """

    number: int
    pts: int
    time_base: Fraction
    image: Image


def time_base(info: VideoInfo) -> Fraction:
    """Seconds of a tick of the film's clock."""
    with opened(info.path) as container:
        return Fraction(container.streams[info.stream].time_base)


def bits(info: VideoInfo) -> int:
    """Bits of a sample of the film as it is stored; 8 where that is not known."""
    if not info.pixel_format:
        return 8
    return max((component.bits for component in av.VideoFormat(info.pixel_format).components), default=8)


def read_film(
    info: VideoInfo,
    *,
    first: int = 1,
    deep: bool = False,
    deinterlace: bool = False,
    on_end: Callable[[Outcome], None] = lambda outcome: None,
) -> Iterator[Frame]:
    """The frames of a film, numbered as the files of an extraction of all frames are.

    first: number of the first frame that is wanted; those before it are decoded and not delivered.
    deep: images are uint16, and the colors of a high dynamic range stay as they are. Else they are uint8, exactly those
        of ``core.video.decode.read_frames``.
    on_end: is told how it ended, after the last frame.

    Raises:
        InputError: the film is interlaced, and ``deinterlace`` is not set.
        CorruptFileError: not one frame decodes.
        OutOfMemoryFault: there was not enough memory.
        EnvironmentFault: ffmpeg was stopped, or could not go on, before the film ended.
    """
    require_progressive(info, deinterlace)
    selection = Selection(deinterlace=deinterlace)
    size = (info.width, info.height)
    # Deep pixels in planes: the filter that makes all frames of one size knows no others.
    pixels = "gbrp16le" if deep else "bgr24"
    stream = decoded(info, selection, pixels, size=size, skip=first - 1, tone_map=not deep)
    base = time_base(info)
    for number, (pts, packet) in enumerate(_sent(info, stream, base, first, on_end), start=first):
        yield Frame(number, pts, base, _image(packet, info, deep))


def _image(packet: Any, info: VideoInfo, deep: bool) -> Image:
    if not deep:
        return np.frombuffer(packet, np.uint8).reshape(info.height, info.width, 3)
    green, blue, red = np.frombuffer(packet, "<u2").reshape(3, info.height, info.width)
    return rescaled(np.asarray(cv2.merge([blue, green, red]), np.uint16), WHITE / DEEP_WHITE)


def rescaled(image: Image, factor: float) -> Image:
    """All values times a factor, rounded; those above the largest become the largest."""
    return cv2.multiply(image, (factor,) * 4)  # type: ignore[return-value]


def frame_times(info: VideoInfo, *, deinterlace: bool = False) -> list[int]:
    """When each frame that ``read_film`` gives is shown, in ticks; the film is decoded for it.

    Raises:
        The same errors as ``read_film``.
    """
    require_progressive(info, deinterlace)
    stream = decoded(info, Selection(deinterlace=deinterlace), "gray", size=_SMALL, tone_map=False)
    return [pts for pts, _ in _sent(info, stream, time_base(info), 1, lambda outcome: None)]


def require_progressive(info: VideoInfo, deinterlace: bool) -> None:
    """Raises InputError for a film of half images, where nobody said what to do with them."""
    if info.interlaced and not deinterlace:
        raise InputError(
            "this film is interlaced",
            where=info.path,
            why="each of its frames is woven of two half images taken one after the other",
            hint="--deinterlace makes whole images of them, in the extraction and here",
        )


def _sent(
    info: VideoInfo, stream: Any, base: Fraction, first: int, on_end: Callable[[Outcome], None]
) -> Iterator[tuple[int, Any]]:
    """(ticks, packet) of each frame that the program sends."""
    output = stream.output(
        "pipe:1",
        f="nut",
        vcodec="rawvideo",
        enc_time_base=f"{base.numerator}/{base.denominator}",
        output_ts_offset=_LATER * base.numerator,
        **program.keep_every_frame(info.program),
    )
    later = _LATER * base.denominator
    count = 0
    # With its own times: else they are counted from the beginning of the file.
    with program.running(program.command(info.program, output, info.path, "-copyts")) as run:
        with _packets(run.stdout) as packets:
            for packet in packets:
                count += 1
                yield round(packet.pts * packet.time_base / base) - later, packet
        outcome = run.end()
    require_finished(info, outcome, EVERY_FRAME if first == 1 else Selection(start=0.0), count)
    if count == 0 and first == 1:
        raise unreadable(info.path, outcome.last_complaint)
    on_end(outcome)


@contextmanager
def _packets(pipe: Any) -> Iterator[Iterator[Any]]:
    """The packets that come out of a pipe; none when nothing comes."""
    try:
        container = av.open(pipe, format="nut", buffer_size=_BUFFER)
    except (av.error.FFmpegError, EOFError):
        yield iter(())
        return
    with container:
        yield (packet for packet in container.demux(video=0) if packet.size)
