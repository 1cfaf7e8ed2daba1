"""from landmarks, a smooth outline of jaw and forehead"""

from core.faces.contract import MaskerRequest
from core.faces.landmark_masker import LandmarkMasker


def create(request: MaskerRequest) -> LandmarkMasker:
    return LandmarkMasker("whole")
