"""Absolute pixel difference: each picture is followed by the nearest one (--no-similar: the farthest)."""

import numpy as np

from core.faceset.pixel_chain import pixel_chain
from core.faceset.ranking import Choices, Ranking
from core.faceset.scores.features import Features
from core.imaging.codec import decode_image

NUMBER = 12


def rank(features: Features, choices: Choices) -> Ranking:
    gallery = features.gallery
    use = np.flatnonzero(features.readable())

    def picture(index: int) -> np.ndarray:
        return decode_image(gallery.read(int(use[index])), gallery.names[use[index]])

    return Ranking(use[pixel_chain(picture, len(use), choices.similar, gallery.folder.parent)])
