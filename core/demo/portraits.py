"""What the demo's faces are made of: two portraits, works of the United States government, inside registry packages.

They are ``skimage.data.astronaut()`` (NASA) and matplotlib's ``grace_hopper.jpg`` (US Navy).
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

from core.faces.contract import DetectorSettings
from core.faces.detectors import yunet
from core.faces.landmarkers import facemesh
from core.imaging.codec import read_image

SIZE = 512  # side of the canvas, pixels
_FACE_SIDE = 210.0  # width and height that a face has on the canvas, about
# fmt: off
# The outline of the face in the 468-point mesh (MediaPipe's face oval), once around.
OVAL = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
]
# fmt: on
_GRID = 4  # the warp is interpolated on every 4th pixel and enlarged: it is smooth


@dataclass(frozen=True)
class Portrait:
    """A face on the canvas.

    image: uint8 SIZE x SIZE x 3 BGR.
    mesh: float64 (468, 3), x and y in pixels of the image, z of the same scale with the nose toward -z.
    """

    image: NDArray[np.uint8]
    mesh: NDArray[np.float64]


def portraits() -> tuple[Portrait, Portrait]:
    """The two portraits, moved and scaled so that their faces fill the same place of the canvas."""
    import matplotlib
    import skimage.data

    hopper = read_image(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg")
    return _place(skimage.data.astronaut()[..., ::-1].copy()), _place(hopper)


def warp(image: NDArray, source: NDArray, target: NDArray) -> NDArray:
    """Move the points ``source`` (n, 2) of the image to ``target``; between them the image stretches linearly."""
    steps = np.arange(0, SIZE + _GRID, _GRID)
    xs, ys = np.meshgrid(steps, steps)
    field = LinearNDInterpolator(target, source)(xs, ys).astype(np.float32)
    # Outside the hull of the points there is nothing to interpolate, and nothing moves.
    edge = np.isnan(field[..., 0])
    field[edge] = np.stack([xs, ys], -1)[edge]
    # Sample k of the coarse field stands at pixel 4k; warpAffine keeps that, resize would shift it by half a cell.
    to_full = np.array([[_GRID, 0, 0], [0, _GRID, 0]], np.float32)
    full = cv2.warpAffine(field, to_full, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.remap(image, full[..., 0], full[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def anchors(mesh: NDArray) -> NDArray:
    """The points that steer a warp, float64 (n, 2): the mesh, a ring of hair around it, the edge of the canvas."""
    outline = mesh[OVAL, :2]
    centre = outline.mean(0)
    ring = centre + (outline[::3] - centre) * 1.55
    line = np.linspace(0, SIZE - 1, 9)
    zero, end = np.zeros(9), np.full(9, SIZE - 1.0)
    sides = ((line, zero), (line, end), (zero[1:-1], line[1:-1]), (end[1:-1], line[1:-1]))
    edge = np.concatenate([np.stack(side, 1) for side in sides])
    return np.concatenate([mesh[:, :2], np.clip(ring, 2, SIZE - 3), edge])


def _place(image: NDArray[np.uint8]) -> Portrait:
    """The portrait on the canvas, its face where all have theirs."""
    (face, *_) = yunet.create(DetectorSettings()).detect(image)
    mesh, _ = facemesh.create().mesh(image, face)
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    scale = _FACE_SIDE / (high - low).max()
    shift = np.array([SIZE / 2, SIZE * 0.52]) - scale * (low + high) / 2
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    canvas = cv2.warpAffine(image, matrix, (SIZE, SIZE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return Portrait(canvas, np.concatenate([mesh[:, :2] * scale + shift, mesh[:, 2:] * scale], 1))
