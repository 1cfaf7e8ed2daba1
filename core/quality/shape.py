"""Pose and expression from the 468 points of the face mesh: (468, 3), x and y in pixels, z of the same scale."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faces.mesh_points import points_68
from core.geometry import landmarks as lm

Mesh = NDArray[np.float64]

# (upper lid, lower lid, corner, corner) of the subject's right and left eye; the inner lips and the mouth's corners.
_EYES = ((159, 145, 33, 133), (386, 374, 362, 263))
_MOUTH = (13, 14, 61, 291)
_CHEEKS = (234, 454)
# Points that no muscle moves much: forehead, temples, bridge of the nose, cheekbones.
_RIGID = (10, 109, 338, 103, 332, 54, 284, 21, 251, 162, 389, 127, 356, 234, 454, 168, 6, 197, 195, 5, 4, 133, 362)


@dataclass(frozen=True, eq=False)
class Shape:
    """How a face looks. eyes, mouth: openings over their widths. points: (68, 2) over the face's width. mesh: of it."""

    eyes: float
    mouth: float
    points: NDArray[np.float64]
    mesh: Mesh


def shape_of(mesh: Mesh, width: float) -> Shape:
    """width: of the face, pixels, that distances are divided by."""
    eyes = [_opening(mesh, *eye) for eye in _EYES]
    return Shape(float(np.mean(eyes)), _opening(mesh, *_MOUTH), points_68(mesh[:, :2]) / width, mesh)


def face_width(mesh: Mesh) -> float:
    """From cheek to cheek, in three dimensions: the same however the head is turned."""
    left, right = mesh[list(_CHEEKS)]
    return max(float(np.linalg.norm(left - right)), 1e-6)


def turn_between(a: Mesh, b: Mesh) -> NDArray[np.float64]:
    """The rotation that best lays the skull of one face over that of another: axis times angle, degrees, (3,)."""
    x, y = (_normal(mesh[list(_RIGID)]) for mesh in (a, b))
    u, _, vt = np.linalg.svd(x.T @ y)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    return np.degrees(cv2.Rodrigues(u @ np.diag(signs) @ vt)[0].ravel())


def inner_points(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Those of brows, eyes, nose and mouth: the jaw's follow the outline, which is the target's in every swap."""
    return points[lm.PARTS["jaw"].stop :]


def _opening(mesh: Mesh, upper: int, lower: int, corner: int, other: int) -> float:
    gap, width = np.linalg.norm(mesh[upper] - mesh[lower]), np.linalg.norm(mesh[corner] - mesh[other])
    return float(gap / max(float(width), 1e-6))


def _normal(points: Mesh) -> Mesh:
    centred = points - points.mean(0)
    return centred / max(float(np.linalg.norm(centred)), 1e-9)
