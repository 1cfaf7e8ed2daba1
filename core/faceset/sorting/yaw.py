"""Where the nose points, from the left of the picture to the right."""

from core.faceset.features import Features
from core.faceset.ranking import Choices, Ranking, by_value

NUMBER = 2
ALIASES = ("face-yaw",)


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "yaw", descending=True, faces_only=True)
