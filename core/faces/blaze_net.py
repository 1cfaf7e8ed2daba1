"""The BlazeFace network (MediaPipe): a second opinion on whether a square shows a face, and which way up it is.

Its eyes follow a face that is turned in the image; those of YuNet follow by less than half.
"""

import math
import threading
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faces.orientation import crop_square
from core.inference import packaged_weights

_SIZE = 128
_CELLS = ((8, 2), (16, 6))  # (stride, boxes of a cell), as published
_OUTPUTS = ["classificators", "regressors"]
_CENTRAL = 0.2  # of the square: how far off its middle the face may be
_ALIKE = 0.3  # of the box: places that are one face
_OWN = threading.local()
# Networks are read one at a time: see core.faces.landmarkers.facemesh.
_READING = threading.Lock()


class Sight(NamedTuple):
    """The face in the middle of a square. confidence: 0..1. roll: radians, of the eyes, clockwise in the image."""

    confidence: float
    roll: float


def look(image: NDArray[np.uint8], centre: NDArray, side: float, turn: float) -> Sight:
    """What is seen in the square with this centre and side, turned clockwise by ``turn`` radians.

    Raises:
        EnvironmentFault: the weights are not installed.
        CorruptFileError: they are not the ones that are trusted.
    """
    crop, _ = crop_square(image, centre, side=max(side, 1.0), turn=turn, size=_SIZE)
    rgb = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB).astype(np.float32) / 127.5 - 1
    net = _net()
    net.setInput(np.ascontiguousarray(rgb.transpose(2, 0, 1)[None]))
    logits, boxes = (np.asarray(output) for output in net.forward(_OUTPUTS))
    scores = 1 / (1 + np.exp(-np.clip(logits.ravel(), -50, 50)))
    places = boxes.reshape(-1, 16) / _SIZE
    centres = _ANCHORS + places[:, :2]
    central = np.flatnonzero(np.abs(centres - 0.5).max(axis=1) < _CENTRAL)
    if not len(central):
        return Sight(0.0, turn)
    best = central[scores[central].argmax()]
    near = np.abs(centres[central] - centres[best]).max(axis=1) < _ALIKE * places[best, 2]
    alike = central[near & (scores[central] > scores[best] / 2)]
    eyes = np.average(places[alike, 6:8] - places[alike, 4:6], axis=0, weights=scores[alike])
    return Sight(float(scores[best]), math.remainder(turn + math.atan2(eyes[1], eyes[0]), 2 * math.pi))


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
