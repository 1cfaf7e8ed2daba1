"""MediaPipe Face Mesh (the default): finds 468 points in repeated looks at the face turned upright, and keeps 68"""

import math
import threading
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faces.mesh_points import VERSION, MeshPoints, points_68
from core.faces.orientation import crop_square
from core.geometry.align import invert, transform_points
from core.imaging.normalise import Normalisation, normalised
from core.inference import packaged_weights
from core.types import Face

Mesh = NDArray[np.float64]
_SIZE = 192
_MARGIN = 1.5  # side of the crop in longer sides of the face
_FEWEST_LOOKS, _MOST_LOOKS = 2, 6  # the first is at the detector's box, the others where the one before found the face
_SETTLED = math.radians(4)  # change of roll between two looks
_NO_FACE = 0.1  # more looks do not help where the confidence is below this
_OTHER_TURNS = (math.pi / 6, -math.pi / 6, math.pi)
# Reading failed once with "Unsupported operator type" while several threads read: they take turns, and the first read
# comes before any thread.
_READING = threading.Lock()
_POINTS, _FLAG = "conv2d_20", "conv2d_30"
_EYES = ((33, 133), (362, 263))  # outer and inner corner, subject's right eye first


def create(assets: Path | None = None, normalisation: Normalisation = "none") -> "FaceMesh":
    """Load the network. It comes with the program, so the assets of people are not looked at.

    Raises:
        EnvironmentFault: its weights are not installed.
        CorruptFileError: they are not the ones that are trusted.
    """
    made = FaceMesh(normalisation=normalisation)
    # Read now, so that missing weights are an error of create and not of the first face.
    made._net()
    return made


@dataclass(frozen=True)
class FaceMesh:
    """See ``core.faces.contract.Landmarker``. OpenCV networks are for one thread, so each thread has its own.

    version: of the way from the mesh to the 68 points.
    """

    device: str = "CPU"
    normalisation: Normalisation = "none"
    version: MeshPoints = VERSION
    _own: threading.local = field(default_factory=threading.local)

    def landmarks(self, image: NDArray[np.uint8], face: Face) -> tuple[NDArray[np.float32], float]:
        mesh, confidence = self.mesh(image, face)
        return points_68(mesh[:, :2], self.version).astype(np.float32), confidence

    def mesh(self, image: NDArray[np.uint8], face: Face) -> tuple[Mesh, float]:
        """All points of a face and the confidence, 0..1, that it is one.

        The points are (468, 3): x, y in pixels of the image, z of the same scale with the nose toward -z. Where it does
        not look like a face at the roll of the detector, other rolls are tried, and the best of all counts.
        """
        mesh, confidence = self._search(image, face, face.roll)
        for turn in _OTHER_TURNS:
            if confidence >= 0.5:
                break
            other, other_confidence = self._search(image, face, face.roll + turn)
            if other_confidence > confidence:
                mesh, confidence = other, other_confidence
        return mesh, confidence

    def _search(self, image: NDArray[np.uint8], face: Face, roll: float) -> tuple[Mesh, float]:
        """Repeated looks, each at the place and roll that the one before found."""
        centre, extent = (face.box[:2] + face.box[2:]) / 2, float(max(face.box[2:] - face.box[:2]))
        for look in range(1, _MOST_LOOKS + 1):
            mesh, confidence = self.look(image, centre, extent * _MARGIN, roll)
            found = _roll(mesh)
            settled = abs(math.remainder(found - roll, 2 * math.pi)) < _SETTLED
            if look >= _FEWEST_LOOKS and (settled or confidence < _NO_FACE):
                break
            centre, extent = place_of(mesh, found)
            roll = found
        return mesh, confidence

    def look(self, image: NDArray[np.uint8], centre: NDArray, side: float, roll: float) -> tuple[Mesh, float]:
        """What the network sees in the square with this centre and side, turned clockwise by ``roll``."""
        side = max(side, 1.0)
        crop, matrix = crop_square(image, centre, side=side, turn=roll, size=_SIZE)
        crop = normalised(crop, self.normalisation)
        rgb = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
        net = self._net()
        net.setInput(np.ascontiguousarray(rgb.transpose(2, 0, 1)[None]))
        output, flag = net.forward([_POINTS, _FLAG])
        # Beyond 50 the exponential says nothing new, and far beyond it overflows.
        logit = min(max(float(flag.ravel()[0]), -50.0), 50.0)
        confidence = 1 / (1 + math.exp(-logit))
        points = output.reshape(468, 3).astype(np.float64)
        depth = points[:, 2:] * (side / _SIZE)
        return np.concatenate([transform_points(points[:, :2], invert(matrix)), depth], axis=1), confidence

    def _net(self) -> "cv2.dnn.Net":
        if not hasattr(self._own, "net"):
            path = str(packaged_weights.locate(packaged_weights.FACEMESH))
            with _READING:
                # The newer engine of OpenCV 5 gives one of the two outputs only.
                self._own.net = cv2.dnn.readNetFromTFLite(path, cv2.dnn.ENGINE_CLASSIC)
        return self._own.net


def _roll(mesh: Mesh) -> float:
    """The clockwise turn of the line through the eyes, radians."""
    right, left = (mesh[list(eye), :2].mean(axis=0) for eye in _EYES)
    return math.atan2(left[1] - right[1], left[0] - right[0])


def place_of(mesh: Mesh, roll: float) -> tuple[NDArray[np.float64], float]:
    """Centre and longer side of the box around the mesh, a box that is turned by ``roll``."""
    cos, sin = math.cos(roll), math.sin(roll)
    upright = mesh[:, :2] @ np.array([[cos, -sin], [sin, cos]])
    low, high = upright.min(axis=0), upright.max(axis=0)
    centre = (low + high) / 2 @ np.array([[cos, sin], [-sin, cos]])
    return centre, float(max(high - low))
