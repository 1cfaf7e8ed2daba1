"""Sharpness: the fast version against the definition, pixel by pixel."""

import cv2
import numpy as np
import pytest
from golden_files import GoldenArrays, golden_path
from skimage.data import astronaut
from skimage.feature import canny

from core.faceset.scores.cpbd import cpbd
from core.formats import dfl_image
from core.imaging.masks import hull_mask


def plain_cpbd(grey: np.ndarray) -> float:
    """The definition, with loops."""
    image = grey.astype(np.float64)
    h, w = image.shape
    blocks_edges = canny(image)
    kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    power = cv2.filter2D(image, cv2.CV_64F, kernel, borderType=cv2.BORDER_REFLECT) ** 2
    power[power <= 2 * np.sqrt(power.mean())] = 0
    p = np.pad(power, 1)
    edge = ((power > p[1:-1, :-2]) & (power > p[1:-1, 2:])) | ((power > p[:-2, 1:-1]) & (power > p[2:, 1:-1]))
    gy, gx = np.gradient(image)
    buckets = np.zeros(101)
    for top in range(0, h - 63, 64):
        for left in range(0, w - 63, 64):
            if blocks_edges[top : top + 64, left : left + 64].sum() <= 0.002 * 4096:
                continue
            block = image[top : top + 64, left : left + 64]
            jnw = 5 if int(block.max() - block.min()) <= 50 else 3
            for r in range(top, top + 64):
                for c in range(left, left + 64):
                    width = plain_width(image, gx, gy, r, c) if edge[r, c] and 0 < r < h - 1 and 0 < c < w - 1 else 0
                    if width:
                        buckets[int(round(100 * (1 - np.exp(-((width / jnw) ** 3.6)))))] += 1
    return buckets[:64].sum() / buckets.sum() if buckets.sum() else 0.0


def plain_width(image, gx, gy, r, c) -> int:
    angle = np.degrees(np.arctan2(gy[r, c], gx[r, c])) if gx[r, c] != 0 else 0
    angle = np.round(angle / 45) * 45
    if abs(angle) not in (0, 180):
        return 0
    e, row = (-1, image[r]) if angle == 0 else (1, image[r])
    left = next((m for m in range(101) if c - 2 - m < 0 or e * (row[c - 2 - m] - row[c - 1 - m]) <= 0), 100)
    right = next((m for m in range(101) if c + 2 + m >= len(row) or e * (row[c + 2 + m] - row[c + 1 + m]) >= 0), 100)
    return left + right + 2


@pytest.mark.parametrize("blur", [0, 1.0, 2.5])
def test_equals_the_definition(blur):
    grey = cv2.cvtColor(np.ascontiguousarray(astronaut()[..., ::-1]), cv2.COLOR_BGR2GRAY)[20:220, 120:330]
    if blur:
        grey = cv2.GaussianBlur(grey, (0, 0), blur)
    assert cpbd(grey) == pytest.approx(plain_cpbd(grey), abs=1e-12)


def test_sparse_edges_equal_the_definition():
    """Blocks near the limit of edge pixels, in noise of one grey level and beside a short line."""
    rng = np.random.default_rng(3)
    for length in range(2, 14, 3):
        grey = np.full((128, 128), 100, np.uint8)
        grey[30 : 30 + length, 70] = 160
        grey[64:, 64:] += rng.integers(0, 2, (64, 64), dtype=np.uint8)
        assert cpbd(grey) == pytest.approx(plain_cpbd(grey), abs=1e-12)


def test_sharper_is_higher_and_small_is_zero():
    grey = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY)[:256, 100:356]
    scores = [cpbd(grey), *(cpbd(cv2.GaussianBlur(grey, (0, 0), s)) for s in (1, 2, 4))]
    assert scores == sorted(scores, reverse=True) and scores[0] > scores[-1] + 0.2
    assert cpbd(grey[:63]) == 0 and cpbd(np.full((128, 128), 9, np.uint8)) == 0


def test_golden_values():
    golden = GoldenArrays("dfl-faceset/ref.npz")["cpbd"]
    paths = sorted(golden_path("dfl-faceset/aligned_whole_face").glob("*.jpg"))[:4]
    for path, expected in zip(paths, golden, strict=True):
        image, record = cv2.imread(str(path)), dfl_image.read(path)
        grey = cv2.cvtColor(image * hull_mask(image.shape, record.landmarks).astype(np.uint8), cv2.COLOR_BGR2GRAY)
        assert cpbd(grey) == pytest.approx(expected, abs=1e-12)
