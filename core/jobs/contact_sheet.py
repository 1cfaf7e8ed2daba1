"""A contact sheet of an exported model: what the live program would show, without the live program."""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from core.faceset.store import Faceset
from core.imaging.codec import decode_image

_TITLES = ("source face", "target face", "swapped")
_HEADER = 28


def swap(session: onnxruntime.InferenceSession, face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put the model's face into an aligned target face (uint8 BGR, any square size), where both of its masks agree."""
    inputs = session.get_inputs()
    height, width = inputs[0].shape[1:3]
    small = cv2.resize(face, (width, height), interpolation=cv2.INTER_AREA)
    feed = {inputs[0].name: small[None].astype(np.float32) / 255}
    if len(inputs) == 2:
        feed[inputs[1].name] = np.array([1.0], np.float32)
    target_mask, swapped, swapped_mask = (output[0] for output in session.run(None, feed))
    mask = cv2.resize(np.minimum(target_mask, swapped_mask), face.shape[1::-1])[..., None]
    large = cv2.resize(swapped, face.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(face * (1 - mask) + large * 255 * mask, 0, 255).astype(np.uint8)


def contact_sheet(model: Path, source: Faceset, target: Faceset, rows: int, side: int) -> NDArray[np.uint8]:
    """``rows`` faces evenly spread over the facesets, as columns source, target, swapped of ``side`` pixels each (uint8 BGR)."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    lines = [_header(side)]
    for index in range(rows):
        ours, theirs = (_face(faces, index / rows, side) for faces in (source, target))
        lines.append(np.hstack([ours, theirs, swap(session, theirs)]))
    return np.vstack(lines)


def _face(faces: Faceset, position: float, side: int) -> NDArray[np.uint8]:
    index = int(position * len(faces))
    return cv2.resize(decode_image(faces.read(index), str(index)), (side, side), interpolation=cv2.INTER_AREA)


def _header(side: int) -> NDArray[np.uint8]:
    band = np.full((_HEADER, side * len(_TITLES), 3), 40, np.uint8)
    for column, title in enumerate(_TITLES):
        cv2.putText(
            band, title, (column * side + 8, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (235, 235, 235), 1, cv2.LINE_AA
        )
    return band
