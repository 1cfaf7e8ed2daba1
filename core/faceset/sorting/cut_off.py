"""Share of the face beyond the border of its frame, least first."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "cut_off", descending=False, faces_only=True)
