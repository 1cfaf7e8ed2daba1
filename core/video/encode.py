"""Writing a video from frames that are arrays."""

import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from core.errors import EnvironmentFault
from core.fsio import temporary_path
from core.video import program
from core.video.messages import Outcome


def write_video(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    *,
    width: int,
    height: int,
    rate: float,
    tags: Mapping[str, str],
    seal: Callable[[Path], None] | None = None,
) -> None:
    """Encode frames (uint8 height x width x 3 BGR) as H.264, yuv420p; appears under ``path`` when it is whole.

    width, height: even numbers of pixels.
    rate: frames a second.
    tags: metadata of the file, such as ``core.formats.provenance.VIDEO_TAGS``.
    seal: is called with the whole file before it appears.

    Raises:
        EnvironmentFault: ffmpeg cannot encode it.
    """
    # A name that ends as the real one does: ffmpeg tells the container by it.
    partial = temporary_path(path.parent, path.suffix)
    metadata = {f"metadata:g:{i}": f"{key}={value}" for i, (key, value) in enumerate(tags.items())}
    source = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="bgr24", s=f"{width}x{height}", r=rate)
    # 4:2:0 is what every player shows; a rate factor of 16 is hard to tell from the frames.
    output = source.output(program.FILE, vcodec="libx264", pix_fmt="yuv420p", crf=16, **metadata).overwrite_output()
    try:
        command = program.command(program.find_ffmpeg(encoder="libx264"), output, partial)
        outcome = _encode(command, frames)
        if outcome.code or outcome.stopped:
            raise EnvironmentFault(
                "ffmpeg could not encode a video",
                where=path,
                why=outcome.stopped or outcome.last_complaint,
                hint="`bash scripts/doctor.sh` tells which ffmpeg is used, and its version",
            )
        if seal:
            seal(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _encode(command: list[str], frames: Iterable[NDArray[np.uint8]]) -> Outcome:
    """Feed ``frames`` to ffmpeg."""
    with program.running(command, stdin=subprocess.PIPE) as run:
        try:
            for frame in frames:
                run.stdin.write(frame.tobytes())
            run.stdin.close()
        except BrokenPipeError:  # it ended before it had all frames
            ended = run.end()
            return replace(ended, code=ended.code or 1)
        return run.end()
