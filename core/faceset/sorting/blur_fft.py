"""High frequencies of the face at 256 px, sharpest first."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "blur_fft", descending=True, faces_only=True)
