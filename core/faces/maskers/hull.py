"""from landmarks, the hull of the DeepFaceLab format, which ends above the eyebrows"""

from core.faces.contract import MaskerRequest
from core.faces.landmark_masker import LandmarkMasker


def create(request: MaskerRequest) -> LandmarkMasker:
    return LandmarkMasker("hull")
