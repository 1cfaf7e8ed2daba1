"""YuNet (the default): the surest and among the quickest of those measured; small faces, profiles, blur"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faces import orientation, yunet_net
from core.faces.contract import DetectorSettings
from core.geometry.boxes import first_of_overlapping, intersection_over_smaller
from core.inference import packaged_weights
from core.types import Face

_CANDIDATE = 0.4  # a turned face scores low at first sight, so look again before judging
_TURNED = math.pi / 4
_CLEAR = 0.8  # without an upright face as sure as this, the faces of the frame may be turned
_NEARLY_UPRIGHT = math.pi / 3
_CLOSE_UP = 256  # a face that fills the frame is found when the frame is made small


def create(settings: DetectorSettings) -> "YuNet":
    """Loads the network. Raises EnvironmentFault or CorruptFileError when its weights are not what they should be."""
    return YuNet(settings, packaged_weights.load(packaged_weights.YUNET).device)


@dataclass(frozen=True)
class YuNet:
    """See ``core.faces.contract.Detector``."""

    settings: DetectorSettings
    device: str

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        faces = self._seen(image, 0)
        upright = [face.confidence for face in faces if abs(face.roll) < _TURNED]
        if self.settings.rotations == "all" or len(upright) < len(faces) or max(upright, default=0.0) < _CLEAR:
            return self._search(image, faces)
        return faces

    def _search(self, image: NDArray[np.uint8], first: list[Face]) -> list[Face]:
        """The faces of all four views. Each counts where it is seen nearly upright, for there its box fits; if there is no such view, anywhere."""
        views = [first, *(self._seen(image, quarters) for quarters in (1, 2, 3))]
        if not any(views):
            views = [self._seen(image, quarters, _CLOSE_UP) for quarters in range(4)]
        fitting = [
            face
            for quarters, faces in enumerate(views)
            for face in faces
            if abs(_apart(face.roll, quarters)) < _NEARLY_UPRIGHT
        ]
        return _distinct(_best_first(fitting) + _best_first([face for faces in views for face in faces]))

    def _seen(self, image: NDArray[np.uint8], quarters: int, size: int = 0) -> list[Face]:
        """The faces in the image turned by quarters, each with a second look: which way up, and how sure. A face that is upright
        there keeps the better of both scores."""
        faces = []
        for row in _look_turned(image, quarters, size or self.settings.size):
            score, roll = orientation.find(image, row[:4])
            faces.append(
                Face(
                    row[:4].copy(), max(score, float(row[4])) if abs(_apart(roll, quarters)) < _TURNED else score, roll
                )
            )
        return _best_first([face for face in faces if face.confidence >= self.settings.score])


def _best_first(faces: list[Face]) -> list[Face]:
    return sorted(faces, key=lambda face: -face.confidence)


def _apart(roll: float, quarters: int) -> float:
    return math.remainder(roll - quarters * math.pi / 2, 2 * math.pi)


def _distinct(faces: list[Face]) -> list[Face]:
    """Without those that share more than a third of the smaller box with an earlier one."""
    boxes = np.array([face.box for face in faces]).reshape(-1, 4)
    return [faces[i] for i in first_of_overlapping(boxes, 1 / 3, intersection_over_smaller)]


def _look(image: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
    """Candidates in an image looked at with ``size`` pixels on its longer side: boxes and points in the image's pixels."""
    scale = min(1.0, size / max(image.shape[:2]))
    small = image
    if scale < 1:
        small = cv2.resize(
            image,
            (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)),
            interpolation=cv2.INTER_AREA,
        )
    bottom, right = (-side % yunet_net.MULTIPLE for side in small.shape[:2])
    padded = cv2.copyMakeBorder(small, 0, bottom, 0, right, cv2.BORDER_CONSTANT)
    rows = yunet_net.merged(yunet_net.look(padded[None], _CANDIDATE)[0])
    rows[:, :4] /= scale
    rows[:, 5:] /= scale
    return rows


def _look_turned(image: NDArray[np.uint8], quarters: int, size: int) -> NDArray[np.float32]:
    """The same in the image turned counter-clockwise by quarters; boxes in the image as given (points are left turned)."""
    rows = _look(np.ascontiguousarray(np.rot90(image, quarters)) if quarters else image, size)
    height, width = image.shape[:2]
    left, top, right, bottom = rows[:, :4].T.copy()
    turned = {
        0: (left, top, right, bottom),
        1: (width - bottom, left, width - top, right),
        2: (width - right, height - bottom, width - left, height - top),
        3: (top, height - right, bottom, height - left),
    }[quarters]
    rows[:, :4] = np.stack(turned, axis=1)
    return rows
