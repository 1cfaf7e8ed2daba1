"""Turn of the head in its frame, clockwise first."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "tilt", descending=True, faces_only=True)
