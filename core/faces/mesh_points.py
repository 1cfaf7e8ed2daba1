"""The 68 points out of the 468 vertices of the face mesh, at the places where people draw them.

Version 1 took one vertex a point. Measured against hand-drawn points near frontal, its brows and jaw were off by up to
5 % of the face's diagonal and a whole-face crop came out 2.8 % too wide. In version 2 the measured mean offsets are
taken off, made the same on both sides of the face; each point is a sum of neighbours, so that it moves on the surface
with the head, and eyelids are sums along the lid only, so that a blink stays a blink. The mouth stays, but for point
55, whose vertex was not the mirror image of that of point 59.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

MeshPoints = Literal[1, 2]
VERSION: MeshPoints = 2
VERTICES = 468
# fmt: off
FIRST = (
    127, 227, 137, 213, 138, 136, 149, 171, 152, 377, 378, 365, 367, 435, 366, 454, 356, 70, 63, 105, 66, 55, 285,
    296, 334, 293, 300, 168, 197, 195, 4, 240, 99, 2, 326, 305, 33, 160, 158, 155, 153, 144, 382, 385, 386, 249,
    373, 380, 61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 91, 62, 38, 13, 312, 308, 317, 14, 87,
)
# Vertex -> weight, points 0 to 47.
_SUMS: tuple[dict[int, float], ...] = (
    {34: 0.426, 127: 0.224, 162: 0.169, 227: 0.135, 234: 0.046},
    {34: 0.046, 93: 0.257, 116: 0.116, 123: 0.108, 127: 0.076, 137: 0.073, 234: 0.324},
    {93: 0.069, 123: 0.126, 132: 0.068, 137: 0.157, 147: 0.18, 177: 0.219, 213: 0.124, 215: 0.057},
    {138: 0.166, 147: 0.042, 177: 0.053, 192: 0.089, 213: 0.274, 215: 0.376},
    {135: 0.134, 136: 0.122, 138: 0.601, 172: 0.114, 215: 0.029},
    {135: 0.039, 136: 0.688, 149: 0.041, 150: 0.232},
    {149: 0.78, 150: 0.22},
    {148: 0.307, 171: 0.206, 176: 0.487},
    {152: 1},
    {377: 0.307, 396: 0.206, 400: 0.487},
    {378: 0.78, 379: 0.22},
    {364: 0.039, 365: 0.688, 378: 0.041, 379: 0.232},
    {364: 0.134, 365: 0.122, 367: 0.601, 397: 0.114, 435: 0.029},
    {367: 0.166, 376: 0.042, 401: 0.053, 416: 0.089, 433: 0.274, 435: 0.376},
    {323: 0.069, 352: 0.126, 361: 0.068, 366: 0.157, 376: 0.18, 401: 0.219, 433: 0.124, 435: 0.057},
    {264: 0.046, 323: 0.257, 345: 0.116, 352: 0.108, 356: 0.076, 366: 0.073, 454: 0.324},
    {264: 0.426, 356: 0.224, 389: 0.169, 447: 0.135, 454: 0.046},
    {46: 0.371, 63: 0.216, 70: 0.413},
    {53: 0.274, 63: 0.341, 105: 0.385},
    {52: 0.256, 66: 0.396, 105: 0.348},
    {65: 0.3, 66: 0.465, 107: 0.235},
    {55: 0.534, 65: 0.084, 107: 0.382},
    {285: 0.534, 295: 0.084, 336: 0.382},
    {295: 0.3, 296: 0.465, 336: 0.235},
    {282: 0.256, 296: 0.396, 334: 0.348},
    {283: 0.274, 293: 0.341, 334: 0.385},
    {276: 0.371, 293: 0.216, 300: 0.413},
    {6: 0.357, 168: 0.643},
    {6: 0.137, 197: 0.863},
    {5: 0.598, 195: 0.402},
    {4: 1},
    {60: 0.313, 240: 0.687},
    {20: 0.17, 97: 0.83},
    {2: 0.921, 164: 0.079},
    {250: 0.17, 326: 0.83},
    {290: 0.313, 460: 0.687},
    {7: 0.197, 33: 0.371, 246: 0.432},
    {159: 0.532, 160: 0.468},
    {157: 0.47, 158: 0.53},
    {133: 1},
    {153: 1},
    {144: 0.855, 145: 0.109, 163: 0.036},
    {362: 1},
    {384: 0.47, 385: 0.53},
    {386: 0.532, 387: 0.468},
    {249: 0.197, 263: 0.371, 466: 0.432},
    {373: 0.855, 374: 0.109, 390: 0.036},
    {380: 1},
)
_MOUTH = (
    61, 39, 37, 0, 267, 269, 291, 321, 314, 17, 84, 91, 62, 38, 13, 312, 308, 317, 14, 87,
)
# fmt: on


def points_68(mesh: NDArray[np.float64], version: MeshPoints = VERSION) -> NDArray[np.float64]:
    """The 68 points (68, d) of a mesh (468, d). version: 1 for faces that go with older ones of their film."""
    return mesh[list(FIRST)] if version == 1 else _WEIGHTS @ mesh


def _weights() -> NDArray[np.float64]:
    weights = np.zeros((68, VERTICES))
    for point, terms in enumerate((*_SUMS, *({vertex: 1.0} for vertex in _MOUTH))):
        weights[point, list(terms)] = list(terms.values())
    return weights


_WEIGHTS = _weights()
