"""YuNet (the default): finds most faces, also small, turned and blurred ones, and is quick"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faces import orientation, yunet_net
from core.faces.contract import DetectorSettings, FloatArray
from core.faces.turns import boxes_back, roll_of, turned
from core.geometry.boxes import first_of_overlapping, intersection_over_smaller
from core.inference import packaged_weights
from core.types import Face

_CANDIDATE = 0.4  # a turned face has low confidence at first sight, so look again before judging
_TURNED = math.pi / 4
_CLEAR = 0.8  # without an upright face of such confidence, the faces of the frame may be turned
_NEARLY_UPRIGHT = math.pi / 3
# Larger images are searched in tiles, so that memory stays low; a face as large as what they share is whole in one.
_TILE, _SHARED = 1920, 384
_WHOLE = 640  # then the larger faces are found in the whole image
_NEAR = 256  # pixels of a closer look
_CLOSE_UP = 256  # a face that fills the frame is found when the frame is made small
_OVERLAP = 1 / 3  # of the smaller box: two that share more are one face


def create(settings: DetectorSettings) -> "YuNet":
    """Load the network.

    Raises:
        EnvironmentFault: its weights are not installed.
        CorruptFileError: they are not the ones that are trusted.
    """
    return YuNet(settings, packaged_weights.load(packaged_weights.YUNET).device)


@dataclass(frozen=True)
class YuNet:
    """See ``core.faces.contract.Detector``."""

    settings: DetectorSettings
    device: str

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        faces = self._seen(image, 0)
        upright = [face.confidence for face in faces if abs(face.roll) < _TURNED]
        all_clear = len(upright) == len(faces) and max(upright, default=0.0) >= _CLEAR
        if self.settings.rotations == "none" or (all_clear and self.settings.rotations == "auto"):
            return faces
        return self._search(image, faces)

    def _search(self, image: NDArray[np.uint8], first: list[Face]) -> list[Face]:
        """The faces of all four views. ``first`` are those of the upright one."""
        views = [first, *(self._seen(image, quarters) for quarters in (1, 2, 3))]
        if not any(views):
            views = [self._seen(image, quarters, _CLOSE_UP) for quarters in range(4)]
        faces = chain.from_iterable(views)
        fitting = chain.from_iterable(_nearly_upright(view, quarters) for quarters, view in enumerate(views))
        # A box fits where its face is seen nearly upright, so those come first; the others count where there are none.
        return _distinct(_best_first(fitting) + _best_first(faces))

    def _seen(self, image: NDArray[np.uint8], quarters: int, size: int = 0) -> list[Face]:
        """The faces in the image turned by quarters, best first. size: as in the settings, 0 for theirs.

        Each has a second look: which way up it is, and with what confidence. A face that is upright in the turned image
        keeps the better of both confidences.
        """
        rows = _candidates(image, quarters, size or self.settings.size)
        faces = [self._judged(image, row, quarters) for row in rows]
        return _best_first([face for face in faces if face.confidence >= self.settings.confidence])

    def _judged(self, image: NDArray[np.uint8], row: FloatArray, quarters: int) -> Face:
        box = row[:4].copy()
        look = orientation.find(image, box)
        if _confidence(look, row, quarters) < self.settings.confidence:
            # Covered and blurred faces are clearer from near; what is none hardly ever is.
            near = orientation.looks(image, box, [look.roll, roll_of(quarters)], _NEAR)
            look = max([look, *near], key=lambda each: each.confidence)
        return Face(box, _confidence(look, row, quarters), look.roll, five=look.five)


def _confidence(look: orientation.Look, row: FloatArray, quarters: int) -> float:
    """That of the look at a candidate, or of the first sight of it where that is the better one."""
    # The first sight was of the whole turned image, which is as good a view of a face that stands upright in it.
    upright = abs(_apart(look.roll, quarters)) < _TURNED
    return max(look.confidence, float(row[4])) if upright else look.confidence


def _nearly_upright(faces: list[Face], quarters: int) -> list[Face]:
    """Those that stand nearly upright in the image turned by quarters."""
    return [face for face in faces if abs(_apart(face.roll, quarters)) < _NEARLY_UPRIGHT]


def _best_first(faces: Iterable[Face]) -> list[Face]:
    return sorted(faces, key=lambda face: -face.confidence)


def _apart(roll: float, quarters: int) -> float:
    """The roll that a face has in the image turned by quarters, -pi..pi."""
    return math.remainder(roll - quarters * math.pi / 2, 2 * math.pi)


def _distinct(faces: list[Face]) -> list[Face]:
    """Each face once, where it comes first."""
    boxes = np.array([face.box for face in faces]).reshape(-1, 4)
    return [faces[i] for i in first_of_overlapping(boxes, _OVERLAP, intersection_over_smaller)]


def _candidates(image: NDArray[np.uint8], quarters: int, size: int) -> FloatArray:
    """Candidates (n, 15) in the image turned by quarters: boxes in the image as given, points left turned."""
    rows = _upright_candidates(turned(image, quarters), size)
    rows[:, :4] = boxes_back(rows[:, :4], quarters, *image.shape[:2])
    return rows


def _upright_candidates(image: NDArray[np.uint8], size: int) -> FloatArray:
    """Candidates (n, 15), in pixels of the image, that the network sees when the longer side is ``size`` pixels."""
    scale = min(1.0, size / max(image.shape[:2]))
    small = image
    if scale < 1:
        height, width = (max(round(side * scale), 1) for side in image.shape[:2])
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    rows = yunet_net.merged(np.concatenate([_in_tile(small, corner) for corner in _tiles(small.shape)]))
    rows[:, :4] /= scale
    rows[:, 5:] /= scale
    if max(small.shape[:2]) > _TILE:
        rows = yunet_net.merged(np.concatenate([rows, _upright_candidates(image, _WHOLE)]))
        # The part of a face at the rim of a tile lies in the whole face.
        rows = rows[first_of_overlapping(rows[:, :4], _OVERLAP, intersection_over_smaller)]
    return rows


def _tiles(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """(top, left) of the tiles in which an image is searched: one, but for those of more than ``_TILE`` pixels."""
    starts = []
    for side in shape[:2]:
        count = 1 if side <= _TILE else math.ceil((side - _SHARED) / (_TILE - _SHARED))
        starts.append(np.linspace(0, max(side - _TILE, 0), count).astype(int).tolist())
    return [(top, left) for top in starts[0] for left in starts[1]]


def _in_tile(image: NDArray[np.uint8], corner: tuple[int, int]) -> FloatArray:
    """The candidates (n, 15) in a tile, in pixels of the image."""
    top, left = corner
    tile = image[top : top + _TILE, left : left + _TILE]
    # The rim is black and on the far sides only, so that no coordinate shifts.
    bottom, right = (-side % yunet_net.MULTIPLE for side in tile.shape[:2])
    padded = cv2.copyMakeBorder(tile, 0, bottom, 0, right, cv2.BORDER_CONSTANT)
    rows = yunet_net.candidates(padded[None], _CANDIDATE)[0]
    rows[:, [0, 2, *range(5, 15, 2)]] += left
    rows[:, [1, 3, *range(6, 15, 2)]] += top
    return rows
