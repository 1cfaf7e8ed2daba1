"""Turn of the head in its frame, clockwise first."""

from core.faceset.features import Features
from core.faceset.ranking import Choices, Ranking, by_value


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "tilt", descending=True, faces_only=True)
