"""Clips for tests, all made by one known program: the ffmpeg inside the imageio-ffmpeg wheel."""

import os
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
