"""A picture of one track before and after smoothing: curves of place, size, turn, an eye and the mouth."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faceset.tracks import motion as moving
from core.fsio import write_bytes
from core.imaging.codec import encode_png
from core.imaging.drawing import draw_text
from core.safe_paths import own_folder
from core.workspace import Side

Floats = NDArray[np.float64]
_WIDTH, _HEIGHT, _MARGIN, _TITLE = 1600, 200, 12, 24
_FRAMES = 200  # more would hide the trembling
_BACKGROUND, _INK, _BEFORE, _AFTER = 40, (235, 235, 235), (90, 90, 230), (120, 230, 120)


def write_motion_plot(side: Side, time: Floats, before: Floats, after: Floats, frames: Sequence[str]) -> Path:
    """Write ``aligned_views/smoothing.png``. time: (n,). before, after: landmarks (n, 68, 2). frames: n names."""
    title = f"before: red, after: green; {frames[0]} to {frames[-1]} of the longest track"
    header = np.full((_TITLE, _WIDTH, 3), _BACKGROUND, np.uint8)
    draw_text(header, title, (_MARGIN, _TITLE - 8), 0.5, _INK)
    panels = [
        _panel(name, time, old, new)
        for (name, old), new in zip(_curves(before).items(), _curves(after).values(), strict=True)
    ]
    own_folder(side.aligned_views)
    path = side.aligned_views / "smoothing.png"
    write_bytes(path, encode_png(np.vstack([header, *panels])))
    return path


def liveliest(points: Floats) -> slice:
    """The part of a track, landmarks (n, 68, 2), in which most moves, as long as the picture can show."""
    if len(points) <= _FRAMES:
        return slice(len(points))
    pace = np.abs(np.diff(moving.motion_of(points)[:, :2], axis=0)).sum(axis=1)
    start = int(np.convolve(pace, np.ones(_FRAMES - 1), mode="valid").argmax())
    return slice(start, start + _FRAMES)


def _curves(points: Floats) -> dict[str, Floats]:
    motion, shape = moving.split(points)
    return {
        "across, pixels": motion[:, 0],
        "down, pixels": motion[:, 1],
        "size, pixels": np.exp(motion[:, 2]),
        "turn, degrees": np.degrees(motion[:, 3]),
        "opening of an eye, % of the face": 100 * (shape[:, 41, 1] - shape[:, 37, 1]),
        "opening of the mouth, % of the face": 100 * (shape[:, 66, 1] - shape[:, 62, 1]),
    }


def _panel(name: str, time: Floats, before: Floats, after: Floats) -> NDArray[np.uint8]:
    panel = np.full((_HEIGHT, _WIDTH, 3), _BACKGROUND, np.uint8)
    low, high = min(before.min(), after.min()), max(before.max(), after.max())
    draw_text(panel, f"{name}: {low:.1f} to {high:.1f}", (_MARGIN, 16), 0.45, _INK)
    x = _MARGIN + (time - time[0]) / max(time[-1] - time[0], 1) * (_WIDTH - 2 * _MARGIN)
    for values, color in ((before, _BEFORE), (after, _AFTER)):
        y = _HEIGHT - _MARGIN - (values - low) / max(high - low, 1e-9) * (_HEIGHT - 3 * _MARGIN)
        line = np.column_stack([x, y]).round().astype(np.int32)
        cv2.polylines(panel, [line], False, color, 1, cv2.LINE_AA)
    return panel
