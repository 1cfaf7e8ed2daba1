"""from landmarks, the union of the face's parts as in faceswap"""

from core.faces.contract import MaskerRequest
from core.faces.landmark_masker import LandmarkMasker


def create(request: MaskerRequest) -> LandmarkMasker:
    return LandmarkMasker("components")
