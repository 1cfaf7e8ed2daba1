"""The player: takes the newest picture, swaps its faces, and hands it to all outputs. One thread of its own."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import Any

from core.errors import CorruptFileError, InputError, UsageError
from core.jobs.merge.compose import OurComposer, Work, swap_all
from core.jobs.merge.cues import FaceSettings
from core.jobs.merge.model import Swapper
from core.live import consent
from core.live.badge import with_badge
from core.live.controls import Controls
from core.live.follow import Follower
from core.live.frames import Captured, Image, Shown
from core.live.measured import Measured
from core.live.newest import Newest
from core.types import Face
from core.video.film.frames import Frame
from core.workspace import Workspace

log = logging.getLogger(__name__)
_WAIT = 0.25  # seconds
_CLOCK = Fraction(1, 1000)


class Player:
    """Swaps faces in pictures that are put into it.

        with Player(workspace, swapper, follower) as player:
            player.outputs.append(show)
            player.put(Captured(image, 1))

    outputs: called with each picture in the player's thread; they must not wait.
    failure: what ended it, None while it runs well. on_failure: called once when there is one.
    """

    def __init__(self, workspace: Workspace, swapper: Swapper, follower: Follower, controls: Controls | None = None):
        self.outputs: list[Callable[[Shown], None]] = []
        self.measured = Measured()
        self.failure: BaseException | None = None
        self.on_failure: Callable[[], None] = lambda: None
        self.swapper = swapper
        self._workspace, self._follower = workspace, follower
        self._controls = Controls()
        self._changing = threading.Lock()
        self._slot: Newest[Captured] = Newest()
        self._thread = threading.Thread(target=self._run, name="player", daemon=True)
        self._set(controls or Controls())

    def __enter__(self) -> "Player":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._slot.close()
        self._thread.join()

    @property
    def controls(self) -> Controls:
        return self._controls

    @property
    def dropped(self) -> int:
        """Pictures that came and were never used, because a newer one came."""
        return self._slot.dropped

    def put(self, captured: Captured) -> None:
        """A new picture; one that still waits is dropped."""
        self._slot.put(captured)

    def change(self, asked: Mapping[str, Any]) -> Controls:
        """Change controls from the next picture on; what they are now.

        Raises:
            UsageError: a control or value that is none; nothing is changed.
            InputError, CorruptFileError: the badge was to go off without a record of consent.
        """
        with self._changing:
            self._set(self._controls.changed(asked))
        return self._controls

    def fail(self, error: BaseException) -> None:
        """End because of an error, also of a source or an output."""
        if self.failure is None:
            self.failure = error
            self._slot.close()
            self.on_failure()

    def status(self) -> dict[str, Any]:
        """Numbers for people, as JSON."""
        numbers = self.measured.numbers()
        return {**numbers, "dropped": self.dropped, "with_faces": self.measured.faces, "damaged": self.measured.damaged}

    def _set(self, controls: Controls) -> None:
        if self._controls.badge and not controls.badge:
            path = consent.badge_off(self._workspace, self.swapper.path)
            log.warning("the badge is off; receipt in %s", path)
        self._controls = controls

    def _run(self) -> None:
        try:
            while self.failure is None:
                captured = self._slot.take(_WAIT)
                if captured is None:
                    if not self._slot.closed:
                        continue
                    return
                self._play(captured)
        except Exception as error:
            self.fail(error)

    def _play(self, captured: Captured) -> None:
        stages = {"wait": (time.perf_counter() - captured.moment) * 1000}
        try:
            with _timed(stages, "decode"):
                image = captured.image()
        except CorruptFileError:
            self.measured.damaged += 1
            return
        shown = self.made(image, captured, stages)
        with _timed(stages, "output"):
            for output in self.outputs:
                output(shown)
        self.measured.add(shown, time.perf_counter())

    def made(self, image: Image, captured: Captured, stages: dict[str, float]) -> Shown:
        """The picture with swapped faces and badge. stages: gets the milliseconds of each step."""
        controls = self._controls
        with _timed(stages, "find"):
            faces = self._follower.faces(image, captured.moment) if controls.swap else []
        if faces:
            image, count = self._swapped(image, faces, captured, controls, stages)
        else:
            count = 0
            stages |= {"swap": 0.0, "compose": 0.0}
        with _timed(stages, "badge"):
            image = with_badge(image) if controls.badge else image
        return Shown(captured.number, captured.moment, image, count, stages)

    def _swapped(
        self, image: Image, faces: Sequence[Face], captured: Captured, controls: Controls, stages: dict[str, float]
    ) -> tuple[Image, int]:
        composer = OurComposer(self.swapper)
        told = (FaceSettings(controls.settings, controls.morph),) * len(faces)
        ticks = int(captured.moment / _CLOCK)
        try:
            with _timed(stages, "swap"):
                cuts = tuple(composer.cut(image, face) for face in faces)
                work = Work(Frame(captured.number, ticks, _CLOCK, image), tuple(faces), told, cuts)
                made = swap_all(self.swapper, composer, [work], len(faces))
            with _timed(stages, "compose"):
                merged = composer.compose(composer.ready(replace(work, swapped=tuple(made))))[0]
        except (InputError, UsageError) as error:
            # Points that make no square: a frame without a swap is better than the end of the show.
            log.debug("a face was left out: %s", error)
            return image, 0
        return merged.astype(image.dtype, copy=False), len(faces)


@contextmanager
def _timed(stages: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    stages[name] = (time.perf_counter() - start) * 1000
