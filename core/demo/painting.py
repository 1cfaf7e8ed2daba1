"""A picture of a person: the textured mesh turned in three dimensions, and around it what is drawn."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from core.demo.expressions import LOWER_LIP, UPPER_LIP, Expression, moved, neck, rotation
from core.demo.people import Color, Person
from core.demo.portraits import OVAL, SIZE

Image = NDArray[np.float32]
_OPENING = 0.93  # of the outline of the face
# Half axes of a head with hair, in widths of the face, and how far hair reaches down.
_HEAD, _HAIR_ENDS = (0.74, 0.86), 0.774
_EDGE = 1.6  # px, softness of what is drawn
_MOUTH: Color = (34, 22, 58)
_TEETH: Color = (196, 214, 222)


def painted(person: Person, expression: Expression, shift: tuple[float, float] = (0.0, 0.0)) -> Image:
    """The person with an expression, (SIZE, SIZE, 3), BGR, 0..255. shift: of the head, px."""
    mesh = moved(person.mesh, expression) + np.array([*shift, 0.0])
    image = _wall(person.looks.wall).copy()
    _body(image, person, shift)
    behind, before = _hair(person, expression, mesh, shift)
    _over(image, _strands(person, shift, behind), behind)
    _neck(image, person, mesh, shift)
    face, cover = _face(person, mesh)
    _mouth(face, mesh)
    _over(image, face, cover)
    _over(image, _strands(person, shift, before), before)
    return image


def _face(person: Person, mesh: NDArray) -> tuple[Image, Image]:
    """The textured mesh and what it covers, (SIZE, SIZE), 0..1."""
    corners = mesh[person.triangles]
    order = np.argsort(-corners[..., 2].mean(1))  # the far ones first: z grows away from the camera
    numbers = np.zeros((SIZE, SIZE), np.int32)
    fixed = np.rint(corners[..., :2] * 16).astype(np.int32)
    for number in order:
        cv2.fillConvexPoly(numbers, fixed[number], int(number) + 1, lineType=cv2.LINE_8, shift=4)
    # Of every triangle the affine map from the picture to the texture.
    there = np.concatenate([corners[..., :2], np.ones((len(corners), 3, 1))], 2)
    sound = np.abs(np.linalg.det(there)) > 1e-3
    maps = np.zeros((len(corners) + 1, 3, 2))
    maps[1:][sound] = np.linalg.solve(there[sound], person.flat[person.triangles][sound])
    ys, xs = np.nonzero(numbers)
    at = np.stack([xs, ys, np.ones(len(xs))], 1)[:, None] @ maps[numbers[ys, xs]]
    field = np.zeros((SIZE, SIZE, 2), np.float32)
    field[ys, xs] = at[:, 0]
    face = cv2.remap(person.texture, field[..., 0], field[..., 1], cv2.INTER_CUBIC).astype(np.float32)
    # Its last pixels fade, so that neither stairs nor black from beyond the edge are seen.
    inner = cv2.erode((numbers > 0).astype(np.float32), np.ones((3, 3)), iterations=3)
    return face, np.asarray(cv2.GaussianBlur(inner, (0, 0), _EDGE), np.float32)


def _mouth(face: Image, mesh: NDArray) -> None:
    """The inside of an open mouth: teeth behind the upper lip, and dark."""
    upper, lower = mesh[list(UPPER_LIP), :2], mesh[list(LOWER_LIP), :2]
    gap = float(np.linalg.norm(mesh[13] - mesh[14]))
    if gap < 4:
        return
    hole = _shape(np.concatenate([upper, lower[::-1]]), 1.0)
    edge = upper + np.clip(0.45 * (lower - upper), 0, 7)
    teeth = _shape(np.concatenate([upper, edge[::-1]]), 1.0)
    strength = np.float32(min(1.0, (gap - 4) / 5))
    _over(face, _MOUTH, hole * strength)
    _over(face, _TEETH, teeth * strength * np.float32(0.85))


@cache
def _wall(color: Color) -> Image:
    ys, xs = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    light = 1.06 - 0.35 * ((xs - 0.35) ** 2 + (ys - 0.25) ** 2)
    return np.asarray(light[..., None] * np.array(color, np.float32), np.float32)


def _body(image: Image, person: Person, shift: tuple[float, float]) -> None:
    """Shoulders, which follow the head half as far."""
    x, top = SIZE / 2 + 0.5 * shift[0], person.mesh[152, 1] + 34 + 0.3 * shift[1]
    ellipse = np.array([(x + 215 * np.cos(a), top + 190 + 190 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 60)])
    cover = _shape(ellipse, 3.0)
    cloth = np.full_like(image, person.looks.clothes)
    cloth *= (1.15 - 0.4 * np.linspace(0, 1, SIZE, dtype=np.float32))[:, None, None]
    _over(image, cloth, cover)


def _neck(image: Image, person: Person, mesh: NDArray, shift: tuple[float, float]) -> None:
    """From the jaw to the shoulders, darker than the cheeks: it is in the shadow of the chin."""
    jaw = mesh[[172, 397], :2]
    half, middle = 0.36 * np.ptp(mesh[list(OVAL), 0]), jaw[:, 0].mean()
    base = person.mesh[152, 1] + 62 + 0.3 * shift[1]
    foot = SIZE / 2 + 0.5 * shift[0]
    outline = [(middle - half, jaw[0, 1] - 12), (middle + half, jaw[1, 1] - 12)]
    outline += [(foot + half * 1.15, base), (foot, base + 26), (foot - half * 1.15, base)]
    cheeks = person.texture[person.flat[[50, 280, 200], 1].astype(int), person.flat[[50, 280, 200], 0].astype(int)]
    skin = cheeks.mean(0).astype(np.float32) * np.float32(0.72)
    _over(image, skin, _shape(np.array(outline), 4.0))


def _hair(person: Person, expression: Expression, mesh: NDArray, shift: tuple[float, float]) -> tuple[Image, Image]:
    """What is seen of the hair, or the hood, behind the face, and before it; (SIZE, SIZE), 0..1."""
    oval = mesh[OVAL, :2]
    middle, width = _skull(person, expression) + np.array(shift), np.ptp(person.mesh[OVAL, 0])
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    # Hair ends above where a hood does.
    height = np.where((np.sin(angles) > 0) & (not person.looks.hood), _HAIR_ENDS, _HEAD[1])
    ring = middle + width * np.stack([_HEAD[0] * np.cos(angles), height * np.sin(angles)], 1)
    behind = _shape(cv2.convexHull(np.concatenate([ring, oval]).astype(np.float32))[:, 0], 3.0)
    before = behind * (1 - _opening(oval))
    # Below the chin a head of hair is behind the neck, a hood before it.
    if not person.looks.hood:
        before *= _above(oval[:, 1].min() + 0.62 * np.ptp(oval[:, 1]), 26)
    return behind, before


def _skull(person: Person, expression: Expression) -> NDArray[np.float64]:
    """The middle of the head in the picture, (2,): behind the face, so that it turns the other way."""
    width = np.ptp(person.mesh[OVAL, 0])
    rest = person.mesh[OVAL].mean(0) + np.array([0, -0.16 * width, 0.42 * width])
    pivot = neck(person.mesh)
    turned = rotation(expression.yaw, expression.pitch, expression.roll) @ (rest - pivot) + pivot
    return np.asarray(turned[:2])


def _opening(oval: NDArray) -> Image:
    """Where the face looks out, (SIZE, SIZE): a little within its outline, forehead and brows free."""
    middle = oval.mean(0)
    ring = middle + (oval - middle) * _OPENING
    return _shape(cv2.convexHull(ring.astype(np.float32))[:, 0], 4.0)


def _strands(person: Person, shift: tuple[float, float], cover: Image) -> Image:
    """Hair, or cloth, over the whole canvas."""
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    streaks = cv2.warpAffine(_streaks(), matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)
    # A blur as wide as this needs no fine pixels.
    small = cv2.resize(cover, (SIZE // 8, SIZE // 8), interpolation=cv2.INTER_AREA)
    depth = cv2.resize(cv2.GaussianBlur(small, (0, 0), 2.75), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    strength = 0.05 if person.looks.hood else 0.28
    shade = (0.55 + 0.65 * depth) * (1 + strength * streaks)
    return np.asarray(shade[..., None] * np.array(person.looks.hair, np.float32), np.float32)


@cache
def _streaks() -> Image:
    noise = np.random.default_rng(11).normal(0, 1, (SIZE, SIZE)).astype(np.float32)
    streaks = cv2.GaussianBlur(noise, (0, 0), sigmaX=1.2, sigmaY=16)
    return np.asarray(streaks / streaks.std(), np.float32)


def _shape(points: NDArray, soft: float) -> Image:
    """1 inside a polygon, with a soft edge."""
    mask = np.zeros((SIZE, SIZE), np.float32)
    cv2.fillPoly(mask, [np.rint(points * 16).astype(np.int32)], 1.0, lineType=cv2.LINE_AA, shift=4)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), soft), np.float32)


def _above(line: float, soft: float) -> Image:
    ys = np.arange(SIZE, dtype=np.float32)[:, None]
    return np.asarray(np.clip((line - ys) / soft + 0.5, 0, 1), np.float32)


def _over(image: Image, layer: Image | Color | NDArray, cover: Image) -> None:
    """Put a layer, or a color, over the image where it covers it."""
    seen = cv2.boundingRect((cover > 0).astype(np.uint8))
    part = np.s_[seen[1] : seen[1] + seen[3], seen[0] : seen[0] + seen[2]]
    color = np.asarray(layer, np.float32)
    above = color[part] if color.ndim == 3 else color
    image[part] += (above - image[part]) * cover[part][..., None]
