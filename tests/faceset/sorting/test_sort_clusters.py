"""Average linkage and duplicates against straightforward versions."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from core.faceset.scores.cluster import average_linkage, centers
from core.faceset.scores.duplicates import duplicate_groups


def people(count: int, seed: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    who = rng.choice(5, count, p=[0.6, 0.2, 0.1, 0.06, 0.04])
    vectors = rng.normal(size=(5, 64))[who] / 8 + noise * rng.normal(size=(count, 64)) / 8
    return vectors.astype(np.float32), who


def partition(labels) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == k).tolist()) for k in np.unique(labels)}


@pytest.mark.parametrize("noise", [0.5, 1.0, 1.6])
@pytest.mark.parametrize("least", [0.2, 0.35, 0.5, 0.7])
def test_equals_scipy(noise, least):
    vectors, _ = people(400, 1, noise)
    expected = fcluster(linkage(vectors.astype(np.float64), "average", metric="cosine"), 1 - least, "distance")
    assert partition(average_linkage(vectors, least)) == partition(expected)


def test_people_come_by_size_and_equal_vectors_stay_together():
    vectors, who = people(300, 2, 0.5)
    vectors[50:80] = vectors[50]
    who[50:80] = who[50]
    labels = average_linkage(vectors, 0.3)
    assert partition(labels) == partition(who)
    assert np.bincount(labels).tolist() == sorted(np.bincount(who), reverse=True)
    assert len(set(labels[50:80])) == 1
    assert np.einsum("nd,nd->n", centers(vectors, labels)[labels], vectors).min() > 0


def test_two_people_are_two_bins():
    a, b = np.eye(2, 32, dtype=np.float32)
    assert average_linkage(np.stack([a, b, a * 3, b]), 0.3).tolist() == [0, 1, 0, 1]


def test_unknown_faces_have_no_cluster():
    vectors = np.eye(4, 8, dtype=np.float32)
    vectors[1], vectors[2] = np.nan, 0
    assert average_linkage(vectors, 0.3).tolist() == [0, -1, -1, 1]
    assert average_linkage(np.zeros((0, 8), np.float32), 0.3).tolist() == []


def test_duplicates(monkeypatch):
    monkeypatch.setattr("core.faceset.scores.duplicates._BLOCK", 7)
    rng = np.random.default_rng(0)
    thumbs = rng.integers(0, 256, (30, 8, 8)).astype(np.uint8)
    thumbs[20] = np.clip(thumbs[4].astype(int) + rng.integers(-1, 2, (8, 8)), 0, 255)
    thumbs[29] = thumbs[4]
    groups = duplicate_groups(thumbs)
    assert groups[4] == groups[20] == groups[29]
    assert len(set(groups)) == 28
