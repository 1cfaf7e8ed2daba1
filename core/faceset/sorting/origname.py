"""Original file name: the way back to the order of the film."""

import numpy as np

from core.faceset.ranking import Choices, Ranking, not_faces, without
from core.faceset.scores.features import Features

NUMBER = 10
ALIASES = ("original-name",)


def rank(features: Features, choices: Choices) -> Ranking:
    names = features["source_filename"]
    rejected = not_faces(features)
    order = sorted(without(rejected, len(features)).tolist(), key=lambda i: str(names[i]))
    return Ranking(np.array(order, np.intp), None, rejected)
