"""The ffmpeg program: which one is used, what it can do, and running it.

The system's ffmpeg is used where there is one, else the binary inside the ``imageio-ffmpeg`` wheel. Versions from 4.4
on work.
"""

import functools
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from core.errors import EnvironmentFault


@functools.cache
def find_ffmpeg() -> str:
    """Path of the ffmpeg program.

    Raises:
        EnvironmentFault: there is none.
    """
    system = shutil.which("ffmpeg")
    if system:
        return system
    try:
        import imageio_ffmpeg

        return imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:
        raise EnvironmentFault(
            "no ffmpeg program",
            why=str(error),
            hint="pip install imageio-ffmpeg, or install ffmpeg and put it on the PATH",
        ) from None


@functools.cache
def version(program: str) -> tuple[int, int] | None:
    """(major, minor) of an ffmpeg program; None for a build without a number (made from the repository, so recent)."""
    found = re.match(r"ffmpeg version n?(\d+)\.(\d+)", _answer(program, "-version"))
    return (int(found[1]), int(found[2])) if found else None


@functools.cache
def has_filter(program: str, name: str) -> bool:
    """Whether an ffmpeg program was built with a filter."""
    return re.search(rf"\s{name}\s", _answer(program, "-hide_banner", "-filters")) is not None


def _answer(program: str, *arguments: str) -> str:
    command = [program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    return done.stdout


def keep_every_frame() -> dict[str, str]:
    """The output option for one frame in, one frame out. FFmpeg 5.1 spells it anew, FFmpeg 9 dropped the old way."""
    number = version(find_ffmpeg())
    if number is not None and number < (5, 1):
        return {"vsync": "passthrough"}
    return {"fps_mode": "passthrough"}


@contextmanager
def running(
    command: list[str], complaints: IO[bytes], *, folder: Path | None = None, stdin: int = subprocess.DEVNULL
) -> Iterator[Any]:
    """ffmpeg at work in ``folder``, as a process that is ended when the block is left.

    Its standard output is a pipe, its error lines go to the file ``complaints``.
    """
    quiet = [command[0], "-hide_banner", "-nostdin", "-v", "error", *command[1:]]
    with subprocess.Popen(quiet, stdin=stdin, stdout=subprocess.PIPE, stderr=complaints, cwd=folder) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            if process.stdin is not None:
                with suppress(BrokenPipeError):  # what it did not read is of no use any more
                    process.stdin.close()


def read_complaints(complaints: IO[bytes]) -> tuple[str, ...]:
    """The error lines of ffmpeg, each once, without the addresses in front of them that differ from run to run."""
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").splitlines()
    plain = (re.sub(r"^\[[^\]]*\] ", "", line.strip()) for line in lines)
    return tuple(dict.fromkeys(line for line in plain if line))
