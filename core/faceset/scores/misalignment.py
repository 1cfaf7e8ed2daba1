"""How badly a face is aligned, from its landmarks and from how it looks beside the others."""

import numpy as np
from numpy.typing import NDArray

from core.faceset.scores.features import Features

# Where people start to throw faces out: an error of 1. Points of good faces leave 0.06 to 0.10 of their spread, shaken by 4 % of the face 0.26.
LIMITS = {"fit_error": 0.20, "skew": 0.35, "stretch": 0.45, "roll": np.radians(40), "residual": 0.01}
_CLIP = 10.0


def misalignment(features: Features) -> NDArray[np.float64]:
    """Error (n,) in units of the usual limit: below 1 is fine. NaN for pictures that are no faces.

    The largest of: landmarks that no view of a head explains; a head that is not level; mouth above the eyes; metadata that contradict each
    other; a picture that resembles the median picture of the set more when it is turned upside down.
    """
    faces = features.faces()
    parts = [np.abs(features[column]) / limit for column, limit in LIMITS.items()]
    parts.append(np.where(features["eye_mouth"] <= 0, 2.0, 0.0))
    parts.append(2.0 * (upside_down(features["thumb"], faces) > 0.1))
    return np.where(faces, np.clip(np.max(parts, axis=0), 0, _CLIP), np.nan)


def upside_down(thumbs: NDArray[np.uint8], faces: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How much better each thumbnail (n x s x s) correlates with the median face turned by half than with the median face, -2..2.

    The median withstands a minority of bad ones; with fewer than 8 faces nothing is said (0).
    """
    if np.count_nonzero(faces) < 8:
        return np.zeros(len(thumbs))
    sample = thumbs[faces][:: max(1, np.count_nonzero(faces) // 4000)]
    template = np.median(sample, axis=0)
    inner = slice(thumbs.shape[1] // 8, -thumbs.shape[1] // 8)
    flat = _normal(thumbs[:, inner, inner].reshape(len(thumbs), -1).astype(np.float32))
    upright, turned = (_normal(t[inner, inner].reshape(1, -1))[0] for t in (template, template[::-1, ::-1]))
    return (flat @ turned - flat @ upright).astype(np.float64)


def _normal(rows: NDArray) -> NDArray[np.float32]:
    centred = rows - rows.mean(axis=1, keepdims=True)
    return (centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)).astype(np.float32)
