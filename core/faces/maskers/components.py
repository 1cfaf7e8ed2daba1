"""The union of the face's parts as in faceswap; no weights needed."""

from core.faces.landmark_masker import LandmarkMasker
from core.faces.masking import MaskerRequest


def create(request: MaskerRequest) -> LandmarkMasker:
    return LandmarkMasker("components")
