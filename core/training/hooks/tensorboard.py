"""Event files for TensorBoard: losses, timings, learning rate, previews. Needs ``tensorboardX``, and no TensorFlow."""

import importlib
import time
from pathlib import Path
from typing import Any

from core.data.batches import TrainingBatch
from core.errors import EnvironmentFault
from core.safe_paths import own_folder
from core.training.hooks.base import BaseHook
from core.training.kinds import KINDS
from core.training.session import Session

PACKAGE = "tensorboardX>=2.6.4,<3"
EVERY = 10
_MEANS = ("loss/src", "loss/dst", "time/ms", "time/wait_ms", "learning_rate")
_VALIDATION = ("held_out/src", "held_out/dst")
_RGB = 3


class TensorBoard(BaseHook):
    """Writes into ``folder``: means over ten iterations, new validation losses, the preview at saves.

    preview: the image file. start: the iteration that the run starts from; what lies after it is taken back.

    Raises:
        EnvironmentFault: the package is missing.
    """

    def __init__(self, folder: Path, preview: Path, start: int):
        try:
            self._library: Any = importlib.import_module("tensorboardX")
        except ImportError:
            raise EnvironmentFault(
                "event files for TensorBoard need the package tensorboardX",
                where="--tensorboard",
                hint=f"pip install '{PACKAGE}', or leave --tensorboard out",
            ) from None
        self._folder, self._preview = folder, preview
        self._open(start)

    def _open(self, start: int) -> None:
        self._done, self._validated, self._preview_time = start, start, 0.0
        self._rows: list[tuple[float, ...]] = []
        # The library names files by the second, and would write over the one that a rollback leaves.
        suffix = f".{time.time_ns()}"
        own_folder(self._folder)
        # Event files can only grow: purge_step tells the viewer which older values no longer hold.
        self._writer = self._library.SummaryWriter(str(self._folder), purge_step=start + 1, filename_suffix=suffix)

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        if session.known < self._done:  # rolled back
            self._writer.close()
            self._open(session.known)
        self._note(session)
        self._write_validation(session)

    def _note(self, session: Session) -> None:
        if session.known == self._done:
            return
        self._done = session.known
        self._rows.append((*session.history[-1], session.spent * 1000, session.waited * 1000))
        if self._done % EVERY == 0:
            self._write_means(session)

    def at_save(self, session: Session) -> None:
        self._note(session)
        self._write_validation(session)
        if self._rows:
            self._write_means(session)
        if self._preview.is_file() and self._preview.stat().st_mtime != self._preview_time:
            self._preview_time = self._preview.stat().st_mtime
            self._write_preview(session.iteration, self._preview.read_bytes())
        self._writer.flush()

    def at_end(self, session: Session) -> None:
        self._writer.close()

    def _write_means(self, session: Session) -> None:
        means = [sum(column) / len(self._rows) for column in zip(*self._rows, strict=True)]
        rate = KINDS[session.recipe.kind].rate * session.trainer.settings.rate
        for tag, value in zip(_MEANS, (*means, rate), strict=True):
            self._writer.add_scalar(tag, value, self._done)
        self._rows = []

    def _write_validation(self, session: Session) -> None:
        if not session.validation_losses:
            return
        iteration, *losses = session.validation_losses[-1]
        if iteration == session.iteration > self._validated:
            self._validated = session.iteration
            for tag, value in zip(_VALIDATION, losses, strict=True):
                self._writer.add_scalar(tag, value, session.iteration)

    def _write_preview(self, iteration: int, jpeg: bytes) -> None:
        """The file as it is: decoding and encoding it again would need another library."""
        messages = importlib.import_module("tensorboardX.proto.summary_pb2")
        image = messages.Summary.Image(encoded_image_string=jpeg, colorspace=_RGB)
        summary = messages.Summary(value=[messages.Summary.Value(tag="preview", image=image)])
        self._writer.file_writer.add_summary(summary, iteration, time.time())
