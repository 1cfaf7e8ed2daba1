"""Two people who do not exist: other proportions, other skin, textures of two portraits mixed region by region.

The regions keep what one portrait alone is known by out: eyes without glasses come from the one, mouths and skin from
both. Hair, hood, clothes and background are drawn.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, cKDTree

from core.demo.portraits import OVAL, SIZE, Portrait, anchors, warp

Color = tuple[int, int, int]  # BGR
_MOST_CONTRAST = 0.8
_FRINGE = 0.13  # of the face's height


@dataclass(frozen=True)
class Looks:
    """What a person is made of.

    second: share of the second portrait in the skin; second_mouth: in mouth and chin, 0 or 1, for lips do not mix.
    jaw, nose, eyes, mouth: widths against the mean of both portraits; apart: distance of the eyes; long: of the face.
    skin: BGR gains. brows: how dark, 0..1.
    hair, clothes, wall: colours. hood: whether the hair is under one.
    """

    second: float
    second_mouth: float
    jaw: float
    nose: float
    eyes: float
    mouth: float
    apart: float
    long: float
    skin: tuple[float, float, float]
    brows: float
    hair: Color
    clothes: Color
    wall: Color
    hood: bool


PEOPLE = {
    "src": Looks(
        second=0.55,
        second_mouth=0.0,
        jaw=1.16,
        nose=1.35,
        eyes=1.24,
        mouth=1.2,
        apart=1.1,
        long=0.92,
        skin=(0.62, 0.74, 0.86),
        brows=1.0,
        hair=(22, 26, 34),
        clothes=(92, 70, 40),
        wall=(150, 160, 150),
        hood=False,
    ),
    "dst": Looks(
        second=0.75,
        second_mouth=1.0,
        jaw=0.84,
        nose=0.75,
        eyes=0.82,
        mouth=0.84,
        apart=0.9,
        long=1.12,
        skin=(1.06, 1.0, 0.98),
        brows=0.0,
        hair=(70, 96, 60),
        clothes=(60, 84, 52),
        wall=(170, 140, 110),
        hood=True,
    ),
}


@dataclass(frozen=True, eq=False)
class Person:
    """A face in rest.

    mesh: float64 (468, 3), on the canvas. texture: uint8 SIZE x SIZE x 3 BGR, laid over ``flat`` (468, 2).
    triangles: (n, 3), of the mesh, with eyes and mouth closed over.
    looks: what else is drawn.
    """

    mesh: NDArray[np.float64]
    texture: NDArray[np.uint8]
    flat: NDArray[np.float64]
    triangles: NDArray[np.int64]
    looks: Looks


def person(first: Portrait, second: Portrait, looks: Looks) -> Person:
    """Somebody out of two portraits."""
    base = _symmetric((_upright(first.mesh) + _upright(second.mesh)) / 2)
    flat = base[:, :2]
    ours, theirs = (_texture(portrait, base) for portrait in (first, second))
    theirs = _match_color(theirs, ours, flat)
    weight = _weights(flat, looks)[..., None]
    texture = ours * (1 - weight) + theirs * weight
    texture = _tinted(_skin_beyond(texture, flat), flat, looks)
    inside = Delaunay(flat).simplices
    return Person(_shaped(base, looks), np.clip(texture, 0, 255).astype(np.uint8), flat, inside, looks)


def _upright(mesh: NDArray) -> NDArray:
    """The mesh turned so that it looks at the camera, in the middle of the canvas."""
    centred = mesh - mesh.mean(0)
    mirrored = centred * [-1, 1, 1]
    partner = _partners(centred)
    # The rotation that lays a face over its mirror image is twice its turn; half of it sets the face straight.
    u, _, vt = np.linalg.svd(mirrored[partner].T @ centred)
    rotation = (u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt).T
    half = cv2.Rodrigues(cv2.Rodrigues(rotation)[0] / 2)[0]
    return centred @ half + [SIZE / 2, SIZE * 0.52, 0]


def _partners(mesh: NDArray) -> NDArray:
    """For each point the one on the other side of the face."""
    straight = mesh[:, :2] - mesh[:, :2].mean(0)
    axis = mesh[152, :2] - mesh[10, :2]
    angle = np.arctan2(axis[0], axis[1])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    level = straight @ turn.T
    level[:, 0] -= level[[10, 152, 1, 168], 0].mean()
    return np.asarray(cKDTree(level).query(level * [-1, 1])[1])


def _symmetric(mesh: NDArray) -> NDArray:
    middle = np.array([SIZE / 2, 0, 0])
    centred = mesh - middle
    return (centred + centred[_partners(mesh)] * [-1, 1, 1]) / 2 + middle


def _texture(portrait: Portrait, base: NDArray) -> NDArray[np.float32]:
    return warp(portrait.image, anchors(portrait.mesh), anchors(base)).astype(np.float32)


def _blob(flat: NDArray, points: list[int], grow: float) -> NDArray[np.float32]:
    """1 around the hull of some points, with a soft edge; grow: pixels."""
    mask = np.zeros((SIZE, SIZE), np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(flat[points].astype(np.int32)), 1.0)
    size = 2 * int(abs(grow)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    mask = cv2.dilate(mask, kernel) if grow > 0 else cv2.erode(mask, kernel)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 6), np.float32)


# Around both eyes with the brows, where one portrait has glasses, and mouth with chin.
# fmt: off
_EYES = [
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 383, 353, 446, 261, 448, 450, 452, 232, 230, 228, 31, 226, 124, 156,
    6, 117, 118, 119, 100, 329, 348, 347, 346,
]
_MOUTH = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185]
# fmt: on
_BROWS = ([70, 63, 105, 66, 107, 55, 65, 52, 53, 46], [300, 293, 334, 296, 336, 285, 295, 282, 283, 276])


def _weights(flat: NDArray, looks: Looks) -> NDArray[np.float32]:
    """The share of the second portrait at each pixel."""
    eyes, mouth = _blob(flat, _EYES, 14), _blob(flat, _MOUTH, 10)
    weight = looks.second * (1 - mouth) + looks.second_mouth * mouth
    return np.asarray(weight * (1 - eyes), np.float32)


def _tinted(texture: NDArray, flat: NDArray, looks: Looks) -> NDArray:
    brows = np.sum([_blob(flat, points, 1.0) for points in _BROWS], axis=0)[..., None]
    return texture * np.array(looks.skin, np.float32) * (1 - 0.6 * looks.brows * np.clip(brows, 0, 1))


def _skin_beyond(texture: NDArray, flat: NDArray) -> NDArray:
    """The texture with skin where hair and what is behind the face would be seen at its edge."""
    # The hair of one portrait hangs over the forehead.
    forehead = flat[10, 1] + _FRINGE * (flat[152, 1] - flat[10, 1])
    below = np.clip((np.arange(SIZE, dtype=np.float32) - forehead) / 14, 0, 1)[:, None]
    inside = (_blob(flat, OVAL, -18) * below)[..., None]
    weight = cv2.GaussianBlur(inside, (0, 0), 14)[..., None]
    skin = cv2.GaussianBlur(texture * inside, (0, 0), 14) / np.maximum(weight, 1e-3)
    return texture * inside + skin * (1 - inside)


def _match_color(image: NDArray, reference: NDArray, flat: NDArray) -> NDArray:
    """Give ``image`` the mean that ``reference`` has on cheeks and chin, and no more contrast than it has."""
    inside = _blob(flat, OVAL, -12) > 0.5
    inside &= _blob(flat, _EYES, 14) < 0.1
    mean, deviation = image[inside].mean(0), image[inside].std(0)
    gain = np.minimum(reference[inside].std(0) / deviation, _MOST_CONTRAST)
    return (image - mean) * gain + reference[inside].mean(0)


def _shaped(base: NDArray, looks: Looks) -> NDArray:
    """The mesh with the person's own proportions."""
    mesh = base.copy()
    centre = np.array([SIZE / 2, base[168, 1]])
    height, width = np.ptp(base[:, 1]), np.ptp(base[:, 0])
    # Below the cheekbones the face becomes wider or narrower toward the jaw.
    down = np.clip((base[:, 1] - base[168, 1]) / (base[152, 1] - base[168, 1]), 0, 1)
    mesh[:, 0] = centre[0] + (mesh[:, 0] - centre[0]) * (1 + (looks.jaw - 1) * down)
    for points, factor in (((33, 133), looks.eyes), ((263, 362), looks.eyes)):
        middle = base[list(points), :2].mean(0)
        mesh = _scaled(mesh, middle, 0.17 * width, (factor, factor))
        mesh[:, 0] += (looks.apart - 1) * (middle[0] - centre[0]) * _near(base, middle, 0.24 * width)
    mesh = _scaled(mesh, base[[1, 2, 98, 327], :2].mean(0), 0.16 * width, (looks.nose, 1.0))
    mesh = _scaled(mesh, base[[13, 14], :2].mean(0), 0.24 * width, (looks.mouth, 1.0))
    mesh[:, 1] = centre[1] + (mesh[:, 1] - centre[1]) * looks.long
    mesh[:, 1] += SIZE * 0.52 - (mesh[:, 1].min() + height * looks.long / 2)
    return mesh


def _near(mesh: NDArray, middle: NDArray, radius: float) -> NDArray:
    return np.exp(-(((mesh[:, :2] - middle) ** 2).sum(1)) / radius**2)


def _scaled(mesh: NDArray, middle: NDArray, radius: float, factors: tuple[float, float]) -> NDArray:
    """The mesh stretched around a point, less and less farther away."""
    near = _near(mesh, middle, radius)[:, None]
    changed = mesh.copy()
    changed[:, :2] += (mesh[:, :2] - middle) * (np.array(factors) - 1) * near
    return changed
