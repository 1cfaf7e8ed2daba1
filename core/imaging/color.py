"""Color transfer: give a face the colors of another. Images are float32 H x W x 3, BGR, 0..1.

rct: Reinhard et al. 2001 (mean and deviation in Lab).
lct: linear transfer by symmetric square roots of the covariances.
mkl: Pitie and Kokaram 2007 (Monge-Kantorovich).
idt: Pitie et al. 2007 (iterative distribution transfer).
sot: sliced optimal transport.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
MODES = ("none", "rct", "lct", "mkl", "idt", "sot")


def transfer(mode: str, image: Array, reference: Array, random: np.random.RandomState) -> Array:
    """``image`` with the colors of ``reference``, clipped to 0..1; the two may differ in size.

    mode: one of MODES.
    random: used by idt and sot.

    Raises:
        KeyError: an unknown mode.
    """
    if mode == "none":
        return image
    if mode == "idt":
        changed = iterative_distribution(image, reference, random_rotations(random))
    elif mode == "sot":
        changed = sliced_transport(image, reference, random_directions(random))
    else:
        changed = _FIXED[mode](image, reference)
    return np.clip(changed, 0, 1).astype(np.float32)


def reinhard(image: Array, reference: Array, counted: NDArray[np.bool_] | None = None) -> Array:
    """Take over the mean and deviation of each Lab channel; not clipped.

    counted: (H, W), of two images of one size: pixels outside count as Lab (0, 0, 0), as DeepFaceLab's merger has it.
    """
    source, target = cv2.cvtColor(image, cv2.COLOR_BGR2LAB), cv2.cvtColor(reference, cv2.COLOR_BGR2LAB)
    (mean_s, std_s), (mean_t, std_t) = _statistics(source, counted), _statistics(target, counted)
    # The format has no epsilon; this one only keeps images of a single color finite.
    gain = (std_t / np.maximum(std_s, 1e-6)).astype(np.float32)
    moved = (source - mean_s.astype(np.float32)) * gain + mean_t.astype(np.float32)
    # The range of Lab in float32, as OpenCV has it.
    limits = np.array([[0, -127, -127], [100, 127, 127]], np.float32)
    return cv2.cvtColor(np.clip(moved, *limits), cv2.COLOR_LAB2BGR)


def linear(image: Array, reference: Array) -> Array:
    """Take over the covariance of the colors through symmetric square roots; not clipped."""
    (source, _), (target, mean_t) = _centred(image), _centred(reference)
    # Both the 1e-5 and the division by n, where the next method takes n - 1, are the format's.
    root_s = power(source.T @ source / len(source) + 1e-5 * np.eye(3), 0.5)
    root_t = power(target.T @ target / len(target) + 1e-5 * np.eye(3), 0.5)
    return (source @ (root_t @ np.linalg.inv(root_s)).T + mean_t).reshape(image.shape).astype(np.float32)


def monge_kantorovich(image: Array, reference: Array) -> Array:
    """Apply the linear map between the two color distributions, as Gaussians, that moves colors least; not clipped."""
    (source, _), (target, mean_t) = _centred(image), _centred(reference)
    a, b = np.cov(source, rowvar=False), np.cov(target, rowvar=False)
    root, inverse = power(a, 0.5), power(a, -0.5)
    move = inverse @ power(root @ b @ root, 0.5) @ inverse
    return (source @ move + mean_t).reshape(image.shape).astype(np.float32)


def iterative_distribution(image: Array, reference: Array, rotations: NDArray, bins: int = 256) -> Array:
    """Match the histograms along the axes of each rotation, one part of the way at a time; not clipped.

    rotations: (steps, 3, 3), as of :func:`random_rotations`.
    """
    source, target = image.reshape(-1, 3).T, reference.reshape(-1, 3).T
    for axes in np.asarray(rotations, np.float32):
        along_s, along_t = axes @ source, axes @ target
        matched = np.stack([_match_axis(s, t, bins) for s, t in zip(along_s, along_t, strict=True)])
        source = source + axes.T @ (matched - along_s) / len(rotations)
    return source.T.reshape(image.shape)


def sliced_transport(image: Array, reference: Array, directions: NDArray, steps: int = 10) -> Array:
    """Sort both along the directions and pair them; the change is smoothed with a bilateral filter; not clipped.

    directions: (n, 3), as of :func:`random_directions`; each step takes an equal part of them, in order.
    """
    source, target = image.reshape(-1, 3).copy(), reference.reshape(-1, 3)
    axes = np.asarray(directions, np.float32).reshape(steps, -1, 3)
    for batch in axes:
        advance = np.zeros_like(source)
        for vector in batch:
            axis = vector / np.linalg.norm(vector)
            along_s, along_t = source @ axis, np.sort(target @ axis)
            order = np.argsort(along_s)
            if len(along_t) != len(along_s):
                # Another number of pixels: the sorted values are read as quantiles.
                along_t = np.interp(np.linspace(0, 1, len(along_s)), np.linspace(0, 1, len(along_t)), along_t)
            advance[order] += (along_t - along_s[order])[:, None] * axis / len(batch)
        source += advance
    change = (source.reshape(image.shape) - image).astype(np.float32)
    return image + cv2.bilateralFilter(change, 0, 5, 16)


def random_rotations(random: np.random.RandomState, count: int = 20) -> NDArray[np.float32]:
    """Rotations for :func:`iterative_distribution`: (count, 3, 3)."""
    from scipy.stats import special_ortho_group

    return np.stack([special_ortho_group.rvs(3, random_state=random) for _ in range(count)]).astype(np.float32)


def random_directions(random: np.random.RandomState, count: int = 50) -> NDArray[np.float32]:
    """Directions for :func:`sliced_transport`, not of length 1 yet: (count, 3)."""
    return random.normal(size=(count, 3)).astype(np.float32)


_FIXED: dict[str, Callable[[Array, Array], Array]] = {
    "rct": reinhard,
    "lct": linear,
    "mkl": monge_kantorovich,
}


def _statistics(lab: Array, counted: NDArray[np.bool_] | None) -> tuple[Array, Array]:
    mean, deviation = cv2.meanStdDev(lab if counted is None else lab * counted[..., None])
    return mean[:, 0], deviation[:, 0]


def _centred(image: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The pixels (n, 3) without their mean, and the mean (3,)."""
    flat = image.reshape(-1, 3).astype(np.float64)
    mean = flat.mean(0)
    return flat - mean, mean


def power(matrix: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """A power of a symmetric matrix whose eigenvalues are not negative; zeros, of a flat image, are raised a little."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, np.finfo(np.float64).eps) ** exponent) @ vectors.T


def _match_axis(source: Array, target: Array, bins: int) -> Array:
    """The values of ``source`` (n,) moved so that their histogram becomes that of ``target`` (m,)."""
    low, high = min(source.min(), target.min()), max(source.max(), target.max())
    if low == high:
        return source
    edges = np.histogram_bin_edges(source, bins, (low, high))
    share_s, share_t = (_cumulated(values, bins, (low, high)) for values in (source, target))
    place = np.interp(share_s, share_t, edges[1:])
    # 0 and 256 beyond the edges are the format's own, odd as they are for values of 0..1.
    return np.interp(source, edges[1:], place, left=0, right=bins).astype(np.float32)


def _cumulated(values: Array, bins: int, limits: tuple[float, float]) -> NDArray[np.float64]:
    """The share 0..1 of the values up to the end of each bin."""
    counts, _ = np.histogram(values, bins=bins, range=limits)
    return np.cumsum(counts).astype(np.float64) / counts.sum()
