"""Roll of the head in the aligned picture: faces that are not level are first and last."""

from core.faceset.features import Features
from core.faceset.ranking import Choices, Ranking, by_value


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "roll", descending=True, faces_only=True)
