"""OpenCV's Poisson cloning of a picture into another."""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def cloned(face: Picture, frame: Picture, mask: Picture, centre: tuple[int, int] | None = None) -> Picture:
    """``face`` cloned into ``frame``, its colors fitted to what is around the mask.

    face, mask: uint8 (h, w, 3) and (h, w). frame: uint8 (H, W, 3).
    centre: (x, y) in the frame where the middle of the mask's box comes to lie; None: where it is.

    Raises:
        cv2.error: the mask is empty or reaches out of the frame.
    """
    if centre is None:
        left, top, width, height = cv2.boundingRect(mask)
        centre = int(left + width / 2), int(top + height / 2)
    return np.asarray(cv2.seamlessClone(face, frame, mask, centre, cv2.NORMAL_CLONE), np.uint8)
