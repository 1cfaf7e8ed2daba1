"""Where the nose points, from the left of the picture to the right."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features

NUMBER = 2
ALIASES = ("face-yaw",)


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "yaw", descending=True, faces_only=True)
