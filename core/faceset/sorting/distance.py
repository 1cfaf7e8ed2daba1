"""Distance of the landmarks from the average face, most ordinary first: bad alignments come last."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "distance", descending=False, faces_only=True)
