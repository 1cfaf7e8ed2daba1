"""S3FD of DeepFaceLab: needs its S3FD.npy in the assets folder; --detect-score 0.5 finds what DeepFaceLab finds"""

from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faces import s3fd_decode
from core.faces.contract import DetectorSettings
from core.faces.turns import boxes_back, roll_of, turned
from core.inference import user_weights
from core.types import Face

# The limit of the original, and its order of turns: 0, 90, 270, 180 degrees.
_SMALLEST_IMAGE = 128
_TURNS = (0, 3, 1, 2)  # upright, then lying to either side, then upside down


def create(settings: DetectorSettings) -> "S3FD":
    """Load the network.

    Raises:
        InputError: its weights are missing, or are others.
        CorruptFileError: they are damaged.
    """
    network = user_weights.load(user_weights.S3FD, settings.assets)
    return S3FD(settings, network, network.device)


@dataclass(frozen=True)
class S3FD:
    """See ``core.faces.contract.Detector``. Images with a side under 128 pixels hold no faces.

    The roll is that of the first turn by quarters that shows a face; with ``rotations`` all, of the one that shows it
    with the highest confidence.
    """

    settings: DetectorSettings
    run: s3fd_decode.Run
    device: str

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        if min(image.shape[:2]) < _SMALLEST_IMAGE:
            return []
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        if self.settings.rotations == "none":
            return self._seen(rgb, 0)
        if self.settings.rotations == "all":
            return _distinct(list(chain.from_iterable(self._seen(rgb, quarters) for quarters in _TURNS)))
        # Each turn costs as much as the first, so the search ends with the first that shows a face.
        return next(filter(None, (self._seen(rgb, quarters) for quarters in _TURNS)), [])

    def _seen(self, rgb: NDArray[np.uint8], quarters: int) -> list[Face]:
        """The faces in the image turned by quarters, their boxes in the image as given."""
        settings = self.settings
        view = turned(rgb, quarters)
        boxes, confidences = s3fd_decode.find(self.run, view, settings.confidence, settings.size)
        boxes = boxes_back(boxes, quarters, *rgb.shape[:2]).astype(np.float32)
        roll = roll_of(quarters)
        # Rounding takes some confidences a little above 1.
        return [Face(box, min(float(value), 1.0), roll) for box, value in zip(boxes, confidences, strict=True)]


def _distinct(faces: list[Face]) -> list[Face]:
    """Each face once, where its confidence is highest."""
    if not faces:
        return []
    boxes = np.stack([face.box for face in faces])
    kept = s3fd_decode.distinct(boxes, np.array([face.confidence for face in faces]))
    return [faces[i] for i in kept]
