"""The player: takes the newest picture, finds its faces, swaps them, and hands it to all outputs.

Finding, swapping and showing have a thread each: the network leaves parts of a processor idle, in which the picture
before is put together and the faces of the next are found.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
_LONGEST_PAUSE = 1.0  # seconds
_CLOCK = Fraction(1, 1000)


@dataclass(eq=False)
class _Picture:
    """A picture on its way through the threads.

    stages: milliseconds of each step so far. since: when it was handed on. work: of the composer, once it was swapped.
    """

    captured: Captured
    stages: dict[str, float]
    image: Image
    faces: Sequence[Face] = ()
    work: Work | None = None
    since: float = 0.0


class Player:
    """Swaps faces in pictures that are put into it.

        with Player(workspace, swapper, follower) as player:
            player.outputs.append(show)
            player.put(Captured(image, 1))

    outputs: called with each picture in a thread of the player; they must not wait.
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
        self._found: Newest[_Picture] = Newest()
        self._swapped: Newest[_Picture] = Newest()
        # Faces are found of one picture ahead: of more they would be old before they are swapped.
        self._ahead = threading.Semaphore()
        self._pause = 0.0
        self._composer = OurComposer(swapper)
        steps = {"find": self._find_all, "swap": self._swap_all, "show": self._show_all}
        self._threads = [
            threading.Thread(target=self._guarded, args=(step,), name=f"player {name}", daemon=True)
            for name, step in steps.items()
        ]
        self._set(controls or Controls())

    def __enter__(self) -> "Player":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._close()
        for thread in self._threads:
            thread.join()

    def _close(self) -> None:
        for slot in (self._slot, self._found, self._swapped):
            slot.close()

    @property
    def controls(self) -> Controls:
        return self._controls

    @property
    def dropped(self) -> int:
        """Pictures that came and were never shown, because a newer one came."""
        return self._slot.dropped + self._swapped.dropped

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
            self._close()
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

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:
            self.fail(error)

    def _find_all(self) -> None:
        while not self._slot.closed:
            if not self._ahead.acquire(timeout=_WAIT):
                continue
            time.sleep(self._pause)
            picture = None
            while picture is None and not self._slot.closed:
                captured = self._slot.take(_WAIT)
                picture = self._decoded(captured) if captured else None
            if picture is not None:
                self._find(picture)
                _hand_on(picture, self._found)

    def _swap_all(self) -> None:
        for picture in self._handed(self._found):
            self._ahead.release()
            self._swap(picture)
            # The next picture is taken late, so that it is new, but early enough to be ready when its turn comes.
            spare = picture.stages["swap"] - 2 * picture.stages["find"]
            self._pause = min(max(spare / 1000, 0.0), _LONGEST_PAUSE)
            _hand_on(picture, self._swapped)

    def _show_all(self) -> None:
        for picture in self._handed(self._swapped):
            shown = self._composed(picture)
            with _timed(picture.stages, "output"):
                for output in self.outputs:
                    output(shown)
            self.measured.add(shown, time.perf_counter())

    def _handed(self, slot: Newest[_Picture]) -> Iterator[_Picture]:
        """The pictures that come through a slot, until it is closed."""
        while not slot.closed:
            picture = slot.take(_WAIT)
            if picture is not None:
                picture.stages["wait"] += _milliseconds(picture.since)
                yield picture

    def _decoded(self, captured: Captured) -> _Picture | None:
        stages = {"wait": _milliseconds(captured.moment)}
        try:
            with _timed(stages, "decode"):
                return _Picture(captured, stages, captured.image())
        except CorruptFileError:
            self.measured.damaged += 1
            return None

    def made(self, image: Image, captured: Captured, stages: dict[str, float]) -> Shown:
        """The picture with swapped faces and badge. stages: gets the milliseconds of each step."""
        picture = _Picture(captured, stages, image)
        self._find(picture)
        self._swap(picture)
        return self._composed(picture)

    def _find(self, picture: _Picture) -> None:
        with _timed(picture.stages, "find"):
            moment = picture.captured.moment
            picture.faces = self._follower.faces(picture.image, moment) if self._controls.swap else []

    def _swap(self, picture: _Picture) -> None:
        controls, captured, image = self._controls, picture.captured, picture.image
        told = (FaceSettings(controls.settings, controls.morph),) * len(picture.faces)
        frame = Frame(captured.number, int(captured.moment / _CLOCK), _CLOCK, image)
        with _timed(picture.stages, "swap"), _left_out():
            cuts = tuple(self._composer.cut(image, face) for face in picture.faces)
            work = Work(frame, tuple(picture.faces), told, cuts)
            made = swap_all(self.swapper, self._composer, [work], max(len(cuts), 1))
            picture.work = replace(work, swapped=tuple(made))

    def _composed(self, picture: _Picture) -> Shown:
        image, count = picture.image, 0
        with _timed(picture.stages, "compose"), _left_out():
            if picture.faces and picture.work is not None:
                merged = self._composer.compose(self._composer.ready(picture.work))[0]
                image, count = merged.astype(image.dtype, copy=False), len(picture.faces)
        with _timed(picture.stages, "badge"):
            image = with_badge(image) if self._controls.badge else image
        return Shown(picture.captured.number, picture.captured.moment, image, count, picture.stages)


@contextmanager
def _left_out() -> Iterator[None]:
    """Points that make no square: a frame without a swap is better than the end of the show."""
    try:
        yield
    except (InputError, UsageError) as error:
        log.debug("a face was left out: %s", error)


@contextmanager
def _timed(stages: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    stages[name] = (time.perf_counter() - start) * 1000


def _hand_on(picture: _Picture, slot: Newest[_Picture]) -> None:
    picture.since = time.perf_counter()
    slot.put(picture)


def _milliseconds(since: float) -> float:
    return (time.perf_counter() - since) * 1000
