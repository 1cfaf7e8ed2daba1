"""Brightness inside the face, brightest first: overexposed faces are first, underexposed ones last."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "luma_face", descending=True, faces_only=True)
