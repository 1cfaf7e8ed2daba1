"""Text on images."""

import cv2
import numpy as np
from numpy.typing import NDArray

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_text(
    image: NDArray[np.uint8], text: str, corner: tuple[int, int], scale: float, color: tuple[int, int, int]
) -> None:
    """Write a line onto a BGR image; names of files may hold what is no text, of which OpenCV crashes.

    corner: (x, y), the lower left one of the first letter, pixels.
    scale: 1 is about 22 pixels high.
    """
    cv2.putText(image, _drawable(text), corner, _FONT, scale, color, 1, cv2.LINE_AA)


def text_width(text: str, scale: float) -> int:
    """How many pixels ``draw_text`` needs for a line."""
    return int(cv2.getTextSize(_drawable(text), _FONT, scale, 1)[0][0])


def wrapped(text: str, width: int, scale: float) -> list[str]:
    """The whole text in lines of at most ``width`` pixels, broken at spaces, and inside of words that are longer."""
    lines = [""]
    for word in text.split():
        candidate = f"{lines[-1]} {word}".strip()
        if text_width(candidate, scale) <= width:
            lines[-1] = candidate
            continue
        pieces = _broken(word, width, scale)
        lines = [*lines, *pieces] if lines[-1] else pieces
    return lines if lines[0] else []


def _broken(word: str, width: int, scale: float) -> list[str]:
    """A word in pieces that fit; a single letter always does."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and text_width(pieces[-1] + letter, scale) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _drawable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
