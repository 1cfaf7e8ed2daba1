"""What a detector, a landmarker and an embedder are. A plugin module has a one-line docstring and ``create``; its file name is its name.

    core/faces/detectors/<name>.py     create(settings: DetectorSettings) -> Detector
    core/faces/landmarkers/<name>.py   create() -> Landmarker
    core/faces/embedders/<name>.py     create() -> Embedder

What ``create`` returns is called from several threads at once, and gives the same answer for the same picture every time.
``device`` is where it really computes, for the report.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.types import Face

Rotations = Literal["auto", "all"]


@dataclass(frozen=True)
class DetectorSettings:
    """score: faces below it are not reported (0..1); size: the frame is looked at with this longer side (pixels);
    rotations: ``auto`` turns the frame by quarters where no face is clearly upright, or one is turned, ``all`` turns every frame."""

    score: float = 0.6
    size: int = 640
    rotations: Rotations = "auto"


class Detector(Protocol):
    """Finds faces at any angle in the picture plane, each once."""

    device: str

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """The faces of a uint8 H x W x 3 BGR picture, each with the roll of the head."""


class Landmarker(Protocol):
    """Finds the 68 points."""

    device: str

    def landmarks(self, image: NDArray[np.uint8], face: Face) -> tuple[NDArray[np.float32], float]:
        """The 68 points (float32, pixels of the picture) and how sure it is that this is a face: 0..1, 1 where it cannot tell."""


class Embedder(Protocol):
    """Turns a face into a vector; vectors of one person are close."""

    device: str

    def embed(self, image: NDArray[np.uint8], landmarks: NDArray) -> NDArray[np.float32]:
        """A float32 vector of unit length for the face with these 68 points in the picture."""
