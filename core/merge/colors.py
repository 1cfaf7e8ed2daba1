"""The colors of a swapped face fitted to those of the film, measured under the mask. Images are float32, BGR, 0..1."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging import color, color_statistics
from core.merge.dfl import colors as dfl
from core.merge.faceswap.settings import Balance
from core.merge.settings import MergeSettings
from core.merge.statistics import FaceColors

Array = NDArray[Any]  # float32

_FEWEST = 16  # pixels to measure colors of
_VISIBLE = 1 / 255
# Hair, and what else is not skin, would tint brows and lips: left out is what is farther from the median, in any
# channel, than so many deviations, which are estimated from the median deviation (1.4826 of it in a normal spread).
_FARTHEST = 2.5 * 1.4826
_ENOUGH = 4096  # pixels for a median
# Conversions of float images, there and back, and the lowest value and the range of each channel there.
_SPACES = {
    "RGB": (cv2.COLOR_BGR2RGB, cv2.COLOR_RGB2BGR, (0, 0, 0), (1, 1, 1)),
    "HSV": (cv2.COLOR_BGR2HSV, cv2.COLOR_HSV2BGR, (0, 0, 0), (360, 1, 1)),
    "LAB": (cv2.COLOR_BGR2LAB, cv2.COLOR_LAB2BGR, (0, -127, -127), (100, 254, 254)),
    "YCrCb": (cv2.COLOR_BGR2YCrCb, cv2.COLOR_YCrCb2BGR, (0, 0, 0), (1, 1, 1)),
}


def measured(face: Array, target: Array, mask: Array, settings: MergeSettings) -> FaceColors | None:
    """What the color transfer of the settings goes by; None where too little is seen.

    Arguments as of :func:`recolored`. The transfer is one of ``core.imaging.color_statistics``.
    """
    seen = mask > _VISIBLE
    if seen.sum() < _FEWEST:
        return None
    return FaceColors(settings.color, _statistics(settings.color, face[seen], target[seen]))


def _statistics(name: str, pixels: Array, wanted: Array) -> Array:
    """Those of the usual pixels of the face of the model, and of the face of the film, (2, 12)."""
    return np.array([color_statistics.statistics(name, _usual(each)) for each in (pixels, wanted)])


def _usual(pixels: Array) -> Array:
    """The pixels (n, 3) without outliers; all of them where few are alike."""
    lab = cv2.cvtColor(pixels[None], cv2.COLOR_BGR2LAB)[0]
    some = lab[:: 1 + len(lab) // _ENOUGH]
    middle = np.median(some, axis=0)
    spread = np.median(np.abs(some - middle), axis=0)
    usual = (np.abs(lab - middle) <= _FARTHEST * spread).all(axis=1)
    return pixels[usual] if 2 * usual.sum() > len(pixels) else pixels


def recolored(
    face: Array, target: Array, mask: Array, settings: MergeSettings, seed: int, known: FaceColors | None = None
) -> Array:
    """``face`` (S, S, 3) with the colors of ``target``, the face of the film in the same square.

    mask: (S, S); only pixels that will be seen are measured and changed.
    seed: of idt, sot and mix; the same for all frames of a shot keeps them from flickering.
    known: what was measured already, for the same transfer.
    """
    seen = mask > _VISIBLE
    if settings.color == "none" or seen.sum() < _FEWEST:
        return face
    out = face.copy()
    if known is None:
        changed = _changed(settings.color, face, target, seen, settings, seed)
    else:
        changed = color_statistics.moved(known.color, face[seen], *known.values)
    out[seen] = np.clip(changed, 0, 1)
    if settings.color_strength < 1:
        out = face + (out - face) * np.float32(settings.color_strength)
    return out


def matched(face: Array, target: Array, mask: Array, percent: float) -> Array:
    """``face`` with the histograms of ``target``, both where ``mask`` is seen. percent: 100 for all of the range."""
    seen = mask > _VISIBLE
    if seen.sum() < _FEWEST:
        return face
    out = face.copy()
    out[seen] = dfl.histogram_matched(face[seen][None], target[seen][None], percent * 2.55)[0]
    return out


def _changed(
    name: str, face: Array, target: Array, seen: NDArray[np.bool_], settings: MergeSettings, seed: int
) -> Array:
    """The seen pixels, (n, 3)."""
    if name in ("sot", "mix"):
        # Both smooth their change over the picture, so that they need it whole.
        area = seen[..., None].astype(np.float32)
        return dfl.transferred(f"{name}-m", face, target, area, dfl.drawn(f"{name}-m", seed))[seen]
    pixels, wanted = face[seen], target[seen]
    if name in color_statistics.MODES:
        return color_statistics.moved(name, pixels, *_statistics(name, pixels, wanted))
    if name == "match-hist":
        return dfl.histogram_matched(pixels[None], wanted[None], settings.hist_threshold * 2.55)[0]
    if name == "manual-balance":
        return balanced(pixels[None], settings.balance)[0]
    return color.transfer(name, pixels[None], wanted[None], np.random.RandomState(seed))[0]


def balanced(image: Array, balance: Balance) -> Array:
    """Channels of a color space moved toward their end (above 0) or toward their start, then contrast, brightness."""
    there, back, lowest, ranges = _SPACES[balance.color_space]
    start, length = np.array(lowest, np.float32), np.array(ranges, np.float32)
    x = (cv2.cvtColor(image, there) - start) / length
    amounts = np.array(balance.balance, np.float32) / 100
    x = np.where(amounts >= 0, x + (1 - x) * amounts, x * (1 + amounts))
    out = np.asarray(cv2.cvtColor((x * length + start).astype(np.float32), back), np.float32)
    factor = np.float32(1 + balance.contrast / 100)
    return np.clip((out - 0.5) * factor + 0.5 + np.float32(balance.brightness / 200), 0, 1)
