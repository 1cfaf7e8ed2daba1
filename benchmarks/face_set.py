"""A faceset for benchmarks, made of a portrait that comes with scikit-image: real skin and hair, and nobody's film."""

import sys
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent


def make(folder: Path, count: int, size: int = 512, seed: int = 0) -> Path:
    """``count`` whole faces of ``size`` pixels as JPEG of quality 90, each moved and lit in another way."""
    sys.path.insert(0, str(ROOT / "tests/support"))
    from skimage import data
    from training_cases import aligned_record, landmarks

    from core.formats import dfl_image
    from core.imaging.codec import encode_jpeg

    folder.mkdir(parents=True, exist_ok=True)
    portrait = np.ascontiguousarray(data.astronaut()[:260, 90:350, ::-1])
    for number in range(count):
        random = np.random.RandomState(1000 * seed + number)
        matrix = cv2.getRotationMatrix2D((130, 130), random.uniform(-12, 12), size / 260 * random.uniform(0.95, 1.2))
        matrix[:, 2] += size / 2 - 130 + random.uniform(-12, 12, 2)
        image = cv2.warpAffine(portrait, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        light = image * random.uniform(0.7, 1.1, 3) + random.normal(0, 4, image.shape)
        points = landmarks(size) + random.uniform(-6, 6, 2)
        record = aligned_record(number, size, points)
        pixels = np.clip(light, 0, 255).astype(np.uint8)
        dfl_image.write(folder / record.name, encode_jpeg(pixels, 90), record)
    return folder
