"""``faces.db`` of a made-up film: people on known paths, before backgrounds that change at cuts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from moving_faces import heads, seen

from core.faceset.database import faces
from core.faceset.database.connection import open_database
from core.faceset.database.faces import FaceRow
from core.faceset.database.frames import FrameRow
from core.faceset.identity import birth_id
from core.faceset.scores.measures import IDENTITY_SIZE
from core.types import Face
from core.workspace import Side


@dataclass
class Actor:
    """Somebody in the film: the frames that they are found in, landmarks (n, 68, 2) and identity there."""

    frames: Sequence[int]
    points: np.ndarray
    who: int
    confidence: float = 0.9


def walking(frames: Sequence[int], start: tuple[float, float], who: int, step: float = 2.0, **more) -> Actor:
    """Somebody who goes to the right."""
    at = np.asarray(frames, np.float64)
    return Actor(frames, heads(np.column_stack([start[0] + step * at, np.full(len(at), start[1])])), who, **more)


def write_film(
    side: Side,
    actors: Sequence[Actor],
    frames: Sequence[int],
    cuts: Sequence[int] = (),
    looks: bool = True,
    shown: Sequence[int] | None = None,
):
    """Write the database. frames: numbers of the readable ones. cuts: numbers of frames with which a scene begins.

    shown: the picture that each frame shows before a background that moves; by default the background stands still.
    """
    rows: dict[int, list[FaceRow]] = {number: [] for number in frames}
    for k, actor in enumerate(actors):
        vectors = seen(np.eye(IDENTITY_SIZE, dtype=np.float32)[actor.who], len(actor.frames), 0.02, seed=k)
        for number, points, vector in zip(actor.frames, actor.points, vectors, strict=True):
            rows[number].append(FaceRow(_face(number, points, actor.confidence), vectors={"sface": vector}))
    backgrounds = np.random.default_rng(0).integers(0, 255, (len(cuts) + 1, 192), dtype=np.uint8)
    scene = np.searchsorted(np.asarray(cuts), np.asarray(frames), side="right")
    if shown is not None:
        backgrounds = np.random.default_rng(0).integers(0, 255, (max(shown) + 1, 192), dtype=np.uint8)
        scene = np.asarray(shown)
    with open_database(side.database, create=True) as connection:
        faces.add(
            connection,
            [
                (FrameRow(f"{number:05d}.png", look=backgrounds[at].tobytes() if looks else b""), rows[number])
                for number, at in zip(frames, scene, strict=True)
            ],
        )


def _face(number: int, points: np.ndarray, confidence: float) -> Face:
    frame = f"{number:05d}.png"
    box = np.concatenate([points.min(axis=0), points.max(axis=0)]).astype(np.float32)
    return Face(
        box,
        confidence,
        landmarks=points,
        landmark_confidence=0.9,
        frame=frame,
        origin="yunet",
        id=birth_id(frame, points),
    )


def all_faces(side: Side, status: str = "kept") -> list[Face]:
    with open_database(side.database) as connection:
        return list(faces.faces(connection, status))
