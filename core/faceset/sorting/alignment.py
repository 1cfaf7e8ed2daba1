"""Alignment error: landmarks far from any face, eyes below the mouth, a picture unlike the others; best first."""

from core.faceset.alignment import misalignment
from core.faceset.features import Features
from core.faceset.ranking import Choices, Ranking, not_faces, ordered, without

ALIASES = ("alignment-error",)


def rank(features: Features, choices: Choices) -> Ranking:
    error = misalignment(features)
    rejected = not_faces(features)
    return Ranking(ordered(error, False, without(rejected, len(features))), error, rejected)
