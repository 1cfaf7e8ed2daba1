"""Short clips of the two people: they turn and nod, talk and blink, and the light wanders."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.demo.expressions import Expression
from core.demo.painting import painted
from core.demo.people import PEOPLE, Person, person
from core.demo.portraits import SIZE, portraits
from core.formats.origin.film import label_film
from core.formats.provenance import VIDEO_TAGS
from core.imaging.codec import to_uint8
from core.parallel import cores, in_threads
from core.progress import progress
from core.video.encode import write_video

FPS = 12  # frames a second
# Turns of the two clips, a phase apart, so that the poses of one side are not in step with the other's.
_PHASE = {"src": 0.0, "dst": 1.3}
_WORDS, _BLINKS = 11, 4  # in a clip


def make_clips(folder: Path, frames: int) -> list[Path]:
    """Write ``data_src.mp4`` and ``data_dst.mp4`` with ``frames`` frames each; returns their paths."""
    first, second = portraits()
    paths = []
    for name, looks in PEOPLE.items():
        path = folder / f"data_{name}.mp4"
        moving = animate(person(first, second, looks), frames, _PHASE[name])
        counted = progress(moving, total=frames, description=f"demo clip {name}", unit="frame")
        write_video(path, counted, width=SIZE, height=SIZE, rate=FPS, tags=VIDEO_TAGS, seal=label_film)
        paths.append(path)
    return paths


def animate(face: Person, frames: int, phase: float) -> Iterator[NDArray[np.uint8]]:
    """Frames, uint8 SIZE x SIZE x 3 BGR, of the person in motion; the same every time. phase: radians."""
    noise = np.random.default_rng(7)
    times = [2 * np.pi * index / frames for index in range(frames)]
    pictures = in_threads(partial(_picture, face, phase), times, cores())
    for t, image in zip(times, pictures, strict=True):
        yield light(image, np.sin(2 * t + phase), noise)


def _picture(face: Person, phase: float, t: float) -> NDArray[np.float32]:
    """The person at ``t``, radians of a clip."""
    drift = (14 * np.sin(2 * t + phase), 8 * np.cos(3 * t + phase))
    return painted(face, expression_at(t, phase), drift)


def expression_at(t: float, phase: float) -> Expression:
    """What a face does at ``t``, radians of a clip."""
    return Expression(
        yaw=0.42 * np.sin(t + phase),
        pitch=0.2 * np.sin(2 * t + 2 * phase),
        roll=0.1 * np.sin(3 * t + phase),
        jaw=0.22 * max(0.0, np.sin(_WORDS * t + phase)) * (0.6 + 0.4 * np.sin(3 * t)),
        lips=0.12 * np.sin(5 * t + phase),
        blink=float(np.clip(8 * np.cos(_BLINKS * t + phase) - 7.2, 0, 0.8) / 0.8) * 0.95,
        brows=0.02 * max(0.0, np.sin(4 * t + 2 * phase)),
    )


def light(image: NDArray[np.float32], side: float, noise: np.random.Generator) -> NDArray[np.uint8]:
    """The image, 0..255, under a lamp that moves from left (``side`` -1) to right (1), with the grain of a camera."""
    gain = 1 + 0.16 * side * np.linspace(-1, 1, SIZE, dtype=np.float32)[None, :, None]
    grain = noise.normal(0, 1.5, image.shape).astype(np.float32)
    return to_uint8(np.clip((image * gain + grain) / np.float32(255), 0, 1))
