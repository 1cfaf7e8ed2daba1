"""SFace (the default): 128 numbers for each face; a cosine above about 0.45 means the same person"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.geometry.align import similarity_fit
from core.inference import packaged_weights

# Eyes, nose, corners of the mouth in the 112 x 112 crop that the network was trained on.
TEMPLATE = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)
_SIZE = 112


def create(assets: Path | None = None) -> "SFace":
    """Load the network. It comes with the program, so the assets of people are not looked at.

    Raises:
        EnvironmentFault: its weights are not installed.
        CorruptFileError: they are not the ones that are trusted.
    """
    return SFace(packaged_weights.load(packaged_weights.SFACE).device)


@dataclass(frozen=True)
class SFace:
    """See ``core.faces.contract.Embedder``."""

    device: str

    def embed(self, image: NDArray[np.uint8], landmarks: NDArray) -> NDArray[np.float32]:
        matrix = similarity_fit(five_points(np.asarray(landmarks, np.float64)), TEMPLATE)
        crop = cv2.warpAffine(image, matrix, (_SIZE, _SIZE), flags=cv2.INTER_LINEAR)
        rgb = np.ascontiguousarray(crop[None, :, :, ::-1].transpose(0, 3, 1, 2), dtype=np.float32)
        vector = packaged_weights.load(packaged_weights.SFACE)(rgb)[0][0]
        # A vector of zeros stays one; dividing by its length would give NaN, which spoils every comparison.
        return vector / max(float(np.linalg.norm(vector)), 1e-12)


def five_points(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The points of the template, (5, 2), among the 68."""
    return np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0), points[30], points[48], points[54]])
