"""The landmark hull of the DeepFaceLab format, ends above the eyebrows; no weights needed."""

from core.faces.landmark_masker import LandmarkMasker
from core.faces.masking import MaskerRequest


def create(request: MaskerRequest) -> LandmarkMasker:
    return LandmarkMasker("hull")
