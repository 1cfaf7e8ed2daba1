"""Where the frames of a side come from: a folder of images, or the video itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.imaging.codec import read_image
from core.video.decode import Selection, read_frames
from core.video.probe import VideoInfo, count_frames, probe
from core.workspace import Side, list_images

# (name of the frame, how to load its image: uint8, H x W x 3, BGR)
Frames = Iterator[tuple[str, Callable[[], NDArray[np.uint8]]]]


@dataclass(frozen=True)
class FrameSource:
    """The frames of a side.

    names: file names, in order.
    frames: starts to read them, once for each call.
    """

    names: tuple[str, ...]
    frames: Callable[[], Frames]


def frames_of_folder(side: Side, every: int) -> FrameSource:
    """The images in the folder of a side, every Nth of them.

    Raises:
        InputError: there are none, or two have the same name but for the ending: faces are named after their frame.
    """
    paths = list_images(side.frames)
    if not paths:
        raise InputError(
            "no frames",
            where=side.frames,
            hint=f"run the frames step first, or use --from-video, or put pictures into {side.frames}",
        )
    stems: dict[str, str] = {}
    for path in paths:
        if stems.setdefault(path.stem, path.name) != path.name:
            raise InputError(
                "two frames with the same name but for the ending",
                where=path,
                why=f"{stems[path.stem]} is there, too",
                hint="face files are named after their frame: rename or move one of them",
            )
    chosen = paths[::every]
    return FrameSource(tuple(path.name for path in chosen), partial(_images, chosen))


def _images(paths: list[Path]) -> Frames:
    for path in paths:
        yield path.name, partial(read_image, path)


def frames_of_video(side: Side, every: int) -> FrameSource:
    """The frames of the video of a side, under the names that the frames step would give them.

    Raises what finding and probing the video raise.
    """
    info = probe(side.video())
    count = count_frames(info)
    digits = max(5, len(str(Selection().expected(info) or 0)))
    names = tuple(f"{number:0{digits}d}.png" for number in range(1, count + 1, every))
    return FrameSource(names, partial(_video_frames, info, digits, every))


def _video_frames(info: VideoInfo, digits: int, every: int) -> Frames:
    for number, image in enumerate(read_frames(info), start=1):
        if (number - 1) % every == 0:
            yield f"{number:0{digits}d}.png", partial(_itself, image)


def _itself(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image
