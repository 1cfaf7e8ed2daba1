"""Things in front of a face, drawn: hands, sticks, strands of hair, patches.

They teach the mask network what a face is not. Images are float32 (S, S, 3) BGR, 0..1; masks are float32 (S, S, 1),
0..1; points are (x, y) in pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Random = np.random.RandomState
_SUPERSAMPLING = 2  # things are drawn so many times larger, for smooth edges


@dataclass(frozen=True)
class Occluder:
    """A thing.

    cover: (S, S, 1), 0..1, where it is.
    image: (S, S, 3), how it looks there.
    """

    cover: FloatArray
    image: FloatArray


def occlude(
    image: FloatArray, mask: FloatArray, random: Random, texture: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """(image, mask) with one thing in front. texture: another image of that size, to take its look from."""
    thing = draw_occluder(image, mask, random, texture)
    covered = image * (1 - thing.cover) + thing.image * thing.cover
    return np.clip(covered, 0, 1), mask * (thing.cover < 0.5)


def draw_occluder(image: FloatArray, mask: FloatArray, random: Random, texture: FloatArray | None = None) -> Occluder:
    """A thing that touches the face, most often coming in from the border of the image."""
    size = image.shape[0]
    face = np.argwhere(mask[..., 0] > 0.5)
    target = np.array([size / 2, size / 2])
    if len(face):
        # argwhere gives row and column.
        target = face[random.randint(len(face))][::-1].astype(float)
    shape = (_stick, _hand, _strands, _patch)[random.randint(4)]
    large = np.zeros((size * _SUPERSAMPLING,) * 2, np.uint8)
    shape(large, target * _SUPERSAMPLING, random)
    cover = cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    cover = np.clip(cv2.GaussianBlur(cover, (0, 0), 0.3 + random.rand()), 0, 1)
    return Occluder(cover[..., None], _look(image, mask, random, texture))


def _stick(canvas: NDArray[np.uint8], target: FloatArray, random: Random) -> None:
    """A microphone, a pen, a fork: a bar from the border with or without a head."""
    size = canvas.shape[0]
    width = int(size * (0.02 + 0.08 * random.rand())) + 1
    cv2.line(canvas, _point(_border(size, random)), _point(target), 255, width)
    if random.rand() < 0.6:
        axes = (int(width * (0.8 + 1.2 * random.rand())), int(width * (0.8 + 1.8 * random.rand())))
        cv2.ellipse(canvas, _point(target), axes, int(random.randint(180)), 0, 360, 255, -1)


def _hand(canvas: NDArray[np.uint8], target: FloatArray, random: Random) -> None:
    """An arm, a palm and fingers."""
    size = canvas.shape[0]
    wrist = _border(size, random)
    along = (target - wrist) / max(float(np.linalg.norm(target - wrist)), 1.0)
    across = np.array([-along[1], along[0]])
    palm = size * (0.06 + 0.09 * random.rand())
    cv2.line(canvas, _point(wrist), _point(target), 255, max(1, int(palm * (1.0 + 0.5 * random.rand()))))
    cv2.circle(canvas, _point(target), int(palm), 255, -1)
    for i in range(random.randint(2, 6)):
        start = target + across * palm * (i - 2) * 0.42
        end = start + along * palm * (1.2 + 1.3 * random.rand()) + across * palm * 0.35 * (random.rand() - 0.5)
        cv2.line(canvas, _point(start), _point(end), 255, max(1, int(palm * 0.42)))


def _strands(canvas: NDArray[np.uint8], target: FloatArray, random: Random) -> None:
    """Hair falling from above."""
    size = canvas.shape[0]
    root = np.array([target[0] + size * 0.3 * (random.rand() - 0.5), 0.0])
    for _ in range(random.randint(3, 14)):
        spread = size * 0.12 * (random.rand(3, 2) - 0.5)
        nodes = np.array([root + spread[0], (root + target) / 2 + spread[1], target + spread[2]])
        t = np.linspace(0, 1, 20)[:, None]
        # A quadratic Bezier curve.
        curve = (1 - t) ** 2 * nodes[0] + 2 * t * (1 - t) * nodes[1] + t**2 * nodes[2]
        width = int(random.randint(1, max(2, size // 50) + 1))
        cv2.polylines(canvas, [np.rint(curve).astype(np.int32)], False, 255, width)


def _patch(canvas: NDArray[np.uint8], target: FloatArray, random: Random) -> None:
    """A cup, a phone, somebody's shoulder: a rounded blob."""
    size = canvas.shape[0]
    count = random.randint(3, 8)
    angles = np.sort(random.rand(count) * 2 * np.pi)
    radius = size * (0.06 + 0.2 * random.rand())
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points = target + radius * (0.5 + 0.7 * random.rand(count, 1)) * directions
    cv2.fillConvexPoly(canvas, cv2.convexHull(np.rint(points).astype(np.int32)), 255)
    if random.rand() < 0.5:
        side = int(radius / 2) | 1
        cv2.dilate(canvas, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), dst=canvas)


def _look(image: FloatArray, mask: FloatArray, random: Random, texture: FloatArray | None) -> FloatArray:
    """Skin of the face itself (so that hands are hard), another image, or a color; with uneven light and grain."""
    size, kind = image.shape[0], random.randint(4)
    if kind == 0 or (kind == 1 and texture is None):
        inside = image[mask[..., 0] > 0.5]
        skin = np.median(inside, axis=0) if len(inside) else np.full(3, 0.5)
        base = np.broadcast_to(skin * (0.75 + 0.5 * random.rand()), image.shape)
    elif kind == 1 and texture is not None:
        base = np.roll(texture, (random.randint(size), random.randint(size)), axis=(0, 1))
    else:
        base = np.broadcast_to(random.rand(3), image.shape)
    noise = cv2.resize(random.rand(8, 8).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    uneven = noise[..., None] - 0.5
    grain = random.rand(size, size, 1) - 0.5
    return np.clip(base + 0.3 * uneven * random.rand() + 0.1 * grain * random.rand(), 0, 1).astype(np.float32)


def _border(size: int, random: Random) -> FloatArray:
    """A point on the border: the lower half of the sides and the bottom are likelier."""
    along = random.rand() * size
    sides = (
        (along, size),
        (along, size),
        (0.0, size - along / 2),
        (size, size - along / 2),
        (0.0, along),
        (size, along),
        (along, 0.0),
    )
    return np.array(sides[random.randint(len(sides))])


def _point(point: FloatArray) -> tuple[int, int]:
    """For OpenCV, whose numbers are small; what is that far outside is not seen."""
    return int(np.clip(point[0], -20000, 20000)), int(np.clip(point[1], -20000, 20000))
