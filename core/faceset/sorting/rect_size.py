"""Size of the face in its frame (the detector's box), largest first."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features

NUMBER = 4
ALIASES = ("face-source-rect-size",)


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "rect_area", descending=True, faces_only=True)
