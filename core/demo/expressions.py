"""How the 468 points of a face move: pose, jaw, lips, eyelids, brows. Meshes are (468, 3), as of ``portraits``."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mesh = NDArray[np.float64]

# Of each eye: the upper lid from the outer corner inward, the lower lid below it, and the crease above it.
_LIDS = (
    ((246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155), (247, 30, 29, 27, 28, 56, 190)),
    ((466, 388, 387, 386, 385, 384, 398), (249, 390, 373, 374, 380, 381, 382), (467, 260, 259, 257, 258, 286, 414)),
)
# fmt: off
_BROWS = (
    70, 63, 105, 66, 107, 55, 193, 46, 53, 52, 65, 124, 156, 300, 293, 334, 296, 336, 285, 417, 276, 283, 282, 295, 353,
    383,
)
# fmt: on
UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
_CORNERS, _CHIN = (61, 291), 152
_CREASE = 0.45  # how far the crease follows the lid
_JAW = 0.35  # of the way from mouth to chin: from here on everything follows the jaw


@dataclass(frozen=True)
class Expression:
    """What a face does.

    yaw, pitch, roll: radians. jaw: how far it is open, in heights of mouth to chin. lips: above 0 wider, below 0
    rounder. blink: 0 open, 1 closed. brows: how far they are up, in widths of the face.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    jaw: float = 0.0
    lips: float = 0.0
    blink: float = 0.0
    brows: float = 0.0


def moved(mesh: Mesh, expression: Expression) -> Mesh:
    """The neutral mesh with an expression, turned about the neck."""
    changed = _with_brows(mesh, expression.brows)
    changed = _with_lids(changed, expression.blink)
    changed = _with_lips(changed, expression.lips)
    changed = open_jaw(changed, expression.jaw)
    return turn(changed, expression.yaw, expression.pitch, expression.roll)


def turn(mesh: Mesh, yaw: float, pitch: float, roll: float) -> Mesh:
    """Rotate the mesh by angles in radians about a point behind the face, where the neck would hold it."""
    pivot = neck(mesh)
    return (mesh - pivot) @ rotation(yaw, pitch, roll).T + pivot


def rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """The matrix, (3, 3), of angles in radians."""
    cy, sy = np.cos(yaw), np.sin(yaw)
    cp, sp = np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(roll), np.sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def neck(mesh: Mesh) -> NDArray[np.float64]:
    """The point, (3,), that the head turns about."""
    return mesh.mean(0) + np.array([0, 0, 0.35 * np.ptp(mesh[:, 0])])


def open_jaw(mesh: Mesh, share: float) -> Mesh:
    """Lower the jaw by ``share`` of the way from mouth to chin; the lower lip comes along in full at its middle."""
    line = mesh[list(LOWER_LIP), :2]
    corners = mesh[list(_CORNERS)]
    middle, half = corners[:, 0].mean(), np.ptp(corners[:, 0]) / 2
    height = mesh[_CHIN, 1] - mesh[13, 1]
    order = np.argsort(line[:, 0])
    # A little above the line: its own points belong to the lower lip.
    lip = np.interp(mesh[:, 0], line[order, 0], line[order, 1]) - 1e-6 * height
    away = np.abs(mesh[:, 0] - middle) / half
    is_lip = (mesh[:, 1] >= lip) & (away < 1)
    is_lip[list(UPPER_LIP[1:-1])] = False  # of a closed mouth they lie on the same line
    follows = _step((mesh[:, 1] - corners[:, 1].mean()) / (_JAW * height))
    weight = np.maximum(follows, np.where(is_lip, 1 - away**2, 0))
    changed = mesh.copy()
    changed[:, 1] += share * height * weight
    return changed


def _with_lids(mesh: Mesh, blink: float) -> Mesh:
    changed = mesh.copy()
    for upper, lower, crease in _LIDS:
        way = blink * (mesh[list(lower)] - mesh[list(upper)])
        changed[list(upper)] += way
        changed[list(crease)] += _CREASE * way
    return changed


def _with_brows(mesh: Mesh, up: float) -> Mesh:
    changed = mesh.copy()
    changed[list(_BROWS), 1] -= up * np.ptp(mesh[:, 0])
    return changed


def _with_lips(mesh: Mesh, wider: float) -> Mesh:
    corners = mesh[list(_CORNERS)]
    middle, width = corners.mean(0), np.ptp(corners[:, 0])
    distance = np.linalg.norm((mesh[:, :2] - middle[:2]) / (0.8 * width), axis=1)
    changed = mesh.copy()
    changed[:, 0] += wider * (mesh[:, 0] - middle[0]) * np.exp(-(distance**2) * 2)
    return changed


def _step(x: NDArray) -> NDArray:
    """From 0 to 1 with a level start and end."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
