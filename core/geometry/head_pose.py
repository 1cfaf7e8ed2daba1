"""Where a head looks, by a mean head in three dimensions seen from far away: angles that do not saturate in profile.

``core.geometry.pose` is the formula of the DeepFaceLab format, by which faces are sorted; it reads 47 degrees of yaw in
a profile of 68. Here no camera is assumed, so that crop size and place do not matter. Signs are those of the format:
pitch > 0 looks up, yaw > 0 turns the nose toward the image's left, roll is the clockwise turn in the image.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import InputError
from core.geometry import landmarks as lm

Points = NDArray[np.float64]

# The 68 points of a mean head in widths of the face: x right, y down, z away from the camera, the origin in the head.
# Averaged from the meshes of some hundred faces, made symmetric, and upright as the format's own mean head is.
# fmt: off
HEAD = np.array([
    (-0.493, -0.158, 0.350), (-0.483, -0.028, 0.368), (-0.463, 0.098, 0.250), (-0.434, 0.209, 0.205),
    (-0.392, 0.323, 0.200), (-0.325, 0.426, 0.181), (-0.235, 0.492, 0.094), (-0.126, 0.534, -0.001),
    (0.000, 0.560, -0.023), (0.126, 0.534, -0.001), (0.235, 0.492, 0.094), (0.325, 0.426, 0.181),
    (0.392, 0.323, 0.200), (0.434, 0.209, 0.205), (0.463, 0.098, 0.250), (0.483, -0.028, 0.368),
    (0.493, -0.158, 0.350), (-0.388, -0.329, 0.086), (-0.330, -0.375, 0.036), (-0.256, -0.391, -0.004),
    (-0.181, -0.388, -0.030), (-0.106, -0.357, -0.040), (0.106, -0.357, -0.040), (0.181, -0.388, -0.030),
    (0.256, -0.391, -0.004), (0.330, -0.375, 0.036), (0.388, -0.329, 0.086), (0.000, -0.250, -0.069),
    (0.000, -0.175, -0.130), (0.000, -0.100, -0.206), (0.000, -0.024, -0.249), (-0.099, 0.062, -0.105),
    (-0.054, 0.077, -0.128), (0.000, 0.084, -0.133), (0.054, 0.077, -0.128), (0.099, 0.062, -0.105),
    (-0.317, -0.220, 0.084), (-0.255, -0.252, 0.045), (-0.181, -0.249, 0.041), (-0.126, -0.213, 0.055),
    (-0.189, -0.201, 0.040), (-0.260, -0.199, 0.052), (0.126, -0.213, 0.055), (0.181, -0.249, 0.041),
    (0.255, -0.252, 0.045), (0.317, -0.220, 0.084), (0.260, -0.199, 0.052), (0.189, -0.201, 0.040),
    (-0.190, 0.245, -0.006), (-0.113, 0.189, -0.111), (-0.057, 0.174, -0.136), (0.000, 0.181, -0.143),
    (0.057, 0.174, -0.136), (0.113, 0.189, -0.111), (0.190, 0.245, -0.006), (0.143, 0.279, -0.065),
    (0.055, 0.312, -0.113), (0.000, 0.315, -0.116), (-0.055, 0.312, -0.113), (-0.143, 0.279, -0.065),
    (-0.166, 0.242, -0.017), (-0.046, 0.224, -0.111), (0.000, 0.228, -0.108), (0.046, 0.224, -0.111),
    (0.166, 0.242, -0.017), (0.046, 0.254, -0.093), (0.000, 0.256, -0.099), (-0.046, 0.254, -0.093),
])
# fmt: on
HEAD.flags.writeable = False
FOREHEAD = np.array([[0.0, -0.604, 0.015]])
FOREHEAD.flags.writeable = False
_TO_CAMERA = np.linalg.pinv(np.column_stack([HEAD[17:], np.ones(51)]))

# What is likely before anything is seen: deviations of pitch and yaw (radians) and of the size (its logarithm).
_PITCH, _YAW, _SIZE = math.radians(15), math.radians(200), 0.12


@dataclass(frozen=True)
class View:
    """A head as seen from far away: angles in radians, size (the width of the face) and centre (2,) in pixels."""

    pitch: float
    yaw: float
    roll: float
    size: float
    centre: Points

    def project(self, points: Points) -> Points:
        """Where points (n, 3) of the head are in the image: (n, 2)."""
        return self.size * points @ rotation(self.pitch, self.yaw, self.roll)[:2].T + self.centre

    def landmarks(self) -> Points:
        """Where the 68 points of a mean head are."""
        return self.project(HEAD)

    def turn(self) -> float:
        """The clockwise turn of the head's vertical in the image, radians: in profile not the roll alone."""
        return _turn_of(rotation(self.pitch, self.yaw, self.roll))

    def turned(self, turn: float) -> "View":
        """The view turned clockwise in the image, radians, about the middle of the inner face."""
        middle = self.landmarks()[17:].mean(axis=0)
        turned = replace(self, roll=self.roll + turn)
        return replace(turned, centre=turned.centre + middle - turned.landmarks()[17:].mean(axis=0))

    def square(self, turn: float) -> tuple[Points, float]:
        """Centre and longer side, pixels, of the box around the head that is turned clockwise by ``turn`` radians."""
        cos, sin = math.cos(turn), math.sin(turn)
        to_image = np.array([[cos, sin], [-sin, cos]])
        upright = self.project(np.concatenate([HEAD, FOREHEAD])) @ to_image.T
        low, high = upright.min(axis=0), upright.max(axis=0)
        return (low + high) / 2 @ to_image, float(max(high - low))


def rotation(pitch: float, yaw: float, roll: float) -> NDArray[np.float64]:
    """The matrix (3, 3) that turns a head that looks into the camera: first pitch, then yaw, then roll; radians."""
    (sp, sy, sr), (cp, cy, cr) = np.sin([pitch, yaw, roll]), np.cos([pitch, yaw, roll])
    about_x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def angles(matrix: NDArray[np.float64]) -> tuple[float, float, float]:
    """(pitch, yaw, roll) in radians of a rotation (3, 3)."""
    yaw = math.atan2(-matrix[2, 0], math.hypot(matrix[0, 0], matrix[1, 0]))
    return -math.atan2(matrix[2, 1], matrix[2, 2]), yaw, math.atan2(matrix[1, 0], matrix[0, 0])


def head_pose(landmarks: ArrayLike) -> tuple[float, float, float]:
    """(pitch, yaw, roll) in radians of a face with these landmarks (68, 2), in any upright or turned image.

    Raises:
        InputError: the landmarks are no numbers, or all in one place.
    """
    return pose_of(_TO_CAMERA @ lm.validated(landmarks)[17:])


def views(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 68 points (n, 68, 2) of a mean head, in its widths, turned as each face with landmarks (n, 68, 2) is."""
    cameras = _TO_CAMERA @ landmarks[:, 17:]
    u, _, vt = np.linalg.svd(cameras[:, :3].transpose(0, 2, 1), full_matrices=False)
    return HEAD @ (u @ vt).transpose(0, 2, 1)


def head_turn(landmarks: ArrayLike) -> float:
    """The clockwise turn of the head's vertical in the image, radians, also of profiles, whose roll says little.

    landmarks: (68, 2). Raises InputError as ``head_pose`` does.
    """
    return _turn_of(rotation(*head_pose(landmarks)))


def mean_angle(values: Sequence[float]) -> float:
    """The mean direction of angles in radians, -pi..pi."""
    return math.atan2(float(np.mean(np.sin(values))), float(np.mean(np.cos(values))))


def _turn_of(matrix: NDArray[np.float64]) -> float:
    return math.atan2(-matrix[0, 1], matrix[1, 1])


def pose_of(camera: NDArray[np.float64]) -> tuple[float, float, float]:
    """(pitch, yaw, roll) in radians of a head that an affine camera, (4, 2), sees.

    Its first three rows are where the axes of the head go in the image. Raises InputError where those are nothing.
    """
    axes = camera[:3].T
    if np.linalg.norm(axes) < 1e-9:
        raise InputError("no pose fits these landmarks", why="all points are (nearly) the same")
    # The scaled rotation that is nearest to the camera without constraints.
    u, _, vt = np.linalg.svd(axes, full_matrices=False)
    rows = u @ vt
    return angles(np.vstack([rows, np.cross(rows[0], rows[1])]))


def pose_by_depth(points: ArrayLike) -> tuple[float, float, float]:
    """(pitch, yaw, roll) in radians of 68 points with their depth, (68, 3): x, y and z in one scale, z away."""
    found = np.asarray(points, np.float64)
    head, seen = HEAD - HEAD.mean(axis=0), found - found.mean(axis=0)
    u, _, vt = np.linalg.svd(seen.T @ head)
    return angles(u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt)


def fit_view(points: Points, model: Points, spread: Points, roll: float, size: float) -> View:
    """The view in which points of a head, ``model`` (n, 3), come nearest to ``points`` (n, 2) of an image.

    spread: (n,), how far each point is off as a rule, in widths of the face. roll: radians, where the search begins.
    size: the likely width of the face, pixels. A small pitch is held to be likely, too.
    """
    from scipy.optimize import least_squares  # takes long, and few who know of poses fit any

    middle, scale = points.mean(axis=0), max(size, 1e-6)

    def view(values: NDArray[np.float64]) -> View:
        pitch, yaw, turn, growth, *shift = values.tolist()
        return View(pitch, yaw, turn, scale * math.exp(growth), middle + scale * np.array(shift))

    def misses(values: NDArray[np.float64]) -> NDArray[np.float64]:
        off = (view(values).project(model) - points) / (scale * spread[:, None])
        return np.concatenate([off.ravel(), [values[0] / _PITCH, values[1] / _YAW, values[3] / _SIZE]])

    starts = (np.array([0, yaw, roll, 0, 0, 0], np.float64) for yaw in (0.0, 0.9, -0.9))
    return view(min((least_squares(misses, start, method="lm") for start in starts), key=lambda found: found.cost).x)
