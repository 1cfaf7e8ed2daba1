"""The ffmpeg programs there are, and running one.

Every ffmpeg on the PATH comes into question, in its order, then the binary inside the ``imageio-ffmpeg`` wheel.
One that cannot tell its version is not used. Versions from 4.4 on work.
"""

import functools
import logging
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from core.errors import EnvironmentFault
from core.video.messages import Messages, Outcome

log = logging.getLogger(__name__)
# For a file whose name ffmpeg-python cannot hold because it is no UTF-8.
FILE = "the file"
_PATIENCE = 30  # seconds for a program to tell about itself
_GRACE = 5  # seconds for what it said last
_ENCODERS = ("png", "mjpeg", "libx264")
_FILTERS = ("scale", "pad", "format", "trim", "fps", "bwdif", "zscale", "tonemap")


@dataclass(frozen=True)
class Program:
    """An ffmpeg program.

    path: where it is.
    head: how it introduces itself, such as "ffmpeg version 5.1.9".
    fault: why it does not run; empty where it does.
    """

    path: str
    head: str = ""
    fault: str = ""


@functools.cache
def installed() -> tuple[Program, ...]:
    """The ffmpeg programs of the PATH, then the one of the wheel, each asked for its version."""
    places = [shutil.which("ffmpeg", path=folder) for folder in os.get_exec_path()]
    distinct: dict[str, str] = {}
    for path in filter(None, [*places, _in_wheel()]):
        # Several folders of the PATH may lead to one program.
        distinct.setdefault(os.path.realpath(path), path)
    return tuple(_introduce(path) for path in distinct.values())


def usable() -> tuple[str, ...]:
    """Paths of the programs that run, in the order of their use.

    Raises:
        EnvironmentFault: there is none.
    """
    good = tuple(program.path for program in installed() if not program.fault)
    broken = [f"the ffmpeg at {program.path} does not run: {program.fault}" for program in installed() if program.fault]
    if good:
        for text in broken:
            _note(text)
        return good
    raise EnvironmentFault(
        "no ffmpeg program",
        why="; ".join(broken) or "neither on the PATH nor in the imageio-ffmpeg wheel",
        hint="pip install imageio-ffmpeg, or install ffmpeg and put it on the PATH",
    )


def forget() -> None:
    """Look for the programs anew the next time."""
    installed.cache_clear()
    find_ffmpeg.cache_clear()


@functools.cache
def find_ffmpeg(encoder: str = "") -> str:
    """Path of the first program that runs and has an encoder, if one is named and any has it.

    Raises:
        EnvironmentFault: no program runs.
    """
    paths = usable()
    able = [path for path in paths if not encoder or _lists(path, "-encoders", encoder)]
    return (able or paths)[0]


@functools.cache
def _note(text: str) -> None:
    """Say it once."""
    log.warning("%s", text)


def _in_wheel() -> str | None:
    try:
        import imageio_ffmpeg

        return imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError):
        return None


def _introduce(path: str) -> Program:
    try:
        done = _ask(path, "-version")
    except subprocess.TimeoutExpired:
        return Program(path, fault=f"no answer within {_PATIENCE} s")
    except OSError as error:
        return Program(path, fault=error.strerror or str(error))
    head = done.stdout.partition("\n")[0]
    if done.returncode == 0 and head.startswith("ffmpeg version"):
        return Program(path, head.partition(" Copyright")[0])
    said = (done.stderr or done.stdout).strip().splitlines()
    return Program(path, fault=said[-1] if said else f"exit code {done.returncode}")


@functools.cache
def version(path: str) -> tuple[int, int] | None:
    """(major, minor) of an ffmpeg program; None for a build without a number (made from the repository, so recent)."""
    # Builds from a tag of the repository call themselves n7.0 and so on.
    found = re.match(r"ffmpeg version n?(\d+)\.(\d+)", _ask(path, "-version").stdout)
    return (int(found[1]), int(found[2])) if found else None


def self_test(path: str) -> str:
    """Have a program make an image of a few bytes; returns what went wrong, or an empty text."""
    arguments = "-v error -f rawvideo -pix_fmt rgb24 -s 16x16 -i pipe:0 -vf scale=w=8:h=8 -f image2pipe -c:v png pipe:1"
    try:
        done = subprocess.run(
            [path, *arguments.split()], input=bytes(16 * 16 * 3), capture_output=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0 and done.stdout.startswith(b"\x89PNG"):
        return ""
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return said[0] if said else f"exit code {done.returncode}"


def lacking(path: str) -> tuple[str, ...]:
    """Encoders and filters that this project uses and that a program was built without."""
    encoders = [name for name in _ENCODERS if not _lists(path, "-encoders", name)]
    return (*encoders, *(name for name in _FILTERS if not has_filter(path, name)))


def has_filter(path: str, name: str) -> bool:
    """Whether an ffmpeg program was built with a filter."""
    return _lists(path, "-filters", name)


@functools.cache
def _lists(path: str, what: str, name: str) -> bool:
    return (
        # A line of such a list: flags, the name, what it is.
        re.search(rf"^\s*\S+\s+{re.escape(name)}\s", _ask(path, "-hide_banner", what).stdout, re.MULTILINE) is not None
    )


def _ask(path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [path, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_PATIENCE,
        check=False,
    )


def command(path: str, stream: Any, file: Path, *options: str) -> list[str]:
    """The command line for a stream of ffmpeg-python in which ``FILE`` stands for ``file``; options: come first."""
    return [str(file.absolute()) if part == FILE else part for part in ffmpeg.compile(stream, cmd=[path, *options])]


def keep_every_frame(path: str) -> dict[str, str]:
    """The output option for one frame in, one frame out: FFmpeg 5.1 has a new spelling, FFmpeg 9 dropped the old."""
    number = version(path)
    if number is not None and number < (5, 1):
        return {"vsync": "passthrough"}
    return {"fps_mode": "passthrough"}


class Run:
    """ffmpeg at work. stdin, stdout: pipes to and from it; stdin is None where it reads nothing."""

    def __init__(self, process: subprocess.Popen[bytes]):
        self.stdin, self.stdout = process.stdin, process.stdout
        self._process = process
        self._messages = Messages()
        # What it says has to be read while it works: a full pipe would stop it.
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def end(self) -> Outcome:
        """Wait for it; returns how it ended."""
        code = self._process.wait()
        self._listener.join(timeout=_GRACE)
        return self._messages.outcome(code)

    def leave(self) -> None:
        """End it at once, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
        if self.stdin is not None:
            with suppress(BrokenPipeError):  # what it did not read is of no use any more
                self.stdin.close()
        # A shell around the program may leave it behind, with the pipe open.
        self._listener.join(timeout=_GRACE)

    def _listen(self) -> None:
        with suppress(ValueError):  # the pipe was closed here
            for line in self._process.stderr or ():
                self._messages.hear(line.decode(errors="replace").strip())
                if self._messages.hopeless:
                    self._process.kill()


@contextmanager
def running(command: list[str], *, folder: Path | None = None, stdin: int = subprocess.DEVNULL) -> Iterator[Any]:
    """ffmpeg at work in ``folder``, as a ``Run`` that is ended when the block is left."""
    # Without nostdin, ffmpeg takes what it can read for the keys of a person.
    # The level and the wording are the form that Messages understands.
    talking = [command[0], "-hide_banner", "-nostdin", "-nostats", "-v", "repeat+level+verbose", *command[1:]]
    pipe = subprocess.PIPE
    with subprocess.Popen(talking, stdin=stdin, stdout=pipe, stderr=pipe, cwd=folder) as process:
        run = Run(process)
        try:
            yield run
        finally:
            run.leave()
