"""Losses, timings, learning rate and preview pictures as event files for TensorBoard; needs ``tensorboardX``, and no TensorFlow."""

import importlib
import time
from pathlib import Path
from typing import Any

from core.data.batches import TrainingBatch
from core.errors import EnvironmentFault
from core.training.hooks.hooks import BaseHook
from core.training.kinds import KINDS
from core.training.session import Session

PACKAGE = "tensorboardX>=2.6.4,<3"
EVERY = 10


class TensorBoard(BaseHook):
    """Writes into ``folder``: means over ten iterations, held-out losses when they are examined, the preview at saves.

    Raises EnvironmentFault when the package is missing. start: the iteration of the session; what lies after it is taken back.
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
        self._done, self._held, self._shown = start, start, 0.0
        self._rows: list[tuple[float, ...]] = []
        # The library names files by the second, and would write over the one that a rollback leaves.
        self._writer = self._library.SummaryWriter(
            str(self._folder), purge_step=start + 1, filename_suffix=f".{time.time_ns()}"
        )

    def after_step(self, session: Session, batch: TrainingBatch) -> None:
        if session.iteration <= self._done:  # rolled back
            self._writer.close()
            self._open(session.iteration - 1)
        self._done = session.iteration
        self._rows.append((*session.history[-1], session.spent * 1000, session.waited * 1000))
        self._write_held(session)
        if session.iteration % EVERY == 0:
            self._write_means(session)

    def _write_means(self, session: Session) -> None:
        means = [sum(column) / len(self._rows) for column in zip(*self._rows, strict=True)]
        rate = KINDS[session.recipe.kind].rate * session.trainer.settings.rate
        for tag, value in zip(
            ("loss/src", "loss/dst", "time/ms", "time/wait_ms", "learning_rate"), (*means, rate), strict=True
        ):
            self._writer.add_scalar(tag, value, session.iteration)
        self._rows = []

    def _write_held(self, session: Session) -> None:
        if session.held and session.held[-1][0] == session.iteration > self._held:
            self._held = session.iteration
            for tag, value in zip(("held_out/src", "held_out/dst"), session.held[-1][1:], strict=True):
                self._writer.add_scalar(tag, value, session.iteration)

    def at_save(self, session: Session) -> None:
        self._write_held(session)
        if self._rows:
            self._write_means(session)
        if self._preview.is_file() and self._preview.stat().st_mtime != self._shown:
            self._shown = self._preview.stat().st_mtime
            self._write_picture(session.iteration, self._preview.read_bytes())
        self._writer.flush()

    def _write_picture(self, iteration: int, jpeg: bytes) -> None:
        """The file as it is: decoding and encoding it again would need another library."""
        messages = importlib.import_module("tensorboardX.proto.summary_pb2")
        picture = messages.Summary.Image(encoded_image_string=jpeg, colorspace=3)
        self._writer.file_writer.add_summary(
            messages.Summary(value=[messages.Summary.Value(tag="preview", image=picture)]), iteration, time.time()
        )

    def at_end(self, session: Session) -> None:
        self._writer.close()
