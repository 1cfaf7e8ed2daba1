"""Clips for tests, all made by one known program: the ffmpeg inside the imageio-ffmpeg wheel."""

import os
import struct
import subprocess
from pathlib import Path

import imageio_ffmpeg


def wheel_ffmpeg() -> Path:
    """The program inside the wheel, whatever else is installed."""
    (program,) = (Path(imageio_ffmpeg.__file__).parent / "binaries").glob("ffmpeg-*")
    return program


def make_clip(path: Path, *arguments: str) -> Path:
    """Run the known ffmpeg with ``arguments`` to write ``path``."""
    command = [wheel_ffmpeg(), "-v", "error", "-y", *arguments, path]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def pattern(seconds: float, size: str = "64x48") -> tuple[str, ...]:
    """Arguments for a moving test pattern of 10 frames a second."""
    return "-f", "lavfi", "-i", f"testsrc=size={size}:rate=10:duration={seconds:g}"


def plain(color: str, size: str, frames: int) -> tuple[str, ...]:
    """Arguments for a few frames of one color, 5 a second."""
    return "-f", "lavfi", "-i", f"color=c={color}:size={size}:rate=5:duration={frames / 5:g}"


def still(image: Path, seconds: float) -> tuple[str, ...]:
    """Arguments for an image that stands for a while, 5 frames a second."""
    return "-loop", "1", "-r", "5", "-i", str(image), "-t", f"{seconds:g}"


def put_first(program: Path, folder: Path) -> str:
    """A PATH on which ``program`` is found as ffmpeg before any other."""
    folder.mkdir()
    (folder / "ffmpeg").symlink_to(program)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def stand_in(folder: Path, script: str) -> str:
    """A PATH on which a shell script is found as ffmpeg before any other; $REAL in it is the known program."""
    folder.mkdir(exist_ok=True)
    program = folder / "ffmpeg"
    program.write_text(f"#!/bin/sh\nREAL='{wheel_ffmpeg()}'\n{script}\n")
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


# Only the run that takes all frames is slow; asking for the version and trying the first frame are not.
SLOW = 'case "$*" in *passthrough*) exec "$REAL" -re "$@";; *) exec "$REAL" "$@";; esac'


def add_clean_aperture(movie: Path, width: int, height: int) -> None:
    """Have an MP4 say that only the middle of its frames, of this size, is to be shown."""
    fractions = (width, 1, height, 1, 0, 1, 0, 1)
    box = struct.pack(">I4s8I", 40, b"clap", *fractions)
    data = bytearray(movie.read_bytes())
    entry = data.index(b"avc1", data.index(b"stsd")) - 4
    end = entry + struct.unpack_from(">I", data, entry)[0]
    data[end:end] = box
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):  # the index is behind the frames
        at = data.index(kind, data.index(b"moov")) - 4 if kind != b"avc1" else entry
        struct.pack_into(">I", data, at, struct.unpack_from(">I", data, at)[0] + len(box))
    movie.write_bytes(data)
