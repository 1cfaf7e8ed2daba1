"""Alignment error: landmarks far from any face, eyes below the mouth, a picture unlike the others; best first."""

from core.faceset.ranking import Choices, Ranking, not_faces, ordered, without
from core.faceset.scores.features import Features
from core.faceset.scores.misalignment import misalignment

ALIASES = ("alignment-error",)


def rank(features: Features, choices: Choices) -> Ranking:
    error = misalignment(features)
    rejected = not_faces(features)
    return Ranking(ordered(error, False, without(rejected, len(features))), error, rejected)
