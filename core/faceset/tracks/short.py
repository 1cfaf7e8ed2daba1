"""Faces that are probably none: what is seen for a moment only, and never clearly."""

import numpy as np
from numpy.typing import NDArray

from core.faceset.database.brief import BriefFace
from core.types import Face

_REASON = "a track of only"


def short_tracks(
    track: NDArray[np.intp], confidence: NDArray[np.float64], min_length: int, sure: float
) -> NDArray[np.bool_]:
    """Which faces (n,) belong to a track of fewer than ``min_length`` faces, of which none has the confidence ``sure``.

    track: int (n,), 0, 1, ... confidence: (n,), of the detector, 0..1.
    """
    if not len(track):
        return np.zeros(0, bool)
    length = np.bincount(track)
    best = np.zeros(len(length))
    np.maximum.at(best, track, confidence)
    return ((length < min_length) & (best < sure))[track]


def short_reason(frames: int) -> str:
    """Why the faces of a short track were filtered."""
    return f"{_REASON} {frames} frame{'s' if frames != 1 else ''}"


def was_short(face: Face | BriefFace) -> bool:
    """Whether a face was filtered because its track was short."""
    return face.status == "filtered" and face.reason.startswith(_REASON)
