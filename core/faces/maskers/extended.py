"""from landmarks, as components with the eyebrows raised, as in faceswap"""

from core.faces.contract import MaskerRequest
from core.faces.landmark_masker import LandmarkMasker


def create(request: MaskerRequest) -> LandmarkMasker:
    return LandmarkMasker("extended")
