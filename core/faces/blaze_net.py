"""The BlazeFace network (MediaPipe): a second opinion on whether a square shows a face, and which way up it is.

Its points follow a face that is turned in the image, also in profile; those of YuNet follow by less than half, and by a
tenth in profile.
"""

import math
import threading
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faces.orientation import crop_square
from core.geometry.align import invert, transform_points
from core.geometry.head_pose import mean_angle
from core.inference import packaged_weights

_SIZE = 128
_CELLS = ((8, 2), (16, 6))  # (stride, boxes of a cell), as published
_OUTPUTS = ["classificators", "regressors"]
_CENTRAL = 0.2  # of the square: how far off its middle the face may be
_ALIKE = 0.3  # of the box: places that are one face
# Where the network sees both eyes, nose, mouth and the near ear of an upright head that is turned to the image's
# left by 60 to 90 degrees: x right, y down, from their middle. The far ear may be anywhere.
_PROFILE = np.array([(-0.255, -0.316), (0.190, -0.157), (-0.279, 0.033), (-0.309, 0.331), (0.652, 0.109)])
_SEEN_LEFT, _SEEN_RIGHT = [0, 1, 2, 3, 5], [1, 0, 2, 3, 4]
_PROFILE_SIDES = (1.5, 2.0)  # of the looks at a profile, in longer sides of the head
_ROUNDS = 2
_OWN = threading.local()
# Networks are read one at a time: see core.faces.landmarkers.facemesh.
_READING = threading.Lock()


class Sight(NamedTuple):
    """The face in the middle of a square, and how sure it is, 0..1.

    points: float64 (6, 2), pixels of the image: the subject's right eye, left eye, nose, mouth, right ear and left ear;
    None where there is no face.
    """

    confidence: float
    points: NDArray[np.float64] | None


def look(image: NDArray[np.uint8], centre: NDArray, side: float, turn: float) -> Sight:
    """What is seen in the square with this centre and side, turned clockwise by ``turn`` radians.

    Raises:
        EnvironmentFault: the weights are not installed.
        CorruptFileError: they are not the ones that are trusted.
    """
    crop, matrix = crop_square(image, centre, side=max(side, 1.0), turn=turn, size=_SIZE)
    rgb = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB).astype(np.float32) / 127.5 - 1
    net = _net()
    net.setInput(np.ascontiguousarray(rgb.transpose(2, 0, 1)[None]))
    logits, boxes = (np.asarray(output) for output in net.forward(_OUTPUTS))
    scores = 1 / (1 + np.exp(-np.clip(logits.ravel(), -50, 50)))
    places = boxes.reshape(-1, 16) / _SIZE
    centres = _ANCHORS + places[:, :2]
    central = np.flatnonzero(np.abs(centres - 0.5).max(axis=1) < _CENTRAL)
    if not len(central):
        return Sight(0.0, None)
    best = central[scores[central].argmax()]
    near = np.abs(centres[central] - centres[best]).max(axis=1) < _ALIKE * places[best, 2]
    alike = central[near & (scores[central] > scores[best] / 2)]
    points = _ANCHORS[alike, None] + places[alike, 4:].reshape(-1, 6, 2)
    mean = np.average(points, axis=0, weights=scores[alike])
    return Sight(float(scores[best]), transform_points(mean * _SIZE - 0.5, invert(matrix)))


def profile_turn(image: NDArray[np.uint8], centre: NDArray, side: float, turn: float, *, left: bool) -> float:
    """The clockwise turn in the image, radians, of the vertical of a head that is seen from the side.

    centre, side: of the square around the head. turn: where the search begins; it is the answer where nothing is seen.
    left: whether the head, were it upright, would look to the left of the image.
    """
    width = image.shape[1]
    flipped, over = np.ascontiguousarray(image[:, ::-1]), np.array([width - 1 - centre[0], centre[1]])
    for _ in range(_ROUNDS):
        turns = []
        for scale in _PROFILE_SIDES:
            points = look(image, centre, scale * side, turn).points
            mirrored = look(flipped, over, scale * side, -turn).points
            turns += [] if points is None else [_turn_of(points, left=left)]
            turns += [] if mirrored is None else [-_turn_of(mirrored, left=not left)]
        if not turns:
            break
        turn = mean_angle(turns)
    return turn


def _turn_of(points: NDArray[np.float64], *, left: bool) -> float:
    """The clockwise turn, radians, that brings the points of a profile nearest to these (6, 2)."""
    seen = points[_SEEN_LEFT if left else _SEEN_RIGHT]
    x, y = (seen - seen.mean(axis=0)).T
    shape_x, shape_y = (_PROFILE if left else _PROFILE * (-1, 1)).T
    return math.atan2(float(shape_x @ y - shape_y @ x), float(shape_x @ x + shape_y @ y))


def _anchors() -> NDArray[np.float64]:
    """The middle of the cell of each box, (896, 2), as parts of the square."""
    parts = []
    for stride, boxes in _CELLS:
        cells = _SIZE // stride
        y, x = np.mgrid[:cells, :cells]
        middles = (np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) / cells
        parts.append(np.repeat(middles, boxes, axis=0))
    return np.concatenate(parts)


_ANCHORS = _anchors()


def _net() -> "cv2.dnn.Net":
    """The network of this thread: those of OpenCV are for one thread."""
    if not hasattr(_OWN, "net"):
        path = str(packaged_weights.locate(packaged_weights.BLAZEFACE))
        with _READING:
            _OWN.net = cv2.dnn.readNetFromTFLite(path, cv2.dnn.ENGINE_CLASSIC)
    return _OWN.net
