"""Share of fully black pixels, least first: faces at the border of their frame come last."""

from core.faceset.features import Features
from core.faceset.ranking import Choices, Ranking, by_value

ALIASES = ("color-black",)


def rank(features: Features, choices: Choices) -> Ranking:
    return by_value(features, "black_share", descending=False)
