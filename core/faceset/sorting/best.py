"""Best faces: keeps --count faces, spread over yaw and pitch, the sharpest of each."""

from core.faceset.best import best_faces
from core.faceset.ranking import Choices, Ranking
from core.faceset.scores.features import Features

NUMBER = 13
ALIASES = ("final", "best-faces", "final-by-blur")


def rank(features: Features, choices: Choices) -> Ranking:
    return best_faces(features, choices, features["cpbd"])
