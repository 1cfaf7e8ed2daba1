"""Person by person, the one with most faces first; within a person the most typical faces first."""

import numpy as np

from core.faceset.persons import find_persons
from core.faceset.ranking import Choices, Ranking, not_faces, without
from core.faceset.scores.features import Features

ALIASES = ("clusters",)


def rank(features: Features, choices: Choices) -> Ranking:
    found = find_persons(features)
    rejected = not_faces(features)
    candidates = without(rejected, len(features))
    last = np.where(found.labels < 0, found.labels.max() + 1, found.labels)
    order = candidates[np.lexsort((-found.own[candidates], last[candidates]))]
    return Ranking(order, found.labels.astype(np.float64), rejected)
