"""How badly a face is aligned, from its landmarks and from how it looks beside the others."""

import numpy as np
from numpy.typing import NDArray

from core.faceset.scores.features import Features

# Where people start to throw faces out, which is an error of 1. Of the spread of the landmarks the fit leaves 0.06 to
# 0.10 in good faces, and 0.26 in those shaken by 4 % of the face.
LIMITS = {"fit_error": 0.20, "skew": 0.35, "stretch": 0.45, "roll": np.radians(40), "residual": 0.01}
_LARGEST = 10.0
# What certain signs weigh: a mouth above the eyes, an image that is more like the others when it is turned.
_CERTAIN = 2.0
_CLEARLY_TURNED = 0.1
# With fewer faces their median says nothing; more than so many are not needed for it.
_LEAST_FACES, _ENOUGH_FACES = 8, 4000


def misalignment(features: Features) -> NDArray[np.float64]:
    """Error (n,) in units of the usual limit, 0..10: below 1 is fine. NaN for images that are no faces.

    The largest of: landmarks that no view of a head explains; a head that is not level; mouth above the eyes; metadata
    that contradict each other; an image that resembles the median image of the set more when it is turned upside down.
    """
    faces = features.faces()
    parts = [np.abs(features[column]) / limit for column, limit in LIMITS.items()]
    parts.append(np.where(features["eye_mouth"] <= 0, _CERTAIN, 0.0))
    parts.append(np.where(upside_down(features["thumb"], faces) > _CLEARLY_TURNED, _CERTAIN, 0.0))
    return np.where(faces, np.clip(np.max(parts, axis=0), 0, _LARGEST), np.nan)


def upside_down(thumbs: NDArray[np.uint8], faces: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How much better each thumbnail correlates with the median face turned by half than with the median face, -2..2.

    Of each image the mean with its mirror image counts, and only the inner quarter: light from one side, hair and what
    is behind a head differ more between frames than a brow differs from a chin.

    thumbs: uint8, n x s x s; faces: which of them are faces. The median withstands a minority of bad ones; with fewer
    than 8 faces nothing is said (0).
    """
    count = np.count_nonzero(faces)
    if count < _LEAST_FACES:
        return np.zeros(len(thumbs))
    inner = slice(thumbs.shape[1] // 4, -(thumbs.shape[1] // 4))
    halves = thumbs[:, inner, inner].astype(np.float32)
    halves += halves[:, :, ::-1]
    median = np.median(halves[faces][:: max(1, count // _ENOUGH_FACES)], axis=0)
    flat = _normal(halves.reshape(len(thumbs), -1))
    upright = _normal(median.reshape(1, -1))[0]
    # Symmetric as they are, half a turn is the same as top and bottom exchanged.
    turned = _normal(median[::-1].reshape(1, -1))[0]
    return (flat @ turned - flat @ upright).astype(np.float64)


def _normal(rows: NDArray) -> NDArray[np.float32]:
    """Rows with mean 0 and length 1, whose products are correlations."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    return (centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)).astype(np.float32)
