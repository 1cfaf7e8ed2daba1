"""What each method of the table does: one score of each face, or a function here, named in ``ALGORITHMS``."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.faceset.scores.duplicates import duplicate_groups
from core.faceset.scores.features import Features
from core.faceset.scores.misalignment import misalignment
from core.faceset.scores.persons import find_persons
from core.faceset.sorting.best import best_faces
from core.faceset.sorting.chain import histogram_chain, summed_distances
from core.faceset.sorting.methods import Method
from core.faceset.sorting.oneface import one_face_a_frame
from core.faceset.sorting.pixel_chain import pixel_chain
from core.faceset.sorting.ranking import Choices, Ranking, not_faces, ordered, without
from core.imaging.codec import decode_image


def rank(method: Method, features: Features, choices: Choices) -> Ranking:
    """Order all images of the gallery by a method."""
    if method.column:
        return _by_column(method, features)
    return ALGORITHMS[method.name](features, choices)


def _by_column(method: Method, features: Features) -> Ranking:
    """Equal values keep the order of their names; faces without a value come last."""
    values = features[method.column].astype(np.float64)
    rejected = not_faces(features) if method.faces_only else {}
    if method.zero_is:
        rejected |= dict.fromkeys(np.flatnonzero(values == 0).tolist(), method.zero_is)
    return Ranking(ordered(values, method.descending, without(rejected, len(features))), values, rejected)


def _alignment(features: Features, choices: Choices) -> Ranking:
    error = misalignment(features)
    rejected = not_faces(features)
    return Ranking(ordered(error, False, without(rejected, len(features))), error, rejected)


def _best(features: Features, choices: Choices) -> Ranking:
    return best_faces(features, choices, features["cpbd"])


def _best_fast(features: Features, choices: Choices) -> Ranking:
    return best_faces(features, choices, features["rect_area"])


def _duplicates(features: Features, choices: Choices) -> Ranking:
    groups = duplicate_groups(features["thumb"])
    size = np.bincount(groups)[groups]
    # Those that resemble no other have no group to stay together with: they keep the order of their names.
    together = np.where(size > 1, groups, -1)
    # lexsort goes by its last key first.
    return Ranking(np.lexsort((np.arange(len(groups)), together, -size)), size.astype(np.float64))


def _histogram_similarity(features: Features, choices: Choices) -> Ranking:
    histograms = features["histogram"].reshape(len(features), 3, 256)
    # What cannot be decoded has no histogram, and is in no order: the caller rejects it.
    use = np.flatnonzero(features.readable())
    return Ranking(use[histogram_chain(histograms[use])])


def _histogram_dissimilarity(features: Features, choices: Choices) -> Ranking:
    values = summed_distances(features["masked_histogram"])
    return Ranking(ordered(values, True, np.arange(len(features))), values)


def _identity(features: Features, choices: Choices) -> Ranking:
    similarity = find_persons(features).similarity
    rejected = not_faces(features)
    return Ranking(ordered(similarity, True, without(rejected, len(features))), similarity, rejected)


def _original_name(features: Features, choices: Choices) -> Ranking:
    names = features["source_filename"]
    rejected = not_faces(features)
    order = sorted(without(rejected, len(features)).tolist(), key=lambda index: str(names[index]))
    return Ranking(np.array(order, np.intp), None, rejected)


def _persons(features: Features, choices: Choices) -> Ranking:
    found = find_persons(features)
    rejected = not_faces(features)
    candidates = without(rejected, len(features))
    unknown_last = np.where(found.labels < 0, found.labels.max() + 1, found.labels)
    # lexsort goes by its last key first: person by person.
    order = candidates[np.lexsort((-found.own[candidates], unknown_last[candidates]))]
    return Ranking(order, found.labels.astype(np.float64), rejected)


def _pixel_difference(features: Features, choices: Choices) -> Ranking:
    gallery = features.gallery
    use = np.flatnonzero(features.readable())

    def image(index: int) -> NDArray[np.uint8]:
        return decode_image(gallery.read(int(use[index])), gallery.names[use[index]])

    return Ranking(use[pixel_chain(image, len(use), choices.similar, gallery.folder.parent)])


ALGORITHMS: dict[str, Callable[[Features, Choices], Ranking]] = {
    "absdiff": _pixel_difference,
    "alignment": _alignment,
    "best": _best,
    "best-fast": _best_fast,
    "duplicates": _duplicates,
    "hist": _histogram_similarity,
    "hist-dissim": _histogram_dissimilarity,
    "identity": _identity,
    "oneface": one_face_a_frame,
    "origname": _original_name,
    "persons": _persons,
}
