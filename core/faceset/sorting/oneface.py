"""One face in a frame: frames with several faces go to the trash whole."""

import re
from collections import defaultdict

import numpy as np

from core.faceset.ranking import Choices, Ranking, without
from core.faceset.scores.features import Features

NUMBER = 11
SEVERAL = "several faces in the frame"
_EXTRACTED = re.compile(r"(.+)_(\d+)$")


def rank(features: Features, choices: Choices) -> Ranking:
    """Frames are told by the metadata, or, for pictures without, by names such as 00012_1.jpg. Without such frames nothing is renamed."""
    frames = defaultdict(list)
    for index, (name, source) in enumerate(zip(features.gallery.names, features["source_filename"], strict=True)):
        match = _EXTRACTED.match(name.rsplit(".", 1)[0])
        frames[str(source) or (match.group(1) if match else name)].append(index)
    rejected = {i: SEVERAL for indices in frames.values() if len(indices) > 1 for i in indices}
    order = without(rejected, len(features))
    return Ranking(np.asarray(order, np.intp), None, rejected, renumber=bool(rejected))
