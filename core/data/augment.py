"""Random warp, rotation, scale, shift and flip of a training sample, each a function of one seed.

The random stream is NumPy's legacy generator, whose numbers never change between versions and are those of the
DeepFaceLab format. By default two defects of the original are mended: its vertical displacement repeats the horizontal
one (transposed), and the warped image gets black borders. ``exact=True`` keeps both, so that a sample equals the
original's for the same seed.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.geometry.align import invert

FloatArray = NDArray[np.float32]
Random = np.random.RandomState
# The original moves smaller images at this size, too.
_SMALLEST = 64
_JITTER = 0.24  # how far the inner nodes of the grid move, in cells
_CUTOFF = 2.5  # deviations
# A motion as numbers: a matrix, and how far the nodes of the finest grid move; those of the others are among them.
MATRIX_NUMBERS, NODES = 6, 9
MOTION_NUMBERS = MATRIX_NUMBERS + 2 * NODES**2


@dataclass(frozen=True)
class Ranges:
    """How far a sample moves.

    rotation: degrees either way.
    scale: 0.15 means 1/1.15 .. 1.15.
    shift: share of the side either way.
    flip: whether four in ten are mirrored.
    """

    rotation: float = 10.0
    scale: float = 0.15
    shift: float = 0.05
    flip: bool = False


@dataclass(frozen=True)
class Motion:
    """One drawn movement.

    The warp and the affine part of an image are one interpolation, the flip a part of it; in exact ones each is done
    for itself, as the original does it.

    size: side of the images, pixels.
    work: side at which they are moved, at least 64 pixels.
    cell: how far the nodes of the warp's grid are apart, pixels.
    across, down: (n, n), where each node comes from, pixels.
    matrix: float64 (2, 3), the affine part, at ``work``.
    flip: whether the result is mirrored.
    exact: black borders of the warp, as in the original.
    """

    size: int
    work: int
    cell: int
    across: NDArray[np.float64]
    down: NDArray[np.float64]
    matrix: NDArray[np.float64]
    flip: bool
    exact: bool = False

    @cached_property
    def map_x(self) -> FloatArray:
        """Where each warped pixel comes from, (work, work), pixels."""
        return _enlarge(self.across, self.work, self.cell)

    @cached_property
    def map_y(self) -> FloatArray:
        """The same of rows."""
        return _enlarge(self.down, self.work, self.cell)

    @cached_property
    def turned(self) -> NDArray[np.float64]:
        """The affine part with the flip, (2, 3)."""
        if not self.flip:
            return self.matrix
        return np.stack([[0, 0, self.work - 1] - self.matrix[0], self.matrix[1]])

    @cached_property
    def places(self) -> tuple[FloatArray, FloatArray]:
        """Where each pixel comes from when it is warped and then moved: the maps of the warp, moved."""
        x, y = (_affine(way, self.turned, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE) for way in (self.map_x, self.map_y))
        return x, y


def draw_motion(size: int, ranges: Ranges, transform: Random, warp: Random, *, exact: bool = False) -> Motion:
    """Draw a movement for images of ``size`` pixels. transform, warp: generators, used in the original's order."""
    work = max(size, _SMALLEST)
    matrix, flip = _draw_affine(work, ranges, transform)
    cell, across, down = _draw_grid(work, warp, exact)
    return Motion(size, work, cell, across, down, matrix, flip, exact)


def move(image: NDArray[Any], motion: Motion, *, warped: bool, mask: bool) -> NDArray[Any]:
    """Apply a movement to an image (size, size, C), float32 or uint8: warp if ``warped``, affine part, flip.

    Masks are interpolated linearly with zeros outside, images cubically with their border repeated.
    """
    interpolation = cv2.INTER_LINEAR if mask else cv2.INTER_CUBIC
    border = cv2.BORDER_CONSTANT if mask else cv2.BORDER_REPLICATE
    result = _resize(image, motion.work, interpolation)
    if motion.exact or (warped and mask):
        result = _one_after_the_other(result, motion, warped, interpolation, border)
    elif warped:
        result = cv2.remap(result, *motion.places, interpolation, borderMode=border)
    else:
        result = _affine(result, motion.turned, interpolation, border)
    result = _resize(result, motion.size, interpolation)
    return result[:, :, None] if result.ndim == 2 else result  # OpenCV drops a single channel


def _one_after_the_other(
    image: NDArray[Any], motion: Motion, warped: bool, interpolation: int, border: int
) -> NDArray[Any]:
    if warped:
        around = cv2.BORDER_CONSTANT if motion.exact else border
        image = cv2.remap(image, motion.map_x, motion.map_y, interpolation, borderMode=around)
    image = _affine(image, motion.matrix, interpolation, border)
    return cv2.flip(image, 1) if motion.flip else image


def _affine(image: NDArray[Any], matrix: NDArray[np.float64], interpolation: int, border: int) -> NDArray[Any]:
    return cv2.warpAffine(image, matrix, image.shape[1::-1], flags=interpolation, borderMode=border)


def as_numbers(motion: Motion, *, warped: bool) -> FloatArray:
    """A movement for those who do it elsewhere, (MOTION_NUMBERS,), for images whose side is a multiple of 8 pixels.

    First the matrix (2, 3) from pixels of the result to those of the image, then how much farther off a warped pixel
    comes from, in pixels, x and y at each of NODES x NODES nodes: linear between them, zero if not ``warped``.
    """
    offsets = np.zeros((NODES, NODES, 2))
    if warped:
        # The original's maps count from the corner of a pixel, and are read as if from its centre.
        offsets = np.stack([_displaced(motion.across), _displaced(motion.down.T).T], axis=-1) + 0.5
    return np.concatenate([invert(motion.turned).ravel(), offsets.ravel()]).astype(np.float32)


def _displaced(nodes: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the nodes of a grid have moved from their columns, on the finest grid."""
    count = len(nodes)
    finer = np.maximum(0, 1 - np.abs(np.linspace(0, count - 1, NODES)[:, None] - np.arange(count)))
    return finer @ (nodes - np.linspace(nodes[0, 0], nodes[0, -1], count)) @ finer.T


def shift_hsv(image: FloatArray, power: float, random: Random) -> FloatArray:
    """Turn the hue and shift saturation and value of a BGR image, float32 0..1, at random. power: 0..0.3, how far."""
    degrees = max(1, int(180 * power))
    # Drawn in this order, which is the original's.
    hue = random.randint(-degrees, degrees + 1)
    saturation = (random.rand() - 0.5) * power
    value = (random.rand() - 0.5) * power
    hsv = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_BGR2HSV)
    hsv[..., 0] = (hsv[..., 0] + hue) % 360
    hsv[..., 1] = np.clip(hsv[..., 1] + saturation, 0, 1)
    hsv[..., 2] = np.clip(hsv[..., 2] + value, 0, 1)
    return np.clip(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), 0, 1)


def _draw_affine(size: int, ranges: Ranges, random: Random) -> tuple[NDArray[np.float64], bool]:
    rotation = random.uniform(-ranges.rotation, ranges.rotation)
    # The original writes 1 / (1 - low) with a low that is negative, which is this.
    scale = random.uniform(1 / (1 + ranges.scale), 1 + ranges.scale)
    shift = random.uniform(-ranges.shift, ranges.shift), random.uniform(-ranges.shift, ranges.shift)
    # Drawn only where mirroring is on, so that all later numbers of this generator are the original's.
    flip = bool(ranges.flip and random.randint(10) < 4)
    matrix = cv2.getRotationMatrix2D((size // 2, size // 2), rotation, scale)
    matrix[:, 2] += np.multiply(shift, size)
    return matrix, flip


def _draw_grid(size: int, random: Random, exact: bool) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """(cell, across, down) of ``Motion``: a coarse grid whose inner nodes are displaced."""
    cell = (size // 2, size // 4, size // 8)[random.randint(3)]
    nodes = size // cell + 1
    grid = np.broadcast_to(np.linspace(0, size, nodes), (nodes, nodes))
    across = grid + _displacement(nodes, cell, random)
    # Without "exact" the rows get a displacement of their own.
    down = across.T if exact else grid.T + _displacement(nodes, cell, random)
    return cell, across, down


def _displacement(nodes: int, cell: int, random: Random) -> NDArray[np.float64]:
    """Two fields summed, as far as the original moves nodes; zero on the border."""
    first, second = (_truncated_normal(nodes - 2, random) * (cell * _JITTER) for _ in range(2))
    # In the original both maps are views of one array, so each gets the other's field transposed.
    return np.pad(first + second.T, 1)


def _truncated_normal(side: int, random: Random) -> FloatArray:
    """``side`` x ``side`` normal numbers below 2.5 deviations, divided by 2.5, drawn in the original's order."""
    values: list[float] = []
    while len(values) < side * side:
        drawn = random.randn(side * side - len(values))
        values.extend(drawn[np.abs(drawn) <= _CUTOFF])
    return (np.array(values) / _CUTOFF).astype(np.float32).reshape(side, side)


def _enlarge(nodes: NDArray[np.float64], size: int, cell: int) -> FloatArray:
    """The nodes at ``size`` pixels. It is made half a cell larger on each side first, and that is cut off again."""
    half = cell // 2
    wide = cv2.resize(nodes, (size + cell, size + cell))
    return np.ascontiguousarray(wide[half : half + size, half : half + size], np.float32)


def _resize(image: NDArray[Any], size: int, interpolation: int) -> NDArray[Any]:
    return image if image.shape[1] == size else cv2.resize(image, (size, size), interpolation=interpolation)
