"""Text on images."""

import cv2
import numpy as np
from numpy.typing import NDArray


def draw_text(
    image: NDArray[np.uint8], text: str, corner: tuple[int, int], scale: float, color: tuple[int, int, int]
) -> None:
    """Write a line onto a BGR image; names of files may hold what is no text, of which OpenCV crashes.

    corner: (x, y), the lower left one of the first letter, pixels.
    scale: 1 is about 22 pixels high.
    """
    drawable = text.encode("utf-8", "replace").decode()
    cv2.putText(image, drawable, corner, cv2.FONT_HERSHEY_SIMPLEX, scale, color, 1, cv2.LINE_AA)
