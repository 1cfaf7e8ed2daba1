"""The preview: training faces as they are, as the networks make them, swapped, and the swap in its place."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import fsio
from core.data.batches import TrainingBatch
from core.data.faces import as_floats
from core.formats.provenance import label_jpeg
from core.imaging.codec import encode_jpeg, to_uint8
from core.imaging.masks import pasted
from core.imaging.sheets import titled_sheet
from core.safe_paths import own_folder
from core.training.hooks.base import BaseHook
from core.training.kinds import KINDS
from core.training.objective.moving import moved_rows
from core.training.session import Session

ROWS = 4
_QUALITY = 92
# Of large faces there are fewer rows: the networks take their time for them.
_HIGHEST = 800
_MEAN_OF = 100


class Preview(BaseHook):
    """``preview/latest.jpg``, every so many iterations, at the first and at every save; and the history of it.

    every: iterations between images, 0 for saves only. history: keep every one under its iteration.
    """

    def __init__(self, folder: Path, every: int, history: bool):
        self._folder, self.every, self._history = folder, every, history
        self._drawn = -1

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        if session.iteration <= self._drawn:  # rolled back
            self._drawn = -1
        # The same faces in every preview, so that one sees progress; they are saved with the model.
        if session.sample is None:
            session.sample = sample_of(batch, KINDS[session.recipe.kind].sample_arrays)
        if session.iteration == 1 or (self.every and session.iteration % self.every == 0):
            self.draw(session)

    def at_save(self, session: Session) -> None:
        self.draw(session)

    def draw(self, session: Session) -> None:
        """Draw it now, unless it was drawn at this iteration."""
        if session.sample is None or self._drawn == session.iteration:
            return
        self._drawn = session.iteration
        jpeg = label_jpeg(encode_jpeg(sheet(session), _QUALITY))
        history = own_folder(self._folder, "history", session.folder.prefix)
        fsio.write_bytes(self._folder / "latest.jpg", jpeg, durable=False)
        if self._history:
            fsio.write_bytes(history / f"{session.iteration:07d}.jpg", jpeg, durable=False)


def sample_of(batch: TrainingBatch, arrays: int = 4) -> list[list[NDArray[np.float32]]]:
    """The faces of a batch that the previews show from now on.

    Returns [src, dst], each the first ``arrays`` of [warped, target, mask, eyes_mouth], float32 (n, R, R, C), n <= 4.
    """
    if batch.motion is not None:
        batch = moved_rows(batch, ROWS)
    kept = (batch.warped, batch.target, batch.mask, batch.eyes_mouth)[:arrays]
    # Copies: the arrays of a batch are views of memory that workers soon fill again.
    return [[as_floats(array[side, :ROWS]).copy() for array in kept] for side in (0, 1)]


def sheet(session: Session) -> NDArray[np.uint8]:
    """The columns with their titles, below a line on the model; uint8 BGR. Small faces are enlarged."""
    return titled_sheet([(title, to_uint8(faces)) for title, faces in columns(session)], headline(session))


def headline(session: Session) -> str:
    """Which model this is, where it stands, and its losses: the mean of the latest ones, for one alone is noise."""
    parts = [session.folder.prefix, f"iteration {session.iteration:,}"]
    if session.history:
        src, dst = np.mean(session.history[-_MEAN_OF:], axis=0)
        parts.append(f"loss src {src:.4f}, dst {dst:.4f}")
    if session.validation_losses:
        _, src, dst = session.validation_losses[-1]
        parts.append(f"held out src {src:.4f}, dst {dst:.4f}")
    return " | ".join(parts)


def columns(session: Session) -> list[tuple[str, NDArray[np.float32]]]:
    """(title, faces): src, src as made, dst, dst as made, the swap, for AMP in steps from dst to src; then its mask,
    and the swap pasted into the dst face by it.

    The inputs are unwarped. Returns (n, R, R, 3) BGR, 0..1; n is a row a sample.
    """
    src, dst = session.sample[0][1], session.sample[1][1]  # type: ignore[index]
    rows = min(ROWS, len(src), max(1, _HIGHEST // session.recipe.resolution))
    src, dst = src[:rows], dst[:rows]
    views = session.trainer.views(src, dst)
    # A morph of 1 is the whole swap, which views holds already.
    morphs = [morph for morph in KINDS[session.recipe.kind].morphs if morph < 1]
    between = [(f"{morph:.0%} source", session.trainer.views(src, dst, morph)["sd"]) for morph in morphs]
    masks = views["dd_mask"], views["sd_mask"]
    return [
        ("source", src),
        ("reconstruction", views["ss"]),
        ("target", dst),
        ("reconstruction", views["dd"]),
        *between,
        ("swap", views["sd"]),
        ("mask of the swap", np.repeat(masks[0] * masks[1], 3, axis=-1)),
        ("swap in place", pasted(dst, views["sd"], *masks)),
    ]
