"""Colors that do not flicker: what a color transfer measures is averaged over the frames around, inside of a scene.

A window of a few frames is looked ahead and behind, so that a run that goes on in the middle of a film makes the same.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.jobs.merge.compose import Work
from core.merge.patch import SwappedFace
from core.merge.statistics import FaceColors

REACH = 12  # frames
_SIGMA = 16.0  # frames, at strength 1
# Difference of the light outside of the faces, in units of Lab, that makes a frame count by 0.6 of what it would.
_OTHER_LIGHT = 2.0


@dataclass(frozen=True)
class _Seen:
    """What is kept of a frame. colors: track of a face -> what was measured of it."""

    number: int
    scene: int
    light: NDArray[np.float64] | None
    colors: Mapping[int, FaceColors]


def calm_colors(works: Iterator[Work], track: Mapping[str, int], strength: float) -> Iterator[Work]:
    """The works in order, with colors as of the frames around.

    track: id of a face -> its track. strength: 0..1, 0.5 averages with a deviation of 8 frames.
    """
    behind: deque[_Seen] = deque(maxlen=REACH)
    ahead: deque[tuple[Work, _Seen]] = deque()
    for work in works:
        ahead.append((work, _seen(work, track)))
        if len(ahead) > REACH:
            yield _next(behind, ahead, track, strength)
    while ahead:
        yield _next(behind, ahead, track, strength)


def _next(behind: deque[_Seen], ahead: deque[tuple[Work, _Seen]], track: Mapping[str, int], strength: float) -> Work:
    around = [*behind, *(seen for _, seen in ahead)]
    work, here = ahead.popleft()
    behind.append(here)
    ready = [
        _with_colors(face, track.get(found.id, 0), here, around, strength * _SIGMA)
        for found, face in zip(work.faces, work.ready, strict=True)
    ]
    return replace(work, ready=tuple(ready))


def _seen(work: Work, track: Mapping[str, int]) -> _Seen:
    faces = zip(work.faces, work.ready, strict=True)
    colors = {track[found.id]: face.colors for found, face in faces if found.id in track and face.colors is not None}
    return _Seen(work.frame.number, work.seed, work.light, colors)


def _with_colors(face: SwappedFace, track: int, here: _Seen, around: list[_Seen], sigma: float) -> SwappedFace:
    if face.colors is None or track not in here.colors:
        return face
    total, sums = 0.0, np.zeros_like(face.colors.values)
    for seen in around:
        other = seen.colors.get(track)
        distance = abs(seen.number - here.number)
        if other is None or other.color != face.colors.color or seen.scene != here.scene or distance > REACH:
            continue
        light = _difference(seen, here) / _OTHER_LIGHT
        weight = float(np.exp(-0.5 * ((distance / sigma) ** 2 + light**2)))
        total += weight
        sums += weight * other.values
    return replace(face, colors=replace(face.colors, values=sums / total))


def _difference(one: _Seen, other: _Seen) -> float:
    if one.light is None or other.light is None:
        return 0.0
    return float(np.linalg.norm(one.light - other.light))
