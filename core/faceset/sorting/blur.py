"""Sharpness of the face (CPBD), sharpest first."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features

NUMBER = 0


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "cpbd", descending=True, faces_only=True, zero_is="no sharpness to measure")
