"""The color transfers of DeepFaceLab's merger. Images are float32 H x W x 3, BGR, 0..1; areas H x W x 1."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging import color

Array = NDArray[Any]  # float32

_SOT_DRAWS, _MIX_DRAWS = 300, 50
_GREY = 100  # the lightness, as a code of 8 bits, that mix gives both images while it matches their colors


def transferred(name: str, face: Array, target: Array, area: Array, draws: NDArray) -> Array:
    """``face`` with the colors of ``target``.

    name: one of ``core.merge.dfl.settings.COLOR_TRANSFERS``.
    draws: as of :func:`drawn`.
    area: about 0 or 1, where the face is; names with -m black out the rest before anything is measured.
    """
    if name == "none":
        return face
    if name == "rct":
        return color.reinhard(face, target, area[..., 0] >= 0.5)
    if name.endswith("-m"):
        face, target = face * area, target * area
    if name == "mix-m":
        return _mixed(face, target, draws)
    return np.clip(_PLAIN[name.removesuffix("-m")](face, target, draws), 0, 1).astype(np.float32)


_PLAIN = {
    "lct": lambda face, target, draws: color.linear(face, target),
    "mkl": lambda face, target, draws: color.monge_kantorovich(face, target),
    "idt": lambda face, target, draws: color.iterative_distribution(face, target, draws),
    "sot": lambda face, target, draws: color.sliced_transport(face, target, draws),
}


def drawn(name: str, seed: int) -> NDArray:
    """The random numbers that a color transfer needs, always the same for a seed; empty for most."""
    random = np.random.RandomState(seed)
    if name.startswith("idt"):
        return color.random_rotations(random)
    if name in ("sot-m", "mix-m"):
        return color.random_directions(random, _SOT_DRAWS if name == "sot-m" else _MIX_DRAWS)
    return np.empty(0)


def histogram_matched(face: Array, target: Array, threshold: float) -> Array:
    """``face`` with the histogram of ``target`` in each channel; unequal values stay unequal, no bins are made.

    threshold: 0..255; the face's brightest value becomes that of the target at this part of 255.
    """
    channels = [_matched_channel(face[..., i], target[..., i], threshold) for i in range(face.shape[2])]
    return np.stack(channels, axis=-1).astype(np.float32)


def _matched_channel(face: Array, target: Array, threshold: float) -> NDArray[np.float64]:
    _, place, counts = np.unique(face, return_inverse=True, return_counts=True)
    values, target_counts = np.unique(target, return_counts=True)
    share = threshold * np.cumsum(counts).astype(np.float64) / face.size
    target_share = 255 * np.cumsum(target_counts).astype(np.float64) / target.size
    return np.interp(share, target_share, values)[place].reshape(face.shape)


def _mixed(face: Array, target: Array, draws: NDArray) -> Array:
    """Lightness by mean and deviation, color by sliced transport between two images of one lightness. In 8 bits."""
    face_lab, target_lab = (cv2.cvtColor(_eight_bits(x * 255), cv2.COLOR_BGR2LAB) for x in (face, target))
    lightness = _linear_channel(face_lab[..., 0] / np.float32(255), target_lab[..., 0] / np.float32(255))
    face_lab[..., 0] = target_lab[..., 0] = _GREY
    face_grey, target_grey = (cv2.cvtColor(x, cv2.COLOR_LAB2BGR).astype(np.float32) for x in (face_lab, target_lab))
    matched = color.sliced_transport(face_grey, target_grey, draws)
    lab = cv2.cvtColor(_eight_bits(matched), cv2.COLOR_BGR2LAB)
    lab[..., 0] = _eight_bits(lightness * 255)
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR), np.float32) / 255


def _linear_channel(face: Array, target: Array) -> Array:
    root_f, root_t = (np.sqrt(x.astype(np.float64).var() + 1e-5) for x in (face, target))
    return ((face - face.mean(dtype=np.float64)) * (root_t / root_f) + target.mean(dtype=np.float64)).astype(np.float32)


def _eight_bits(values: Array) -> NDArray[np.uint8]:
    return np.clip(values, 0, 255).astype(np.uint8)
