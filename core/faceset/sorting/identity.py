"""Likeness to the main person, most alike first: other people come last."""

from core.faceset.persons import find_persons
from core.faceset.ranking import Choices, Ranking, not_faces, ordered, without
from core.faceset.scores.features import Features

ALIASES = ("face",)


def rank(features: Features, choices: Choices) -> Ranking:
    similarity = find_persons(features).similarity
    rejected = not_faces(features)
    return Ranking(ordered(similarity, True, without(rejected, len(features))), similarity, rejected)
