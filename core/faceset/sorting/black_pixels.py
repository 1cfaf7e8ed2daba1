"""Share of fully black pixels, least first: faces at the border of their frame come last."""

from core.faceset.ranking import Choices, Ranking, by_value
from core.faceset.scores.features import Features

ALIASES = ("color-black",)


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "black_share", descending=False)
