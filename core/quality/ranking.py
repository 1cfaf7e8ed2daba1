"""Which faces came out best and worst: for people to look at."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import rankdata

from core.quality.metrics import BY_KEY

# What an eye sees in a single picture.
RANKED = ("identity", "points", "edge_merged", "mask_iou", "sharpness")


def ranked(values: Mapping[str, Mapping[str, float]], faces: Sequence[str]) -> list[str]:
    """The faces, the best first: by the mean of their places in each of the metrics; ties keep their order."""
    places = np.zeros(len(faces))
    for key in RANKED:
        known = values.get(key, {})
        if not known:
            continue
        worst = max(BY_KEY[key].loss(value) for value in known.values())
        # What could not be measured is as bad as the worst: a swap that is seen as no face has no points.
        losses = [BY_KEY[key].loss(known[face]) if face in known else worst for face in faces]
        places += rankdata(losses)
    return [faces[index] for index in np.argsort(places, kind="stable")]


def gains(
    before: Mapping[str, Mapping[str, float]], after: Mapping[str, Mapping[str, float]], faces: Sequence[str]
) -> list[str]:
    """The faces, those first that gained most from one model to the other, in deviations of each metric."""
    total = np.zeros(len(faces))
    for key in RANKED:
        old, new, loss = before.get(key, {}), after.get(key, {}), BY_KEY[key].loss
        known = [face in old and face in new for face in faces]
        change = np.array([loss(new[f]) - loss(old[f]) if k else 0.0 for f, k in zip(faces, known, strict=True)])
        total += change / max(float(change.std()), 1e-9)
    return [faces[index] for index in np.argsort(total, kind="stable")]


def chosen(order: Sequence[str], each: int) -> dict[str, list[str]]:
    """``each`` best, median and worst of faces in order; fewer where they would be shown twice."""
    each = max(1, min(each, len(order) // 3))
    middle = (len(order) - each) // 2
    parts = {"best": order[:each], "median": order[middle : middle + each], "worst": order[len(order) - each :]}
    # Of one or two faces there is no middle.
    return {name: list(part) for name, part in parts.items() if len(order) >= 3 or name == "best"}
