"""Greedy chains and sums of distances against their definitions."""

from io import BytesIO

import cv2
import numpy as np
import pytest

from core.errors import DiskFullError
from core.faceset.sorting import pixel_chain
from core.faceset.sorting.chain import bhattacharyya, histogram_chain, summed_distances


def plain_chain(histograms: np.ndarray) -> list[int]:
    order = list(range(len(histograms)))
    for i in range(len(order) - 2):
        distances = [bhattacharyya(histograms[order[i]], histograms[j]) for j in order[i + 1 :]]
        j = i + 1 + int(np.argmin(distances))
        order[i + 1], order[j] = order[j], order[i + 1]
    return order


def drifting(count: int, seed: int) -> np.ndarray:
    """Histograms as a film gives them: slow changes, cuts, and repeated frames."""
    rng = np.random.default_rng(seed)
    centre = (
        128
        + np.cumsum(rng.normal(0, 3, (count, 3)), axis=0)
        + 40 * rng.normal(size=(5, 3))[np.arange(count) * 5 // count]
    )
    width = 20 + 8 * np.sin(np.arange(count) / 9)[:, None]
    p = np.exp(-0.5 * ((np.arange(256) - centre[..., None]) / width[..., None]) ** 2) + 1e-3
    counts = np.stack([[rng.multinomial(4096, q / q.sum()) for q in face] for face in p]).astype(np.uint32)
    counts[count // 2] = counts[3]
    counts[-1] = counts[3]
    return counts


@pytest.mark.parametrize("seed", [0, 1])
def test_histogram_chain_is_the_greedy_one(seed):
    histograms = drifting(150, seed)
    assert histogram_chain(histograms).tolist() == plain_chain(histograms)


def test_histogram_chain_without_structure_and_with_many_ties():
    rng = np.random.default_rng(5)
    for total in (1000, 12):
        histograms = rng.multinomial(total, np.ones(256) / 256, (70, 3)).astype(np.uint32)
        assert histogram_chain(histograms).tolist() == plain_chain(histograms)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_pictures(count):
    histograms = drifting(6, 0)[:count]
    assert sorted(histogram_chain(histograms)) == list(range(count))


def test_summed_distances(monkeypatch):
    monkeypatch.setattr("core.faceset.sorting.chain._BLOCK", 16)  # several blocks
    histograms = drifting(50, 2)[:, 0]
    expected = [
        sum(
            cv2.compareHist(a.astype(np.float32), b.astype(np.float32), cv2.HISTCMP_BHATTACHARYYA)
            for j, b in enumerate(histograms)
            if j != i
        )
        for i, a in enumerate(histograms)
    ]
    np.testing.assert_allclose(summed_distances(histograms), expected, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("similar", [True, False])
@pytest.mark.parametrize("edge", [64, 90])
def test_pixel_chain_is_the_greedy_one(tmp_path, similar, edge):
    rng = np.random.default_rng(edge)
    base = cv2.resize(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8), (edge, edge)).astype(float)
    drift = np.cumsum(rng.normal(0, 4, (60, 3)), axis=0)
    images = [np.clip(base + d + rng.normal(0, 6, base.shape), 0, 255).astype(np.uint8) for d in drift]
    images[40] = images[11] = images[7]
    sign = 1 if similar else -1
    order, left = [0], set(range(1, len(images)))
    while left:
        order.append(min(left, key=lambda j: (sign * cv2.norm(images[order[-1]], images[j], cv2.NORM_L1), j)))
        left.remove(order[-1])
    assert pixel_chain.pixel_chain(lambda i: images[i], len(images), similar, tmp_path).tolist() == order
    assert not list(tmp_path.iterdir())


def test_sums_that_need_more_bytes_keep_the_limit(monkeypatch):
    """The blocks of large images have sums beyond 16 bits."""
    limit = 3 * 3 * 64**2 * 2
    monkeypatch.setattr(pixel_chain, "_FINE_BYTES", limit)
    for edge, grid in ((1024, 64), (1088, 32)):
        shape = (edge, edge, 3)
        sketches = pixel_chain._sketch(lambda _, shape=shape: np.full(shape, 255, np.uint8), 3, shape, BytesIO(), False)
        assert sketches.fine.shape[1] == 3 * grid**2 and sketches.fine.nbytes <= limit
        assert sketches.fine.max() == (edge // grid) ** 2 * 255


def test_pixel_chain_refuses_a_full_disk(tmp_path):
    with pytest.raises(DiskFullError, match="GB are needed"):
        pixel_chain.pixel_chain(lambda i: np.zeros((4096, 4096, 3), np.uint8), 10**9, True, tmp_path)
