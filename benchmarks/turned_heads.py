"""Heads turned in three dimensions, with known geometry: the mesh that Face Mesh finds in a portrait, with the portrait
as its texture, seen from any side. Rings behind the outline of the face stand for ears, hair and neck.

The portraits are those of the built-in demo, works of the US government, and the two fictional faces made of them.
"""

import math
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]
import cv2  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from scipy.spatial import Delaunay  # noqa: E402

from core.demo.expressions import Expression  # noqa: E402
from core.demo.painting import painted  # noqa: E402
from core.demo.people import PEOPLE, person  # noqa: E402
from core.demo.portraits import OVAL, Portrait, portraits  # noqa: E402
from core.faces.mesh_points import points_68  # noqa: E402
from core.geometry.head_pose import pose_by_depth, rotation  # noqa: E402

VERTICES = 468
# Rings behind the outline: where their texture is (times the outline), their width, how far back (widths of the face).
RINGS = ((1.10, 1.06, 0.16), (1.22, 1.10, 0.38), (1.34, 1.08, 0.62), (1.42, 0.80, 0.95), (1.42, 0.30, 1.12))
DISTANCE = 6.0  # of the camera, in widths of the face
_SEAM = 0.02  # of a triangle, by which its neighbours overlap it, so that no pixel between them is missed


@dataclass(frozen=True)
class Head:
    """A head that can be turned.

    image: uint8 BGR, the texture. places: (n, 2), pixels of the texture of each vertex. vertices: (n, 3), looking into
    the camera, in widths of the face; the first 468 are the mesh. triangles: (m, 3), numbers of vertices.
    """

    image: NDArray[np.uint8]
    places: NDArray[np.float32]
    vertices: NDArray[np.float64]
    triangles: NDArray[np.intp]


def heads() -> list[Head]:
    """The four heads of the demo."""
    first, second = portraits()
    people = [person(first, second, looks) for looks in PEOPLE.values()]
    at_rest = [Portrait(np.clip(painted(one, Expression()), 0, 255).astype(np.uint8), one.mesh) for one in people]
    return [head(face) for face in (first, second, *at_rest)]


def head(portrait: Portrait) -> Head:
    """A head out of a portrait, which should be near frontal."""
    mesh, outline = portrait.mesh, portrait.mesh[OVAL]
    turn = rotation(*pose_by_depth(points_68(mesh)))
    width, centre = np.ptp(mesh[:, 0]), mesh.mean(axis=0)
    upright = (outline - centre) @ turn
    middle, flat_middle = upright.mean(axis=0), outline[:, :2].mean(axis=0)
    low = np.clip(2 * (upright[:, 1] - middle[1]) / np.ptp(upright[:, 1]), 0, 1)[:, None]
    vertices, places = [(mesh - centre) @ turn], [mesh[:, :2]]
    for reach, size, back in RINGS:
        skull = middle + (upright - middle) * [size, size, 1]
        skull[:, 2] = (upright[:, 2] + middle[2]) / 2 + back * width
        neck = middle + (upright - middle) * [0.95, 1 + 1.6 * (reach - 1), 1]
        neck[:, 2] = 0.3 * upright[:, 2] + 0.7 * middle[2] + 0.45 * back * width
        vertices.append(skull * (1 - low) + neck * low)
        places.append(flat_middle + (outline[:, :2] - flat_middle) * reach)
    points = np.concatenate(vertices)
    scale = np.ptp(points[:VERTICES, 0])
    points = points / scale
    return Head(
        portrait.image, np.concatenate(places).astype(np.float32), points - points[:VERTICES].mean(axis=0), _faces(mesh)
    )


def _faces(mesh: NDArray[np.float64]) -> NDArray[np.intp]:
    outline = mesh[OVAL, :2].astype(np.float32)
    inside = [
        triangle
        for triangle in Delaunay(mesh[:, :2]).simplices.tolist()
        if cv2.pointPolygonTest(outline, mesh[triangle, :2].mean(axis=0).tolist(), False) >= 0
    ]
    count = len(OVAL)
    rings = [list(OVAL), *(list(range(VERTICES + n * count, VERTICES + (n + 1) * count)) for n in range(len(RINGS)))]
    for inner, outer in zip(rings[:-1], rings[1:], strict=True):
        for n in range(count):
            after = (n + 1) % count
            inside += [[inner[n], inner[after], outer[n]], [inner[after], outer[after], outer[n]]]
    return np.array(inside)


def seen(
    model: Head, background: NDArray[np.uint8], pose: tuple[float, float, float], width: float, centre: NDArray
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The head over a background, and its mesh (468, 3) in pixels there.

    pose: pitch, yaw, roll in degrees. width: of the face from the front, pixels.
    """
    turned = model.vertices @ rotation(*np.radians(pose)).T
    flat = turned[:, :2] * (DISTANCE / (DISTANCE + turned[:, 2:])) * width + centre
    size = np.array(background.shape[1::-1])
    low = np.clip(np.floor(flat.min(axis=0)).astype(int) - 1, 0, size - 1)
    high = np.clip(np.ceil(flat.max(axis=0)).astype(int) + 2, low + 1, size)
    ids = _painted(flat - low, turned[:, 2], model.triangles, (int(high[1] - low[1]), int(high[0] - low[0])))
    texture = _textured(model, flat - low, ids, width)
    alpha = cv2.GaussianBlur(cv2.erode((ids >= 0).astype(np.float32), np.ones((3, 3))), (0, 0), 1.0)[..., None]
    image = background.copy()
    part = image[low[1] : high[1], low[0] : high[0]]
    part[:] = np.clip(part * (1 - alpha) + texture * alpha, 0, 255).astype(np.uint8)
    return image, np.concatenate([flat, turned[:, 2:] * width], axis=1)[:VERTICES]


def _painted(flat: NDArray, depth: NDArray, triangles: NDArray[np.intp], shape: tuple[int, int]) -> NDArray[np.int32]:
    """The number of the triangle that is seen in each pixel, -1 for none: the nearest."""
    ids, nearest = np.full(shape, -1, np.int32), np.full(shape, np.inf)
    for number, corners in enumerate(triangles.tolist()):
        (low_x, low_y), (high_x, high_y) = flat[corners].min(axis=0), flat[corners].max(axis=0)
        left, top = max(math.floor(low_x), 0), max(math.floor(low_y), 0)
        x, y = (
            np.arange(left, min(math.ceil(high_x) + 1, shape[1])),
            np.arange(top, min(math.ceil(high_y) + 1, shape[0])),
        )
        own, one, two = flat[corners[0]], flat[corners[1]] - flat[corners[0]], flat[corners[2]] - flat[corners[0]]
        area = one[0] * two[1] - one[1] * two[0]
        if not len(x) or not len(y) or abs(area) < 1e-9:
            continue
        across, down = x[None] - own[0], y[:, None] - own[1]
        u, v = (across * two[1] - down * two[0]) / area, (one[0] * down - one[1] * across) / area
        away = depth[corners[0]] * (1 - u - v) + depth[corners[1]] * u + depth[corners[2]] * v
        place = slice(top, top + len(y)), slice(left, left + len(x))
        seen_here = (u >= -_SEAM) & (v >= -_SEAM) & (u + v <= 1 + _SEAM) & (away < nearest[place])
        nearest[place][seen_here] = away[seen_here]
        ids[place][seen_here] = number
    return ids


def _textured(model: Head, flat: NDArray, ids: NDArray[np.int32], width: float) -> NDArray[np.uint8]:
    y, x = np.nonzero(ids >= 0)
    corners = model.triangles[ids[y, x]]
    a, b, c = (flat[corners[:, n]] for n in range(3))
    one, two, own = b - a, c - a, np.stack([x, y], axis=1) - a
    area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    area = np.where(np.abs(area) < 1e-6, 1e-6, area)
    u = np.clip((own[:, 0] * two[:, 1] - own[:, 1] * two[:, 0]) / area, 0, 1)[:, None]
    v = np.clip((one[:, 0] * own[:, 1] - one[:, 1] * own[:, 0]) / area, 0, 1)[:, None]
    place = [model.places[corners[:, n]] for n in range(3)]
    where = np.zeros((*ids.shape, 2), np.float32)
    where[y, x] = place[0] * (1 - u - v) + place[1] * u + place[2] * v
    shrink = np.ptp(model.places[:VERTICES, 0]) / width
    image = cv2.GaussianBlur(model.image, (0, 0), 0.4 * shrink) if shrink > 1.5 else model.image
    return cv2.remap(image, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
