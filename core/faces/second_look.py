"""The points of faces in which the mesh network is not to be believed at first sight: profiles, blurred, covered ones.

Measured on heads turned in three dimensions (``docs/accuracy.md``): the network says "not a face" to most profiles and
to many blurred faces, although its points are right for nearly all but the profiles when the square that it sees is
tight and upright. So it is asked again in squares that the detector's five points tell, and believed as far as its
points agree with them. Where they do not, as in profiles beyond some 70 degrees, a mean head in the pose of the five
points stands in: the crop is right even where single points are not, and the origin of the face says so.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.faces import blaze_net, orientation
from core.faces.contract import Landmarker
from core.faces.landmarkers.facemesh import FaceMesh, place_of
from core.faces.mesh_points import points_68
from core.geometry import landmarks as lm
from core.geometry.head_pose import View, fit_view, head_pose, head_turn, mean_angle, pose_of
from core.types import Face

Points = NDArray[np.float64]
FITTED = "fitted"  # in the origin of a face whose points are those of a mean head
SPARE = "fan2d"  # the origin of a face whose points another network found
_FLAG, _SURE = 0.5, 0.9  # of the mesh, for faces that stand upright in the frame and for others
_CLEAR = 0.75  # of the detector, below which a face is looked at again in any case
_DETECTOR, _BIAS = 1.8, 0.5  # the weight of the logit of the detector's confidence, and what is added
_MESH, _MESH_ASIDE = 1.5, 0.35  # that of the mesh's, which sees no face in most heads that are turned far
_ASIDE = math.radians(45)
_FIVE_APART = 0.14  # longer sides of the box: the mean distance of the five points from those of the mesh
# The detector's five points on the mean head: those of turned heads are nearer to a flat face than the true places.
_FIVE = np.array([(-0.217, -0.23, 0.02), (0.217, -0.23, 0.02), (0, 0.01, -0.12), (-0.184, 0.24, 0), (0.184, 0.24, 0)])
_WIDTH = 0.86  # of a face, in longer sides of the detector's box
_OFF = np.full(5, 0.03)  # widths of the face by which they miss, about
_LOOK = 160  # pixels of a look of the detector
_BLAZE = 2.0  # side of a look of the other detector, in longer sides of the box
_HEAD_START = 0.1  # of each detector: faces are upright more often than not
_TIGHT = (1.0, 1.2)  # sides of the squares around the box in which the roll is looked for, in its longer sides
_MARGINS = (1.2, 1.35)  # of those around the head
_USUAL = 1.5  # side of the square that the network was trained for, in longer sides of the mesh
_ALIKE = 0.02  # looks that agree with the five points nearly as well as the best one count in the mean
_TILTED = math.radians(6)
_AGREES, _MESH_SAYS = 0.12, 2 / 3
_BLAZE_SAYS = 3  # how often its turn of a profile counts, that by the mesh once
_FAR = math.radians(35)
_HARDLY_SAME = math.radians(25)  # how much farther than the mesh the five points may see a head turned
# Beyond it the fitted head is nearer to the truth than the mesh, in its points and in its turn, and turns too little.
_BEYOND, _TOO_LITTLE = math.radians(55), 1.1
_FRONTAL = math.radians(22)
_FROM_FIVE = np.linalg.pinv(np.column_stack([_FIVE, np.ones(5)]))


class Seen(NamedTuple):
    """What a look of the mesh network gave.

    points: (68, 2). centre: of the box around the mesh. up: radians, the clockwise turn of the head in
    the image. flag: 0..1, that it is a face. apart: from the five points, mean distance in longer sides of the box.
    """

    points: Points
    centre: Points
    up: float
    flag: float
    apart: float


@dataclass(frozen=True)
class Found:
    """The points of a face, (68, 2). fitted: they are those of a mean head. pose: pitch, yaw, roll in radians.

    confidence: 0..1, that this is a face.
    """

    points: Points
    fitted: bool
    pose: tuple[float, float, float]
    confidence: float


def believed(face: Face) -> bool:
    """Whether the first points of a face, which Face Mesh found, are to be believed: it takes it for one, and the five
    points of the detector do not speak against it.
    """
    points = np.asarray(face.landmarks)
    if face.landmark_confidence < (_FLAG if abs(face.roll) < math.pi / 4 else _SURE):
        return False
    if face.confidence < _CLEAR or abs(head_pose(points)[1]) > _FAR:
        return False
    if face.five is None:
        return True
    five = np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0), points[30], points[48], points[54]])
    apart = np.linalg.norm(five - face.five, axis=1).mean() / float(max(face.box[2:] - face.box[:2]))
    return bool(apart < _FIVE_APART) and not _profile(face.five, points)


def _profile(five: Points, points: Points) -> bool:
    """Whether the detector's five points are those of a head turned much farther than the mesh says."""
    yaw = pose_of(_FROM_FIVE @ five)[1]
    return abs(yaw) > _FAR and abs(yaw - head_pose(points)[1]) > _HARDLY_SAME


def improved(mesh: FaceMesh, spare: Landmarker | None, image: NDArray[np.uint8], face: Face) -> Face:
    """The face with better points and confidence, where a second look finds them. spare: finds those of the others."""
    found = look_again(mesh, image, face)
    if found is None:
        # From near the detector sees nothing there, which hardly ever is so where a face is.
        sure = min(face.landmark_confidence, likely(0.0, face.landmark_confidence))
        return replace(face, landmark_confidence=sure)
    points, origin = found.points, face.origin
    if found.fitted and spare:
        points, origin = spare.landmarks(image, replace(face, roll=found.pose[2]))[0].astype(np.float64), SPARE
    elif found.fitted:
        origin = f"{face.origin}, {FITTED}"
    return replace(face, landmarks=points, landmark_confidence=found.confidence, origin=origin, pose=found.pose)


def look_again(mesh: FaceMesh, image: NDArray[np.uint8], face: Face) -> Found | None:
    """The points of a face whose first ones are not believed; None where the detector sees no face any more."""
    extent = float(max(face.box[2:] - face.box[:2]))
    roll = _upright(mesh, image, face, extent)
    looks = _both_ways(image, face.box, roll)
    if looks is None:
        return None
    view = fit_view((looks.one + looks.mirrored) / 2, _FIVE, _OFF, roll, _WIDTH * extent)
    seen = _meshes(mesh, image, view, extent)
    aside = abs(view.yaw) > _ASIDE and not _half(face, seen)
    flag = max(face.landmark_confidence, float(np.mean([each.flag for each in seen])))
    sure = likely(looks.confidence, flag, aside=aside)
    if aside and abs(view.yaw) > _BEYOND:
        return _fitted(_as_profile(image, _farther(view)), sure)
    nearest = min(each.apart for each in seen)
    if nearest <= _AGREES:
        good = [each for each in seen if each.apart <= nearest + _ALIKE]
        points = _settled(mesh, image, view, good, extent)
        return Found(points, False, _joined(head_pose(points), view), sure)
    if aside:
        return _fitted(_as_profile(image, view), sure)
    turn = math.remainder(mean_angle([each.up for each in seen]) - view.turn(), 2 * math.pi)
    return _fitted(view.turned(turn * _MESH_SAYS) if abs(turn) < math.pi / 4 else view, sure)


def _fitted(view: View, confidence: float) -> Found:
    return Found(view.landmarks(), True, (view.pitch, view.yaw, view.roll), confidence)


def _half(face: Face, seen: list[Seen]) -> bool:
    """Whether half of the face is covered: of it the detector takes the rest for a profile, but the mesh is sure of a
    head that looks into the camera.
    """
    flags = face.landmark_confidence, float(np.mean([each.flag for each in seen]))
    yaws = head_pose(np.asarray(face.landmarks))[1], float(np.mean([head_pose(each.points)[1] for each in seen]))
    return any(flag > _SURE and abs(yaw) < _FRONTAL for flag, yaw in zip(flags, yaws, strict=True))


def _settled(mesh: FaceMesh, image: NDArray[np.uint8], view: View, good: list[Seen], extent: float) -> Points:
    """The mean of two looks from as far as the network was trained for, or of the tight ones where those are nearer to
    the five points: a tight square makes the face a few per cent too small.
    """
    up = mean_angle([each.up for each in good])
    centre = np.mean([each.centre for each in good], axis=0)
    place = centre, _USUAL * view.square(up)[1], up
    last = [_seen(mesh, image, view, place, extent), _seen(mesh, _flipped(image), view, place, extent, mirrored=True)]
    worst = max(each.apart for each in good) + _ALIKE
    used = [each for each in last if each.apart <= worst] or good
    return np.mean([each.points for each in used], axis=0)


def likely(detector: float, mesh: float, *, aside: bool = False) -> float:
    """How sure it is that this is a face, 0..1, by the confidences of the detector in two close looks and of the mesh.

    aside: the five points are those of a head that is turned far, of which the mesh says less.

    Measured on turned, blurred and covered faces and on what the detector takes for faces in pictures without any. The
    other detector, the agreement of the looks and the fit of the points add nothing to these two.
    """
    odds = _DETECTOR * _logit(detector) + (_MESH_ASIDE if aside else _MESH) * _logit(mesh) + _BIAS
    return 1 / (1 + math.exp(-odds))


def _logit(probability: float) -> float:
    bounded = min(max(probability, 0.018), 0.982)
    return math.log(bounded / (1 - bounded))


def _upright(mesh: FaceMesh, image: NDArray[np.uint8], face: Face, extent: float) -> float:
    """The roll of the head in radians: which quarter by two detectors, and within it by the mesh, which follows a
    turned head best even where its points are wrong.
    """
    turns = [quarter * math.pi / 2 for quarter in range(4)]
    centre = (face.box[:2] + face.box[2:]) / 2
    first = [look.confidence for look in orientation.looks(image, face.box, turns, _LOOK)]
    second = [blaze_net.look(image, centre, _BLAZE * extent, turn).confidence for turn in turns]
    best = max(range(4), key=lambda n: first[n] + second[n] + 2 * _HEAD_START * (n == 0))
    roll = turns[best]
    for margins in (_TIGHT, _TIGHT[1:]):
        found = [mesh.look(image, centre, extent * margin, roll)[0] for margin in margins]
        up = mean_angle([head_turn(points_68(each[:, :2])) for each in found])
        apart = math.remainder(up - turns[best], 2 * math.pi)
        roll = turns[best] + max(-math.pi / 4, min(apart, math.pi / 4))
    return roll


class _BothWays(NamedTuple):
    """The detector's five points, (5, 2) each, of a face and of its mirror image; its mean confidence."""

    one: Points
    mirrored: Points
    confidence: float


def _both_ways(image: NDArray[np.uint8], box: NDArray, roll: float) -> _BothWays | None:
    """What the detector sees of the face turned upright, and of its mirror image; None unless it sees both."""
    width = image.shape[1]
    over = np.array([width - box[2], box[1], width - box[0], box[3]])
    (one,) = orientation.looks(image, box, [roll], _LOOK)
    (other,) = orientation.looks(_flipped(image), over, [-roll], _LOOK)
    if one.five is None or other.five is None:
        return None
    five = other.five[[1, 0, 2, 4, 3]]
    five[:, 0] = width - 1 - five[:, 0]
    return _BothWays(one.five, five, (one.confidence + other.confidence) / 2)


def _meshes(mesh: FaceMesh, image: NDArray[np.uint8], view: View, extent: float) -> list[Seen]:
    """Looks in squares of two sizes around the head as the five points tell it, and of their mirror images; once more
    where they say that it is turned otherwise.
    """
    flipped = _flipped(image)
    roll = view.turn()
    seen = []
    for _ in range(2):
        centre, side = view.square(roll)
        for margin in _MARGINS:
            seen.append(_seen(mesh, image, view, (centre, side * margin, roll), extent))
            seen.append(_seen(mesh, flipped, view, (centre, side * margin, roll), extent, mirrored=True))
        turn = math.remainder(mean_angle([each.up for each in seen]) - roll, 2 * math.pi)
        if not _TILTED < abs(turn) < math.pi / 4:
            break
        roll += turn
    return seen


def _seen(
    mesh: FaceMesh,
    image: NDArray[np.uint8],
    view: View,
    place: tuple[Points, float, float],
    extent: float,
    *,
    mirrored: bool = False,
) -> Seen:
    centre, side, roll = place
    width = image.shape[1]
    if mirrored:
        centre, roll = np.array([width - 1 - centre[0], centre[1]]), -roll
    found, flag = mesh.look(image, centre, side, roll)
    points = points_68(found[:, :2], mesh.version)
    middle, _ = place_of(found, roll)
    if mirrored:
        points, middle = lm.mirror(points, width), np.array([width - 1 - middle[0], middle[1]])
    apart = np.linalg.norm(points[17:] - view.landmarks()[17:], axis=1).mean() / extent
    return Seen(points, middle, head_turn(points), flag, float(apart))


def _flipped(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(image[:, ::-1])


def _as_profile(image: NDArray[np.uint8], view: View) -> View:
    """The view of a head that is turned far, turned in the image as the other detector says, and a little as before."""
    before = view.turn()
    centre, side = view.square(before)
    said = blaze_net.profile_turn(image, centre, side, before, left=view.yaw > 0)
    return view.turned(math.remainder(mean_angle([said] * _BLAZE_SAYS + [before]) - before, 2 * math.pi))


def _farther(view: View) -> View:
    """The view of a head that is turned far, turned as far as such heads are, about the middle of the five points."""
    yaw = math.copysign(min(abs(view.yaw) * _TOO_LITTLE, math.pi / 2), view.yaw)
    turned = replace(view, yaw=yaw)
    shift = view.project(_FIVE).mean(axis=0) - turned.project(_FIVE).mean(axis=0)
    return replace(turned, centre=turned.centre + shift)


def _joined(pose: tuple[float, float, float], view: View) -> tuple[float, float, float]:
    """The pose of the mesh, but for the yaw of faces that both see turned far: the mesh turns them too little."""
    pitch, yaw, roll = pose
    far = abs(yaw) > _FAR and abs(view.yaw) > abs(yaw) and yaw * view.yaw > 0
    return pitch, view.yaw if far else yaw, roll
