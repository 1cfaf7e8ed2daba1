"""Which ffmpeg decodes a video: the first that gives a frame. The frame tells the size that all will have."""

import logging
import re
import struct
import subprocess
from dataclasses import replace

from core.errors import CorruptFileError, EnvironmentFault
from core.video import program
from core.video.chain import decoded, needed_filters
from core.video.info import VideoInfo
from core.video.selection import EVERY_FRAME

log = logging.getLogger(__name__)
_PATIENCE = 120  # seconds for one frame
# Programs before this version ignore that a video has to be mirrored.
_MIRRORS = (5, 1)
# Behind the signature and the length and type of the first chunk.
_PNG_SIZE = struct.Struct(">16xII")
_LACKS = re.compile(
    "no decoder found|decoder .*not found|unknown (?:de|en)coder|no such filter|experimental|shared librar",
    re.IGNORECASE,
)
_SPEAKER = re.compile(r"^(?:\[[^\]]*\] )*")


def settle(info: VideoInfo, *, plays_here: bool) -> VideoInfo:
    """``info`` with the program that decodes the video, and with the size of the frames that come out.

    plays_here: whether another decoder gave a frame, so that it is not the video's fault when no program does.

    Raises:
        CorruptFileError: not one frame decodes.
        EnvironmentFault: no program runs, or none can decode this kind of video.
    """
    faults: dict[str, str] = {}
    for path in _by_ability(info):
        tried = replace(info, program=path)
        size, fault = _first_frame(tried)
        if size:
            for other, why in faults.items():
                log.warning("%s cannot decode this video (%s): %s does", other, why, path)
            _note_lacking(tried)
            return replace(tried, width=size[0], height=size[1])
        faults[path] = fault
    said = "; ".join(f"{path}: {fault}" for path, fault in faults.items())
    if plays_here or all(map(_LACKS.search, faults.values())):
        raise EnvironmentFault(
            f"no ffmpeg here can decode {info.codec}",
            where=info.path,
            why=said,
            hint="install a newer ffmpeg, or pip install --upgrade imageio-ffmpeg",
        )
    raise unreadable(info.path, "; ".join(faults.values()))


def unreadable(path: object, why: str) -> CorruptFileError:
    """The error for a file of which not one frame decodes."""
    return CorruptFileError(
        "cannot read this file as a video",
        where=str(path),
        why=why,
        hint="play it in a video player; if that fails too, copy or download it again",
    )


def _by_ability(info: VideoInfo) -> list[str]:
    """The programs, first those that lack nothing."""
    return sorted(program.usable(), key=lambda path: len(_lacking(path, info)))


def _lacking(path: str, info: VideoInfo) -> list[str]:
    lacking = [f"the filter {name}" for name in needed_filters(info) if not program.has_filter(path, name)]
    number = program.version(path)
    if info.mirrored and number is not None and number < _MIRRORS:
        lacking.append("mirroring")
    return lacking


def _note_lacking(info: VideoInfo) -> None:
    for what in _lacking(info.program, info):
        log.warning("%s lacks %s, which this video needs", info.program, what)


def _first_frame(info: VideoInfo) -> tuple[tuple[int, int] | None, str]:
    """Width and height of the first frame, or why there is none."""
    output = decoded(info, EVERY_FRAME, "rgb24").output("pipe:1", f="image2pipe", vcodec="png", vframes=1)
    command = program.command(info.program, output, info.path, "-hide_banner", "-nostdin", "-v", "error")
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return None, f"no frame within {_PATIENCE} s"
    except OSError as error:
        return None, error.strerror or str(error)
    if done.stdout.startswith(b"\x89PNG") and len(done.stdout) >= _PNG_SIZE.size:
        return _PNG_SIZE.unpack_from(done.stdout), ""
    said = done.stderr.decode(errors="replace").strip().splitlines()
    # The first line says what is missing, the last only that it ended.
    return None, _SPEAKER.sub("", said[0]) if said else f"exit code {done.returncode}"
