"""The faces of a picture: detect, mark, filter."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.faces import filters, second_look, shape_filters
from core.faces.contract import Detector, Landmarker
from core.faces.landmarkers.facemesh import FaceMesh
from core.faces.refeed import Looks, mark
from core.types import Face

_ONE_LOOK = Looks()


@dataclass(frozen=True)
class Finder:
    """Networks that find faces, and what a face must be. ``find`` may be called from several threads.

    looks: how often the points of a face are looked for.
    name: where the faces come from, as they remember it.
    second: look again at faces where Face Mesh, if that is the landmarker, is not to be believed.
    spare: finds the points of those that Face Mesh does not find then, either; None where there is none.
    """

    detector: Detector
    landmarker: Landmarker
    limits: filters.Limits
    looks: Looks = _ONE_LOOK
    name: str = "detector"
    second: bool = True
    spare: Landmarker | None = None

    def find(self, frame: str, image: NDArray[np.uint8]) -> tuple[list[Face], list[Face]]:
        """(the faces that pass all filters, largest first; the others, each with its reason), with their landmarks.

        frame: name of the picture.
        """
        found = [replace(face, frame=frame, origin=self.name) for face in self.detector.detect(image)]
        height, width = image.shape[:2]
        return filters.sift([self._mark(image, face) for face in found], height, width, self.limits)

    def _mark(self, image: NDArray[np.uint8], face: Face) -> Face:
        # One look at what is dropped for its size anyway, so that it can be taken back.
        height, width = image.shape[:2]
        unwanted = bool(filters.size_reason(face, height, width, self.limits))
        looks = _ONE_LOOK if unwanted else self.looks
        points, confidence = mark(self.landmarker, image, face, looks, self._passes(min(height, width)))
        marked = replace(face, landmarks=points, landmark_confidence=confidence)
        if unwanted or not self.second or not isinstance(self.landmarker, FaceMesh) or second_look.believed(marked):
            return marked
        return second_look.improved(self.landmarker, self.spare, image, marked)

    def _passes(self, shorter_side: int) -> Callable[[NDArray[np.float64]], bool]:
        return lambda points: not shape_filters.reason_of(points, shorter_side, self.limits.shape)
