"""A side as an extraction leaves it, made without any network: frames of noise, and faces at places of our choice."""

from dataclasses import replace

import numpy as np

from core.faceset.database import extraction, faces
from core.faceset.database.connection import open_database
from core.faceset.database.faces import FaceRow
from core.faceset.database.frames import FrameRow
from core.faceset.identity import birth_id
from core.geometry.landmarks import HEAD_3D
from core.imaging.codec import encode_png
from core.types import Face
from core.workspace import Side, Workspace

SETTINGS = {"face_type": "whole_face", "image_size": 64, "jpeg_quality": 90, "every": 1, "embedder": "sface"}


def points_at(x: float, y: float, scale: float = 0.4) -> np.ndarray:
    """68 landmarks of a face from the front around this place."""
    return HEAD_3D[:, :2].astype(np.float64) * scale + (x, y)


def face_at(frame: str, x: float, y: float = 100, **changes) -> Face:
    points = points_at(x, y)
    box = np.concatenate([points.min(axis=0), points.max(axis=0)]).astype(np.float32)
    made = Face(box, 0.9, landmarks=points, landmark_confidence=0.9, frame=frame, origin="yunet")
    return replace(made, **({"id": birth_id(frame, points)} | changes))


def frame_image(number: int, size: tuple[int, int] = (200, 320)) -> np.ndarray:
    small = np.random.default_rng(number).integers(0, 255, (size[0] // 10, size[1] // 10, 3), dtype=np.uint8)
    return np.kron(small, np.ones((10, 10, 1), np.uint8))


def side_with(workspace: Workspace, found: dict[str, list[Face]], name: str = "src") -> Side:
    """A side whose frames (name -> faces) are on the disk and in the database; there are no crops yet."""
    side = workspace.create().side(name)
    for number, frame in enumerate(found):
        (side.frames / frame).write_bytes(encode_png(frame_image(number)))
    with open_database(side.database, create=True) as connection:
        extraction.write_settings(connection, SETTINGS | {"source": {}})
        rows = [
            (FrameRow(frame, time=number / 25, width=320, height=200), [FaceRow(face) for face in there])
            for number, (frame, there) in enumerate(found.items())
        ]
        faces.add(connection, rows)
    return side
