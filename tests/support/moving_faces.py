"""Heads on known paths, for what follows faces through a film."""

import numpy as np

from core.geometry import landmarks as lm

_FACE = lm.HEAD_3D[:, :2].astype(np.float64) / np.ptp(lm.HEAD_3D[:, 0])


def heads(centre, width=100.0, angle=0.0) -> np.ndarray:
    """Landmarks (n, 68, 2): a frontal face of a width (pixels, one or n) at each centre (n, 2), turned by radians."""
    centre = np.asarray(centre, np.float64)
    width, angle = np.broadcast_to(width, len(centre)), np.broadcast_to(angle, len(centre))
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1)
    return width[:, None, None] * np.einsum("nij,pj->npi", turn, _FACE) + centre[:, None]


def people(count: int, seed: int = 0) -> np.ndarray:
    """Identity vectors (count, 16) of strangers: at right angles."""
    square = np.linalg.qr(np.random.default_rng(seed).normal(size=(16, 16)))[0]
    return square[:count].astype(np.float32)


def seen(person: np.ndarray, count: int, noise: float = 0.1, seed: int = 0) -> np.ndarray:
    """``count`` identity vectors of one person, a little different each."""
    vectors = person + np.random.default_rng(seed).normal(0, noise, (count, len(person)))
    return vectors.astype(np.float32)
