"""A smooth outline of jaw and forehead from landmarks; no weights needed."""

from core.faces.landmark_masker import LandmarkMasker
from core.faces.masking import MaskerRequest


def create(request: MaskerRequest) -> LandmarkMasker:
    return LandmarkMasker("whole")
