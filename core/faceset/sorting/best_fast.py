"""Best faces faster: the same with the size in the frame in place of sharpness."""

from core.faceset.best import best_faces
from core.faceset.ranking import Choices, Ranking
from core.faceset.scores.features import Features

NUMBER = 14
ALIASES = ("final-fast", "best-faces-faster", "final-by-size")


def rank(features: Features, choices: Choices) -> Ranking:
    return best_faces(features, choices, features["rect_area"])
