"""Frames with several faces: the wrong one of two people is often in the film beside the right one."""

import re
from collections import defaultdict

from core.faceset.scores.features import Features
from core.faceset.sorting.ranking import Choices, Ranking, without

SEVERAL = "several faces in the frame"
_EXTRACTED = re.compile(r"(.+)_(\d+)$")


def one_face_a_frame(features: Features, choices: Choices) -> Ranking:
    """Reject every face of a frame that has several; without such frames nothing is renamed."""
    frames = defaultdict(list)
    for index, (name, source) in enumerate(zip(features.gallery.names, features["source_filename"], strict=True)):
        frames[str(source) or _frame_by_name(name)].append(index)
    crowded = [indices for indices in frames.values() if len(indices) > 1]
    rejected = {index: SEVERAL for indices in crowded for index in indices}
    return Ranking(without(rejected, len(features)), None, rejected, renumber=bool(rejected))


def _frame_by_name(name: str) -> str:
    """The frame of an image without metadata: 00012 for 00012_1.jpg, else the image itself."""
    match = _EXTRACTED.match(name.rsplit(".", 1)[0])
    return match.group(1) if match else name
