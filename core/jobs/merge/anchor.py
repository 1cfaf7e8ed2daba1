"""Faces follow what their pixels do: the film is looked through once before it is merged.

From frame to frame optical flow in the face tells movement far more exactly than landmarks do, and adds up to nonsense
over time; landmarks tell the place, with trembling. So the landmarks' place beside the path of the pixels is averaged
over the frames around, without delay, and real movement passes whole.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faceset.tracks import motion as moving
from core.faceset.tracks.local_fit import local_fit
from core.geometry.align import FaceType, face_matrix, invert, transform_points
from core.imaging.warp import warp_face
from core.jobs.alignments.time.smooth import HAND
from core.jobs.merge.faces_of_film import FilmFaces
from core.types import Face
from core.video.film.frames import Frame, Image

Floats = NDArray[np.float64]

_SIZE = 160  # of the face in which pixels are followed
_FROM, _TO, _STEP = 51, 120, 6  # the middle of it, which is skin, eyes and mouth
_FLOW = {"winSize": (17, 17), "maxLevel": 2}
_INLIERS = 0.5  # of the points, below which nothing is followed
_APART = 0.04  # sizes of the face: pixels and landmarks do not mean the same movement
_WIDTH = 12.0  # frames, at strength 1
_STRAY = 0.015  # sizes of the face: never farther from what was found


@dataclass(frozen=True)
class _Seen:
    """A face in its frame, and how it has moved since the frame before, as of ``moving``; None where nobody knows."""

    number: int
    place: int
    face: Face
    step: Floats | None


def anchored(faces: FilmFaces, frames: Iterable[Frame], strength: float) -> FilmFaces:
    """The faces that were calmed, in places that follow their pixels. frames: of the film, in order. strength: 0..1."""
    tracks: dict[int, list[_Seen]] = defaultdict(list)
    for seen in _followed(faces, frames):
        tracks[faces.track[seen.face.id]].append(seen)
    by_number = {number: list(there) for number, there in faces.by_number.items()}
    for track in tracks.values():
        # A person has placed some of it: those would stand beside their neighbours.
        if len(track) > 2 and not any(seen.face.origin == HAND for seen in track):
            for seen, points in zip(track, _points(track, strength), strict=True):
                by_number[seen.number][seen.place] = replace(seen.face, landmarks=points)
    return replace(faces, by_number={number: tuple(there) for number, there in by_number.items()})


def _followed(faces: FilmFaces, frames: Iterable[Frame]) -> Iterator[_Seen]:
    before: tuple[int, Image, dict[int, Face]] = (-1, np.zeros((1, 1, 3), np.uint8), {})
    last = max(faces.by_number, default=0)
    for frame in frames:
        if frame.number > last:
            return
        there: dict[int, Face] = {}
        for place, face in enumerate(faces.by_number.get(frame.number, ())):
            if face.id not in faces.calmed:
                continue
            track = faces.track[face.id]
            earlier = before[2].get(track) if before[0] == frame.number - 1 else None
            step = None if earlier is None else _step(before[1], frame.image, earlier)
            there[track] = face
            yield _Seen(frame.number, place, face, step)
        before = frame.number, frame.image, there


def _step(before: Image, now: Image, face: Face) -> Floats | None:
    """How far the face of the frame before has moved, by its pixels."""
    points = np.asarray(face.landmarks, np.float64)
    matrix = face_matrix(points, _SIZE, FaceType.WHOLE_FACE)
    pair = [_gray(warp_face(image, matrix, _SIZE)) for image in (before, now)]
    moved = _similarity(*pair)
    if moved is None:
        return None
    after = transform_points(transform_points(transform_points(points, matrix), moved), invert(matrix))
    return np.diff(moving.motion_of(np.stack([points, after])), axis=0)[0]


def _gray(crop: Any) -> NDArray[np.uint8]:
    shallow = crop if crop.dtype == np.uint8 else (crop >> 8).astype(np.uint8)
    return np.asarray(cv2.cvtColor(shallow, cv2.COLOR_BGR2GRAY), np.uint8)


def _similarity(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> Floats | None:
    """The movement of most points of the face, as a matrix (2, 3)."""
    y, x = np.mgrid[_FROM:_TO:_STEP, _FROM:_TO:_STEP].astype(np.float32)
    grid = np.stack([x.ravel(), y.ravel()], axis=1)
    there, known = _flow(before, now, grid)
    back, also = _flow(now, before, grid)
    # Both ways: what differs between them is no movement.
    flow, good = (there - back) / 2, known & also
    if np.count_nonzero(good) < _INLIERS * len(grid):
        return None
    matrix, inliers = cv2.estimateAffinePartial2D(
        grid[good], (grid + flow)[good], method=cv2.RANSAC, ransacReprojThreshold=0.7, confidence=0.999
    )
    if matrix is None or np.count_nonzero(inliers) < _INLIERS * len(grid):
        return None
    return np.asarray(matrix, np.float64)


def _flow(before: Any, now: Any, grid: Any) -> tuple[Any, NDArray[np.bool_]]:
    found, good, _ = cv2.calcOpticalFlowPyrLK(before, now, grid[:, None], None, **_FLOW)  # type: ignore[call-overload]
    return found[:, 0] - grid, good.ravel() > 0


def _points(track: list[_Seen], strength: float) -> Floats:
    """The landmarks (n, 68, 2) of a track in places that follow its pixels."""
    motion, shape = moving.split(np.array([seen.face.landmarks for seen in track], np.float64))
    unit = moving.in_face_sizes(np.ones((1, 4)), float(np.exp(np.median(motion[:, 2]))))
    motion = motion * unit
    steps = np.diff(motion, axis=0)
    for k, seen in enumerate(track[1:]):
        if seen.step is not None and np.linalg.norm(seen.step * unit - steps[k]) < _APART:
            steps[k] = seen.step * unit
    path = np.vstack([np.zeros((1, 4)), np.cumsum(steps, axis=0)])
    time = np.array([seen.number for seen in track], np.float64)
    away = path + local_fit(time, motion - path, _WIDTH * strength, 1) - motion
    away *= np.minimum(1, _STRAY / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9))
    return moving.join((motion + away) / unit, shape)
