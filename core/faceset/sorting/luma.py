"""Colour: mean luma, brightest first."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features

ALIASES = ("color-luma",)


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "luma", descending=True)
