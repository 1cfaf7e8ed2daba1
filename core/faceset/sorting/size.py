"""Edge of the face square in its frame, from the landmarks, largest first."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "size", descending=True, faces_only=True)
