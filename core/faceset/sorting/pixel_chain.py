"""The greedy chain by absolute pixel difference: after each image the nearest (or farthest) of the rest.

Exact, in bounded memory. The sum over a block bounds the difference of its pixels from below (and, with the spread
inside the blocks, from above), so images are compared by the sums of a few large blocks, the promising ones by smaller
blocks, and only what is left by pixels. Pixels wait uncompressed in an unnamed scratch file.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from core.errors import DiskFullError
from core.progress import progress

# Blocks along a side of an image at the two coarse levels; the finest of these whose sums fit into memory is the third.
_COARSE, _MIDDLE, _FINE = 4, 8, (64, 32, 16)
_FINE_BYTES = 500 * 2**20
# Sides are padded to a multiple of it, so that every grid divides them.
_PAD = 64
# Room on the disk beyond the pixels themselves.
_SPARE = 1.05
# Rounding of the sums that are kept as float32.
_RELATIVE_SLACK, _SLACK = 1e-5, 1


@dataclass(frozen=True)
class Sketches:
    """Block sums of all images at three levels, and their pixels.

    coarse: float64 (n, 48). middle: float32 (n, 192). fine: uint16 or float32 (n, 3 * grid * grid).
    spread: float64 (3, n), for each level how much the pixels differ from their block's mean, in sum; zeros where the
        nearest images are looked for, which does without.
    pixels: the scratch file, image by image. shape: of an image.
    """

    coarse: NDArray[np.float64]
    middle: NDArray[np.float32]
    fine: NDArray
    spread: NDArray[np.float64]
    pixels: IO[bytes]
    shape: tuple[int, int, int]

    def read(self, index: int, buffer: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The pixels of an image, in ``buffer``."""
        # preadv fills the buffer that is there: an array a comparison would cost more than the comparison.
        os.preadv(self.pixels.fileno(), [buffer.data], index * buffer.nbytes)
        return buffer


def pixel_chain(read: Callable[[int], NDArray[np.uint8]], count: int, similar: bool, scratch: Path) -> NDArray[np.intp]:
    """The order (n,) of the chain that begins with image 0; of equal distances the first in the gallery.

    read: index -> uint8 H x W x 3; images of another size than the first are resized to it.
    count: of images. similar: go on to the nearest image, else to the farthest.
    scratch: a folder with room for all pixels.

    Raises:
        DiskFullError: there is not so much room.
    """
    if count < 3:
        return np.arange(count)
    shape = read(0).shape
    with _scratch(scratch, count * int(np.prod(shape))) as stream:
        return _walk(_sketch(read, count, shape, stream, not similar), similar)


def _scratch(folder: Path, size: int) -> IO[bytes]:
    space = os.statvfs(folder)
    free = space.f_bavail * space.f_frsize
    if free < size * _SPARE:
        raise DiskFullError(
            "not enough room for the uncompressed pictures",
            where=folder,
            why=f"{size / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free",
            hint="free some space, or sort with --by hist",
        )
    return tempfile.TemporaryFile(dir=folder)


def _sketch(read: Callable, count: int, shape: tuple[int, ...], stream: IO[bytes], spread: bool) -> Sketches:
    """Read every image once: its pixels into the scratch file, its block sums into memory."""
    side = _padded(max(shape[:2]))
    fits = (grid for grid in _FINE if count * 3 * grid**2 * _sum_type(side, grid).itemsize <= _FINE_BYTES)
    grid = next(fits, _FINE[-1])
    out = Sketches(
        coarse=np.empty((count, 3 * _COARSE**2)),
        middle=np.empty((count, 3 * _MIDDLE**2), np.float32),
        fine=np.empty((count, 3 * grid**2), _sum_type(side, grid)),
        spread=np.zeros((3, count)),
        pixels=stream,
        shape=(shape[0], shape[1], 3),
    )
    for index in progress(range(count), description="reading pixels", unit="face"):
        image = read(index)
        if image.shape != shape:
            # The original ends at images of different sizes.
            image = cv2.resize(image, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
        stream.write(np.ascontiguousarray(image).data)
        _sums(image, out, index, grid, spread)
    stream.flush()
    return out


def _sum_type(side: int, grid: int) -> np.dtype:
    """What holds the largest sum over a block, of grid x grid in a square of this side."""
    return np.dtype(np.uint16 if (side // grid) ** 2 * 255 < 2**16 else np.float32)


def _padded(length: int) -> int:
    return -(-length // _PAD) * _PAD


def _sums(image: NDArray[np.uint8], out: Sketches, index: int, grid: int, spread: bool) -> None:
    """Block sums at the three levels; black beyond the image changes no difference."""
    height, width = image.shape[:2]
    high, wide = _padded(height), _padded(width)
    padded = cv2.copyMakeBorder(image, 0, high - height, 0, wide - width, cv2.BORDER_CONSTANT)
    fine = _block_sums(padded, grid)
    levels: list[tuple[int, NDArray]] = [(_COARSE, out.coarse), (_MIDDLE, out.middle), (grid, out.fine)]
    for level, (blocks, rows) in enumerate(levels):
        sums = fine.reshape(blocks, grid // blocks, blocks, grid // blocks, 3).sum(axis=(1, 3))
        rows[index] = sums.reshape(-1)
        if spread:
            mean = (sums * (blocks * blocks) / (high * wide)).astype(np.float32)
            whole = cv2.resize(mean, (wide, high), interpolation=cv2.INTER_NEAREST)
            out.spread[level, index] = cv2.norm(padded.astype(np.float32), whole, cv2.NORM_L1)


def _block_sums(image: NDArray[np.uint8], grid: int) -> NDArray[np.int64]:
    """Sums over grid x grid blocks, (grid, grid, 3)."""
    total = cv2.integral(image, sdepth=cv2.CV_64F)
    high, wide = image.shape[0] // grid, image.shape[1] // grid
    corners = total[::high, ::wide]
    return np.rint(corners[1:, 1:] - corners[:-1, 1:] - corners[1:, :-1] + corners[:-1, :-1]).astype(np.int64)


class _Rest:
    """The images not yet in the chain; their coarse sums stay together in memory."""

    def __init__(self, sketches: Sketches):
        self.item = np.arange(1, len(sketches.coarse))
        self.coarse = sketches.coarse[1:].copy()
        self.count = len(self.item)

    def remove(self, place: int) -> int:
        """Take out the image at a place, which the last one fills; returns the image."""
        self.count -= 1
        taken = int(self.item[place])
        self.item[place] = self.item[self.count]
        self.coarse[place] = self.coarse[self.count]
        return taken


def _walk(sketches: Sketches, similar: bool) -> NDArray[np.intp]:
    rest, order = _Rest(sketches), [0]
    here, there = np.empty(sketches.shape, np.uint8), np.empty(sketches.shape, np.uint8)
    for _ in progress(range(rest.count), description="chaining", unit="face"):
        sketches.read(order[-1], here)
        place = _next(sketches, rest, order[-1], here, there, 1 if similar else -1)
        order.append(rest.remove(place))
    return np.array(order, np.intp)


def _next(
    sketches: Sketches, rest: _Rest, current: int, here: NDArray[np.uint8], there: NDArray[np.uint8], sign: int
) -> int:
    """Place of the best of the rest. With sign -1 all distances are negative, so that the farthest is the least."""

    def cost(index: int) -> float:
        return sign * cv2.norm(here, sketches.read(index, there), cv2.NORM_L1)

    items = rest.item[: rest.count]
    coarse = cdist(sketches.coarse[current : current + 1], rest.coarse[: rest.count], "cityblock")[0]
    bound = _bound(coarse, sketches, 0, current, items, sign)
    first = int(bound.argmin())
    best = (cost(int(items[first])), int(items[first]))
    near = np.flatnonzero(bound <= best[0] + _RELATIVE_SLACK * abs(best[0]))
    middle = np.abs(sketches.middle[items[near]] - sketches.middle[current]).sum(axis=1, dtype=np.float64)
    bound = _bound(middle, sketches, 1, current, items[near], sign)
    places = {best[1]: first}
    for k in np.argsort(bound, kind="stable"):
        if bound[k] - _RELATIVE_SLACK * abs(bound[k]) > best[0]:
            break
        index = int(items[near[k]])
        if _fine_bound(sketches, current, index, sign) > best[0] + _SLACK:
            continue
        best = min(best, (cost(index), index))
        places[index] = int(near[k])
    return places[best[1]]


def _bound(
    distance: NDArray[np.float64], sketches: Sketches, level: int, current: int, items: NDArray[np.intp], sign: int
) -> NDArray[np.float64]:
    """The least cost that the difference of the block sums leaves possible."""
    if sign > 0:
        return distance
    return -(distance + sketches.spread[level, items] + sketches.spread[level, current])


def _fine_bound(sketches: Sketches, current: int, index: int, sign: int) -> float:
    distance = cv2.norm(sketches.fine[current], sketches.fine[index], cv2.NORM_L1)
    return distance if sign > 0 else -(distance + sketches.spread[2, index] + sketches.spread[2, current])
