"""Roll of the head in the aligned picture: faces that are not level are first and last."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "roll", descending=True, faces_only=True)
