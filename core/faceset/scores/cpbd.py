"""Sharpness as the probability that no blur is seen at the edges (CPBD, Narvekar and Karam 2011).

It is the variant that facesets have always been sorted by. The loops over pixels of the usual implementation are array
operations here; the counts, and so the score, are the same.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

BLOCK = 64
# A block takes part when more than 0.2 % of its pixels are edges.
_EDGES_PER_BLOCK = 0.002 * BLOCK * BLOCK
# The probability of seeing blur is 1 - exp(-(width / just noticeable width) ** beta); up to 63 % it counts as unseen.
_BETA, _UNSEEN_PERCENT = 3.6, 63
# Widths that are just noticeable, in blocks of high and of low contrast.
_NARROW, _WIDE, _LOW_CONTRAST = 3, 5, 50
# Canny's thresholds, on 0..255 data.
_LOW, _HIGH = 0.1, 0.2
# Counts so far from the limit of 8.2 that rounding cannot matter.
_SURELY_FEW, _SURELY_MANY = 6, 11
# Pixels that the filters of Canny need around what they are to be right about.
_MARGIN = 12
# An edge is followed so far to either side.
_LONGEST = 100
# Sigma 1, cut off at 4 sigma.
_GAUSS = np.exp(-0.5 * np.arange(-4, 5, dtype=np.float64) ** 2)
_GAUSS /= _GAUSS.sum()


def _sharp_widths(just_noticeable: int) -> NDArray[np.bool_]:
    """For each edge width: is the blur unseen?"""
    widths = np.arange(2 * _LONGEST + 3)
    probability = 1 - np.exp(-((widths / just_noticeable) ** _BETA))
    return np.rint(100 * probability) <= _UNSEEN_PERCENT


_UNSEEN_IF_NARROW, _UNSEEN_IF_WIDE = _sharp_widths(_NARROW), _sharp_widths(_WIDE)


def cpbd(grey: NDArray[np.uint8]) -> float:
    """Sharpness of a grey image (uint8, H x W), 0..1, higher is sharper.

    0 when there is nothing to measure, as in images below 64 px.
    """
    if min(grey.shape) < BLOCK:
        return 0.0
    whole, grey = grey.size, _without_black_margins(grey)
    height, width = grey.shape
    # int16: differences of uint8 would wrap around.
    rows, columns, widths = _edge_widths(grey.astype(np.int16), _measured_edges(grey, whole))
    # What is left over at the right and below belongs to no block.
    inside = (rows < height // BLOCK * BLOCK) & (columns < width // BLOCK * BLOCK)
    block = (rows[inside] // BLOCK, columns[inside] // BLOCK)
    use = _blocks_with_edges(grey)[block]
    low_contrast = _contrast(grey)[block][use] <= _LOW_CONTRAST
    widths = widths[inside][use]
    unseen = np.where(low_contrast, _UNSEEN_IF_WIDE[widths], _UNSEEN_IF_NARROW[widths])
    return float(np.count_nonzero(unseen) / len(unseen)) if len(unseen) else 0.0


def _tiles(image: NDArray) -> NDArray:
    """View as (block rows, 64, block columns, 64), whole blocks only."""
    down, across = image.shape[0] // BLOCK, image.shape[1] // BLOCK
    return image[: down * BLOCK, : across * BLOCK].reshape(down, BLOCK, across, BLOCK)


def _contrast(grey: NDArray[np.uint8]) -> NDArray[np.int64]:
    tiles = _tiles(grey)
    return tiles.max(axis=(1, 3)).astype(np.int64) - tiles.min(axis=(1, 3))


def _without_black_margins(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image without the black blocks at its sides, as around a masked face: no edge is there."""
    x, y, width, height = cv2.boundingRect(grey)
    return grey[_whole_blocks(y, y + height), _whole_blocks(x, x + width)]


def _whole_blocks(start: int, end: int) -> slice:
    """The blocks that hold ``start`` to ``end`` and a margin."""
    return slice(max(start - _MARGIN, 0) // BLOCK * BLOCK, -(-(end + _MARGIN) // BLOCK) * BLOCK)


def _measured_edges(grey: NDArray[np.uint8], whole: int) -> NDArray[np.bool_]:
    """Where the squared horizontal gradient is high and a strict maximum of its row or column.

    whole: pixels of the image with its margins, over which the mean is taken.
    """
    # BORDER_REFLECT repeats the edge pixel, which is what scipy calls reflect.
    gradient = cv2.Sobel(grey, cv2.CV_16S, 1, 0, ksize=3, borderType=cv2.BORDER_REFLECT).astype(np.int32)
    power = gradient * gradient
    # 64: the definition divides the Sobel kernel by 8, and power is squared.
    threshold = 2 * np.sqrt(power.sum(dtype=np.float64) / whole / 64)
    power[power <= 64 * threshold] = 0
    padded = np.pad(power, 1)
    across = (power > padded[1:-1, :-2]) & (power > padded[1:-1, 2:])
    down = (power > padded[:-2, 1:-1]) & (power > padded[2:, 1:-1])
    return across | down


def _edge_widths(image: NDArray[np.int16], edges: NDArray[np.bool_]) -> tuple[NDArray, NDArray, NDArray]:
    """Rows, columns and widths (pixels) of the edges that run upright; the others have no width."""
    rows, columns = np.nonzero(edges[1:-1, 1:-1])
    rows, columns = rows + 1, columns + 1
    gx = (image[rows, columns + 1] - image[rows, columns - 1]) / 2
    gy = (image[rows + 1, columns] - image[rows - 1, columns]) / 2
    angle = np.where(gx != 0, np.rint(np.degrees(np.arctan2(gy, gx)) / 45), 0)
    upright = (angle == 0) | (np.abs(angle) == 4)
    rows, columns, sign = rows[upright], columns[upright], np.where(angle[upright] == 0, 1, -1).astype(np.int16)
    left = _run(image, rows, columns, sign, -1)
    right = _run(image, rows, columns, sign, 1)
    # 2: the first neighbour on each side belongs to the edge in any case.
    return rows, columns, left + right + 2


def _run(
    image: NDArray[np.int16], rows: NDArray, columns: NDArray, sign: NDArray[np.int16], step: int
) -> NDArray[np.int64]:
    """How many pixels beyond the first neighbour the edge goes on rising (sign 1) or falling (-1), at most 100."""
    flat, width = image.reshape(-1), image.shape[1]
    length = np.full(len(rows), _LONGEST)
    alive = np.arange(len(rows))
    near = rows * width + columns + step
    room = np.where(step > 0, width - 1 - (columns + step), columns + step)
    rising = sign * np.int16(step)
    for m in range(_LONGEST):
        far = np.where(room > m, near + step, near)  # without room the difference is 0, which ends the run
        goes_on = (flat[far] - flat[near]) * rising > 0
        length[alive[~goes_on]] = m
        alive, near, room, rising = alive[goes_on], near[goes_on] + step, room[goes_on], rising[goes_on]
        if not len(alive):
            break
    return length


def _blocks_with_edges(grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which blocks hold more than 0.2 % edge pixels (Canny 1986, sigma 1, thresholds 0.1 and 0.2 on 0..255 data).

    Most blocks hold hundreds or none, which a part of their rows tells: a strong ridge pixel is an edge in any case.
    The others are looked at in full, and only where the count is so near the limit that rounding could matter is Canny
    run as a whole.
    """
    gy, gx, magnitude = _gradient(grey)
    few = np.count_nonzero(_tiles(magnitude >= _LOW), axis=(1, 3)) <= _SURELY_FEW
    rows = np.zeros(grey.shape, bool)
    rows[2:-1:8, 1:-1] = True
    ridge = _ridge(gy, gx, magnitude, rows & (magnitude >= _HIGH))
    many = np.count_nonzero(_tiles(ridge), axis=(1, 3)) >= _SURELY_MANY
    undecided = ~(few | many)
    if undecided.any():
        counts = np.count_nonzero(_tiles(_edges_around(undecided, gy, gx, magnitude)[0]), axis=(1, 3))
        many |= undecided & (counts >= _SURELY_MANY)
        few |= undecided & (counts <= _SURELY_FEW)
    for row, column in zip(*np.nonzero(~(few | many)), strict=True):
        one = np.zeros(many.shape, bool)
        one[row, column] = True
        many[row, column] = _exact_count(grey, one, _edges_around(one, gy, gx, magnitude)[1]) > _EDGES_PER_BLOCK
    return many


def _exact_count(grey: NDArray[np.uint8], block: NDArray[np.bool_], known: NDArray[np.bool_]) -> int:
    """Edge pixels in one block. known: the blocks that its edges reach; Canny sees them with a margin."""
    from skimage.feature import canny  # takes long, and blocks so near the limit are rare

    area = _area(known, grey.shape)
    down, across = np.nonzero(area)
    rows, columns = _with_margin(down), _with_margin(across)
    edges = canny(grey[rows, columns].astype(np.float64))
    row, column = np.argwhere(block)[0].tolist()
    top, left = row * BLOCK - rows.start, column * BLOCK - columns.start
    return int(np.count_nonzero(edges[top : top + BLOCK, left : left + BLOCK]))


def _with_margin(places: NDArray[np.intp]) -> slice:
    """From the first to the last of the places, and a margin."""
    return slice(max(int(places.min()) - _MARGIN, 0), int(places.max()) + 1 + _MARGIN)


def _edges_around(
    blocks: NDArray[np.bool_], gy: NDArray, gx: NDArray, magnitude: NDArray
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Edge pixels, right at least inside ``blocks``, and the blocks that were looked at.

    Edges are ridges that hang together with a strong ridge pixel. The area that is looked at grows until no weak ridge
    of those blocks leaves it.
    """
    known = blocks
    while True:
        known = _grown(known)
        area = _area(known, magnitude.shape)
        candidates = area & (magnitude >= _LOW)
        candidates[[0, -1]] = False
        candidates[:, [0, -1]] = False
        ridge = _ridge(gy, gx, magnitude, candidates)
        count, labels = cv2.connectedComponents(ridge.view(np.uint8), connectivity=8, ltype=cv2.CV_32S)
        strong = _marked(labels[ridge & (magnitude >= _HIGH)], count)
        leaving = _marked(labels[area & _grown(~area)], count)
        wanted = _marked(labels[_area(blocks, magnitude.shape)], count)
        if known.all() or not (wanted & leaving & ~strong).any():
            return strong[labels], known


def _grown(area: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The area and its eight neighbours."""
    return cv2.dilate(area.view(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)


def _marked(labels: NDArray[np.int32], count: int) -> NDArray[np.bool_]:
    """Which of ``count`` components are among ``labels``; 0 is the background and never is."""
    marks = np.zeros(count, bool)
    marks[labels] = True
    marks[0] = False
    return marks


def _area(blocks: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The pixels of the marked blocks; what is left at the right and below belongs to the last ones."""
    down, across = (np.full(count, BLOCK) for count in blocks.shape)
    down[-1], across[-1] = shape[0] - BLOCK * (len(down) - 1), shape[1] - BLOCK * (len(across) - 1)
    return blocks.repeat(down, axis=0).repeat(across, axis=1)


def _gradient(grey: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Vertical and horizontal Sobel derivative of the smoothed image, and their length."""
    smooth = cv2.sepFilter2D(grey, cv2.CV_32F, _GAUSS, _GAUSS, borderType=cv2.BORDER_CONSTANT)
    smooth /= np.outer(_border_weight(grey.shape[0]), _border_weight(grey.shape[1]))
    gy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, borderType=cv2.BORDER_REFLECT)
    gx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, borderType=cv2.BORDER_REFLECT)
    return gy, gx, cv2.magnitude(gx, gy)


def _border_weight(length: int) -> NDArray[np.float32]:
    """How much of the filter lies inside, along a side of this length: what is outside counts as black."""
    inside = np.ones((length, 1), np.float32)
    return cv2.sepFilter2D(inside, cv2.CV_32F, np.ones(1), _GAUSS, borderType=cv2.BORDER_CONSTANT)[:, 0]


def _ridge(gy: NDArray, gx: NDArray, magnitude: NDArray, candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The candidates that are maxima of the magnitude along the gradient, with neighbours interpolated linearly."""
    width, flat = magnitude.shape[1], magnitude.reshape(-1)
    at = np.flatnonzero(candidates)
    y, x, own = gy.reshape(-1)[at], gx.reshape(-1)[at], flat[at]
    ay, ax = np.abs(y), np.abs(x)
    turn = np.where((y < 0) == (x < 0), 1, -1)
    near = np.where(ay > ax, turn * width, 1)
    corner = turn * width + 1
    # Never 0 / 0: candidates have a gradient.
    weight = np.minimum(ax, ay) / np.maximum(ax, ay)
    ahead = flat[at + corner] * weight + flat[at + near] * (1 - weight)
    behind = flat[at - corner] * weight + flat[at - near] * (1 - weight)
    ridge = np.zeros(magnitude.shape, bool)
    ridge.reshape(-1)[at[(ahead <= own) & (behind <= own)]] = True
    return ridge
