"""Share of the face that its mask hides, least first; faces without a mask come last."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "obstruction", descending=False, faces_only=True)
