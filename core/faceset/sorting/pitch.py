"""From looking up to looking down."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features

NUMBER = 3
ALIASES = ("face-pitch",)


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "pitch", descending=True, faces_only=True)
