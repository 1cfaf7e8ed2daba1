"""Helpers of the training tests: golden steps of the original, and small facesets made on the spot."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
from golden_files import GoldenArrays, rule_weights

from core.data.batches import TrainingBatch

TINY = {"resolution": 64, "ae_dims": 32, "e_dims": 16, "d_dims": 16, "d_mask_dims": 16, "batch_size": 2}


@contextmanager
def eagerly() -> Iterator[None]:
    """Steps within it are run one operation at a time: building a graph takes longer than a few of them.

    People train with graphs. Those are tested where a stopped run equals a whole one, in golden steps and in the
    scripts.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


def picked(path: str, array: np.ndarray) -> np.ndarray:
    """The 24 entries of ``array`` that the golden files hold."""
    places = np.random.RandomState(zlib.crc32(f"pick/{path}".encode())).randint(0, array.size, 24)
    return array.ravel()[places]


def golden_step(case: str) -> SimpleNamespace:
    """options, batch, weights by network, and the golden arrays of a case."""
    golden = GoldenArrays(f"dfl-model/train_{case}.npz")
    shapes: dict = {}
    for path, shape in golden.json("variables").items():
        network, key = path.split("/", 1)
        shapes.setdefault(network, {})[key] = shape
    weights = {network: rule_weights(network, part, "train") for network, part in shapes.items()}
    names = ("warped_{}", "target_{}", "target_{}m", "target_{}m_em")
    batch = TrainingBatch(0, *(np.stack([golden[name.format(side)] for side in ("src", "dst")]) for name in names))
    return SimpleNamespace(options=golden.json("options"), batch=batch, weights=weights, golden=golden)


def landmarks(size: int) -> np.ndarray:
    """68 plausible points of a whole face of ``size`` pixels."""
    from core.geometry import landmarks as lm

    points = np.zeros((68, 2))
    points[list(lm.MEAN_33_INDICES)] = np.asarray(lm.MEAN_33, np.float64)
    angle = np.linspace(np.pi, 0, 17)
    points[:17] = np.stack([0.5 + 0.62 * np.cos(angle), 0.3 + 0.75 * np.sin(angle)], -1)
    around = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    mouth = np.stack([0.49 - 0.235 * np.cos(around), 0.78 - 0.1 * np.sin(around)], -1)
    points[48:68] = mouth
    return (points * 0.45 + 0.28) * size


def aligned_record(number: int, size: int, points: np.ndarray):
    """What a whole-face file of this number says whose frame is the picture itself."""
    from core.types import FaceRecord

    return FaceRecord(
        f"{number:05d}_0.jpg",
        (size, size),
        points,
        "whole_face",
        source_filename=f"{number:05d}.png",
        source_rect=(0, 0, size, size),
        source_landmarks=points,
        image_to_face_mat=np.eye(2, 3),
    )


def make_faceset(folder: Path, count: int, tint: tuple[int, int, int], size: int = 96) -> Path:
    """Face files with drawn faces in different places and colours."""
    from core.formats import dfl_image
    from core.imaging.codec import encode_jpeg

    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        random = np.random.RandomState(number)
        points = landmarks(size) + random.uniform(-3, 3, 2)
        image = cv2.resize(
            random.randint(0, 90, (6, 6, 3)).astype(np.uint8), (size, size), interpolation=cv2.INTER_CUBIC
        )
        cv2.fillConvexPoly(image, cv2.convexHull(points[:27].astype(np.int32)), tint)
        for start, stop in ((36, 42), (42, 48), (60, 68)):
            cv2.fillConvexPoly(image, cv2.convexHull(points[start:stop].astype(np.int32)), (20, 20, 60))
        record = aligned_record(number, size, points)
        dfl_image.write(folder / record.name, encode_jpeg(image, 95), record)
    return folder


def make_workspace(root: Path, count: int = 6) -> Path:
    """A workspace with faces on both sides."""
    make_faceset(root / "data_src/aligned", count, (90, 120, 200))
    make_faceset(root / "data_dst/aligned", count, (160, 150, 120))
    (root / "model").mkdir(parents=True, exist_ok=True)
    return root
