"""Face files with drawn faces, an oval of skin with eyes and a mouth where the landmarks are, for tests that look at
pixels.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from core.faceset.register import KnownFaces, open_known
from core.formats import dfl_image
from core.geometry.align import FaceType, face_matrix, transform_points
from core.geometry.landmarks import MEAN_51
from core.imaging.codec import encode_jpeg
from core.types import FaceRecord
from core.workspace import Workspace


def landmarks(size: int, kind: FaceType = FaceType.WHOLE_FACE, seed: int = 0) -> np.ndarray:
    """68 points of an average face in an aligned image of ``size`` pixels."""
    x = np.linspace(-0.12, 1.1, 17)
    jaw = np.stack([x, 0.25 + 1.05 * np.sqrt(np.clip(1 - ((x - 0.49) / 0.62) ** 2, 0, 1))], axis=1)
    points = np.concatenate([jaw, MEAN_51]) * 200 + 300
    points += np.random.default_rng(seed).normal(0, 1.5, points.shape)
    return transform_points(points, face_matrix(points, size, kind))


def draw(size: int, points: np.ndarray, seed: int = 0) -> np.ndarray:
    """A skin-colored oval on noise, uint8 BGR."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.integers(0, 255, (8, 8, 3), np.uint8), (size, size), interpolation=cv2.INTER_CUBIC)
    hull = cv2.convexHull(points.astype(np.int32))
    cv2.fillConvexPoly(image, hull, (120 + int(rng.integers(-15, 15)), 150, 210))
    for part in (slice(36, 42), slice(42, 48), slice(60, 68)):
        cv2.fillConvexPoly(image, cv2.convexHull(points[part].astype(np.int32)), (40, 40, 60))
    return image


def write_face(
    folder: Path, name: str, size: int = 96, kind: FaceType = FaceType.WHOLE_FACE, seed: int = 0, **fields
) -> Path:
    """A face file; ``fields`` go into its record."""
    folder.mkdir(parents=True, exist_ok=True)
    points = landmarks(size, kind, seed)
    record = FaceRecord(
        name, (size, size), points, kind.file_name, source_filename=f"{Path(name).stem.split('_')[0]}.png", **fields
    )
    dfl_image.write(folder / name, encode_jpeg(draw(size, points, seed), 95), record)
    return folder / name


@contextmanager
def known_faces(folder: Path) -> Iterator[KnownFaces]:
    """The faces in ``<workspace>/data_src/aligned`` with their ids."""
    assert folder.parts[-2:] == ("data_src", "aligned")
    with open_known(Workspace(folder.parent.parent).side("src")) as known:
        yield known


def write_faces(folder: Path, count: int, size: int = 96, **fields) -> list[Path]:
    """Faces of as many frames."""
    return [write_face(folder, f"{i + 1:05d}_0.jpg", size, seed=i, **fields) for i in range(count)]
