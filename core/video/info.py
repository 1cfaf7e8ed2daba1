"""What is known of a video before its frames are taken."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# Transfer curves of high dynamic range by their numbers in ITU-T H.273: PQ and HLG.
HDR_TRANSFERS = (16, 18)
ASPECTS = (0.1, 10)


@dataclass(frozen=True)
class Colors:
    """What a video says of its colors, as numbers of ITU-T H.273, of which 2 is "not said".

    transfer: the transfer curve.
    primaries: what red, green and blue are.
    matrix: how they became luma and chroma; 0 where they did not.
    range: 1 where black is 16 of 255, 2 where it is 0; 0 is "not said".
    """

    transfer: int = 2
    primaries: int = 2
    matrix: int = 2
    range: int = 0

    @property
    def hdr(self) -> bool:
        """Whether it has a high dynamic range. The curve alone decides: many files leave out the other two."""
        return self.transfer in HDR_TRANSFERS


@dataclass(frozen=True)
class VideoInfo:
    """What a video holds.

    path: the file.
    stream: number of the stream that is read, among all streams of the file.
    others: the video streams that are not read, such as "0 (h264 160 x 120)".
    codec: name.
    width, height: pixels as shown, which is how frames come out: cropped as the container says, square, after rotation.
    stored: width and height of the frames as they are stored.
    aspect: width of a stored pixel by its height.
    rate: average frames a second.
    frames: as the container counts them without those that it hides, None where it does not count.
    begins: seconds from the beginning of the file to the first frame.
    duration: seconds, or None.
    rotation: degrees, 0..359.
    mirrored: whether it has to be mirrored, too.
    pixel_format: name.
    colors: as the frames say.
    interlaced: whether frames are woven of two half images taken one after the other.
    seeking: ``exact`` in a container with an index, ``near`` without one, ``none`` in a bare stream without times.
    program: the ffmpeg that decodes it.
    """

    path: Path
    stream: int
    others: tuple[str, ...]
    codec: str
    width: int
    height: int
    stored: tuple[int, int]
    aspect: float
    rate: float
    frames: int | None
    begins: float
    duration: float | None
    rotation: int
    mirrored: bool
    pixel_format: str
    colors: Colors
    interlaced: bool
    seeking: Literal["exact", "near", "none"]
    program: str = ""

    @property
    def sideways(self) -> bool:
        """Whether rotation makes its width from stored rows."""
        return 45 <= self.rotation % 180 < 135


def within_reason(aspect: float) -> bool:
    """Whether pixels may have this shape. A file that says a thousand times as wide as high is wrong."""
    low, high = ASPECTS
    return low <= aspect <= high


def describe(info: VideoInfo) -> str:
    """One line for people."""
    parts = [f"{info.codec} {info.width} x {info.height}"]
    if info.duration:
        parts.append(f"{info.duration:.1f} s")
    parts.append(f"{info.rate:g} frames/s")
    if info.aspect != 1:
        stored_width, stored_height = info.stored
        parts.append(f"stored as {stored_width} x {stored_height} pixels that are not square")
    if info.rotation:
        parts.append(f"rotated by {info.rotation} degrees")
    if info.mirrored:
        parts.append("mirrored")
    if info.colors.hdr:
        parts.append("HDR")
    if info.interlaced:
        parts.append("interlaced")
    if info.others:
        others = ", ".join(info.others)
        parts.append(f"{len(info.others) + 1} video streams: {info.stream} is read, not {others}")
    return ", ".join(parts)
