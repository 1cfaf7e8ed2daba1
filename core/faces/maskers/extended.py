"""As components, with the eyebrows raised, as in faceswap; no weights needed."""

from core.faces.landmark_masker import LandmarkMasker
from core.faces.masking import MaskerRequest


def create(request: MaskerRequest) -> LandmarkMasker:
    return LandmarkMasker("extended")
