"""Evening out the light of a picture before a network looks at it, each colour channel alone."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Normalisation = Literal["none", "clahe", "hist", "mean"]


def normalised(image: NDArray[np.uint8], way: Normalisation) -> NDArray[np.uint8]:
    """The picture, uint8 H x W x C, with its light evened out; the very same for ``none``.

    way: ``clahe`` equalises in 4 x 4 tiles with a limit of contrast of 2, ``hist`` the whole, ``mean`` stretches the
    values to 0..255.
    """
    if way == "none":
        return image
    return np.dstack([_channel(np.ascontiguousarray(channel), way) for channel in np.moveaxis(image, 2, 0)])


def _channel(channel: NDArray[np.uint8], way: Normalisation) -> NDArray[np.uint8]:
    if way == "clahe":
        # Made anew each time: one is not for several threads.
        return cv2.createCLAHE(clipLimit=2.0, tileGridSize=(4, 4)).apply(channel)
    if way == "hist":
        return cv2.equalizeHist(channel)
    return cv2.normalize(channel, None, 0, 255, cv2.NORM_MINMAX)
