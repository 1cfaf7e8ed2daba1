"""A recording of what was shown: a labelled film, with the times at which its pictures came."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from core.errors import InputError
from core.jobs.provenance import open_seal
from core.live.frames import Image, Shown
from core.live.newest import Newest
from core.video.film.encoders import FilmSettings
from core.video.film.frames import Frame
from core.video.film.plan import plan_pictures
from core.video.film.writer import FilmReport, FilmWriter

_WAIT = 0.25  # seconds
_CLOCK = Fraction(1, 1000)
_RATE = Fraction(30)


class Recording:
    """An output of the player that writes a film in a thread of its own, while it is open.

    report: of the film, once it is closed; None where no picture came.
    """

    def __init__(self, path: Path, failed: Callable[[Exception], None]):
        """failed: is told at once what went wrong.

        Raises InputError where the file is there already, UsageError where films have no such ending.
        """
        if path.exists():
            raise InputError("there is a file of this name", where=path, hint="name another: nothing is overwritten")
        if not path.parent.is_dir():
            raise InputError("no such folder", where=path.parent)
        plan = plan_pictures(path.suffix, FilmSettings(preset="veryfast", threads=2), rate=_RATE, deep=False)
        # Pictures come when they come; the encoder is told an average.
        plan = replace(plan, time_base=_CLOCK)
        self.report: FilmReport | None = None
        self._failed = failed
        made_from = f"live {datetime.now(UTC).isoformat()}"
        self._writer = FilmWriter(path, plan, made_from=made_from, seal=open_seal(path).sign)
        self._slot: Newest[Shown] = Newest()
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)

    def __enter__(self) -> "Recording":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._slot.close()
        self._thread.join()

    @property
    def dropped(self) -> int:
        """Pictures that were shown and are not in the film, because its encoder was too slow."""
        return self._slot.dropped

    def __call__(self, shown: Shown) -> None:
        self._slot.put(shown)

    def _run(self) -> None:
        try:
            with self._writer as writer:
                if self._write_all(writer):
                    self.report = writer.finish()
        except Exception as error:
            self._failed(error)

    def _write_all(self, writer: FilmWriter) -> int:
        """How many pictures were written until the slot was closed."""
        begun, last, count, size = 0.0, -1, 0, (0, 0)
        while not self._slot.closed:
            shown = self._slot.take(_WAIT)
            if shown is None:
                continue
            if not count:
                begun, size = shown.moment, (shown.image.shape[1], shown.image.shape[0])
            pts = max(round((shown.moment - begun) / _CLOCK), last + 1)
            count, last = count + 1, pts
            writer.write(Frame(count, pts, _CLOCK, fitted(shown.image, size)))
        return count


def fitted(image: Image, size: tuple[int, int]) -> Image:
    """The image in this size (width, height): a film and a camera have one."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
