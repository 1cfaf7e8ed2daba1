"""The badge: a word burnt into a corner of the picture, which says to everybody who sees it what it is."""

from functools import lru_cache

import numpy as np

from core.imaging.drawing import draw_text, text_width
from core.live.frames import Image

TEXT = "synthetic"
_SHARE = 0.045  # of the picture's height
_LEAST = 12  # px
_FONT_HEIGHT = 22  # px, of scale 1


def with_badge(image: Image) -> Image:
    """A copy with the badge in its lower left corner. image: uint8 (H, W, 3)."""
    out = image.copy()
    badge = _badge(image.shape[0])[: image.shape[0], : image.shape[1]]
    out[image.shape[0] - badge.shape[0] :, : badge.shape[1]] = badge
    return out


@lru_cache(maxsize=8)
def _badge(height: int) -> Image:
    """White letters on black, opaque, for pictures of this height."""
    letters = max(round(height * _SHARE), _LEAST)
    scale = letters / _FONT_HEIGHT * 0.8
    pad = letters // 3
    patch = np.zeros((letters + 2 * pad, text_width(TEXT, scale) + 2 * pad, 3), np.uint8)
    draw_text(patch, TEXT, (pad, pad + round(letters * 0.75)), scale, (255, 255, 255))
    patch.flags.writeable = False
    return patch
