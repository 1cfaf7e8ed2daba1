"""Faces from picture to picture: looked for now and then, followed by their landmarks in between, smoothed."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.faces.contract import Detector, Landmarker
from core.faceset.tracks.one_euro import OneEuro
from core.geometry.boxes import intersection_over_smaller
from core.live.frames import Image
from core.types import Face

Points = NDArray[np.float64]

_SURE = 0.5  # of the landmarker, that it still sees a face
_SAME = 0.3  # shared part of the smaller box: one face
_JUMP = 0.35  # widths of a face between two pictures: another place, so nothing is smoothed
_MISSES = 3  # searches in a row that do not find a face which the landmarker still sees
_RIGHT_EYE, _LEFT_EYE = slice(36, 42), slice(42, 48)


@dataclass
class _Track:
    """A face that is followed. points: as found, not smoothed. misses: searches in a row without it."""

    points: Points
    smoother: OneEuro = field(default_factory=OneEuro)
    scale: float = 1.0
    misses: int = 0


class Follower:
    """Finds faces picture by picture. For one thread.

    every: pictures from one search to the next; a face that is lost is looked for at once.
    most: how many faces; the largest are taken first, and a face that is followed keeps its place.
    smooth: whether trembling is taken out of the points.
    """

    def __init__(self, detector: Detector, landmarker: Landmarker, every: int = 6, most: int = 1, smooth: bool = True):
        self.searches = 0
        self._detector, self._landmarker = detector, landmarker
        self._every, self._most, self._smooth = max(every, 1), most, smooth
        self._tracks: list[_Track] = []
        self._until_search = 0

    def faces(self, image: Image, moment: float) -> list[Face]:
        """The faces of the next picture, with their landmarks. moment: seconds, of when it was taken."""
        before = len(self._tracks)
        self._tracks = [track for track in self._tracks if self._followed(track, image)]
        if len(self._tracks) < before or self._until_search <= 0:
            self._search(image)
            self._until_search = self._every
        self._until_search -= 1
        return [_as_face(self._smoothed(track, moment)) for track in self._tracks]

    def _followed(self, track: _Track, image: Image) -> bool:
        """Whether the face is still there; its points are those of this picture, then."""
        points = self._marked(image, _as_face(track.points))
        if points is None:
            return False
        if float(np.linalg.norm(points - track.points, axis=1).mean()) > _JUMP * _width(track.points):
            track.smoother.reset()
            track.scale = _width(points)
        track.points = points
        return True

    def _search(self, image: Image) -> None:
        self.searches += 1
        found = sorted(self._detector.detect(image), key=lambda face: -_area(face.box))
        for track in self._tracks:
            track.misses = 0 if _overlaps(_box(track.points), [face.box for face in found]) else track.misses + 1
        self._tracks = [track for track in self._tracks if track.misses < _MISSES]
        for face in found:
            if len(self._tracks) >= self._most:
                break
            if _overlaps(face.box, [_box(track.points) for track in self._tracks]):
                continue
            points = self._marked(image, face)
            if points is not None:
                self._tracks.append(_Track(points, scale=_width(points)))

    def _marked(self, image: Image, face: Face) -> Points | None:
        found, confidence = self._landmarker.landmarks(image, face)
        points = found.astype(np.float64)
        if confidence < _SURE or not np.isfinite(points).all() or _width(points) < 1:
            return None
        return points

    def _smoothed(self, track: _Track, moment: float) -> Points:
        if not self._smooth:
            return track.points
        # In widths of the face, so that large and small faces are smoothed alike.
        value = track.smoother.step(moment, track.points.ravel() / track.scale)
        return (value * track.scale).reshape(-1, 2)


def _as_face(points: Points) -> Face:
    right, left = points[_RIGHT_EYE].mean(axis=0), points[_LEFT_EYE].mean(axis=0)
    roll = float(np.arctan2(left[1] - right[1], left[0] - right[0]))
    return replace(Face(_box(points), 1.0, roll, origin="live"), landmarks=points)


def _box(points: Points) -> NDArray[np.float32]:
    return np.concatenate([points.min(axis=0), points.max(axis=0)]).astype(np.float32)


def _width(points: Points) -> float:
    return float(np.ptp(points, axis=0).max())


def _area(box: NDArray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))


def _overlaps(box: NDArray, others: Sequence[NDArray]) -> bool:
    return bool(others) and bool((intersection_over_smaller(box, np.stack(others)) > _SAME).any())
