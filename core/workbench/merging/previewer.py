"""A process that merges single frames and keeps the model open: a model that fails, or hangs, costs one picture."""

import itertools
import multiprocessing
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from core.errors import EnvironmentFault, PipelineError
from core.imaging.codec import encode_jpeg
from core.jobs.merge.one_frame import Asked, OneFrame
from core.workspace import Workspace

# Seconds: the first frame waits for the model to be opened; after the second span nobody looks any more.
_PATIENCE, _IDLE = 120.0, 180.0
_QUALITY = 93
MOST_WAITING = 16


@dataclass(frozen=True)
class Preview:
    """A merged frame. jpegs: merged, target, mask. places: of the swapped faces, (left, top, right, bottom) each.

    ids, persons: of them. scene, cues, model, device: as of ``MergedFrame``.
    """

    jpegs: tuple[bytes, bytes, bytes]
    size: tuple[int, int]
    places: tuple[tuple[float, ...], ...]
    ids: tuple[str, ...]
    persons: tuple[str, ...]
    scene: int
    cues: tuple[int, ...]
    model: str
    device: str


class Previewer:
    """May be asked from any thread; one frame at a time, and of a page only what it asked for last."""

    def __init__(self, workspace: Workspace):
        self._workspace = workspace
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        self._turn = threading.Lock()
        self._tickets = itertools.count(1)
        self._newest: dict[str, int] = {}
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._rest: threading.Timer | None = None

    def ask(self, page: str, asked: Asked) -> Preview | None:
        """The frame; None where the same page has asked for another one meanwhile.

        Raises:
            EnvironmentFault: the process ended, or takes too long. PipelineError: as of ``OneFrame.merge``.
        """
        if not self._waiting.acquire(blocking=False):
            raise EnvironmentFault("too much is asked at once", hint="try again")
        try:
            ticket = self._newest[page] = next(self._tickets)
            with self._turn:
                if self._newest[page] != ticket:
                    return None
                return self._answer(asked)
        finally:
            self._waiting.release()

    def close(self) -> None:
        """End the process, which gives back the memory of the card."""
        if self._rest is not None:
            self._rest.cancel()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.join()

    def _answer(self, asked: Asked) -> Preview:
        pipe = self._opened()
        said: Preview | PipelineError | None = None
        with suppress(EOFError, OSError):
            pipe.send(asked)
            if pipe.poll(_PATIENCE):
                said = pipe.recv()
        if said is None:
            self.close()
            raise EnvironmentFault("the process that merges frames has ended", hint="try again; it is started anew")
        self._rest_later()
        if isinstance(said, PipelineError):
            raise said
        return said

    def _opened(self) -> Connection:
        if self._pipe is None or self._process is None or not self._process.is_alive():
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_work, args=(theirs, self._workspace), daemon=True, name="merge")
            self._process.start()
            theirs.close()
        return self._pipe

    def _rest_later(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
        self._rest = threading.Timer(_IDLE, self._rest_now)
        self._rest.daemon = True
        self._rest.start()

    def _rest_now(self) -> None:
        with self._turn:
            self.close()


def _work(pipe: Connection, workspace: Workspace) -> None:
    """What the process does until its parent is gone."""
    # Ctrl-C is for the server, which ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    maker = OneFrame(workspace)
    with suppress(EOFError):
        while True:
            asked = pipe.recv()
            try:
                pipe.send(_preview(maker, asked))
            except PipelineError as error:
                pipe.send(error)


def _preview(maker: OneFrame, asked: Asked) -> Preview:
    made = maker.merge(asked)
    mask = np.repeat(made.mask[..., None], 3, axis=2)
    jpegs = tuple(encode_jpeg(image, _QUALITY, "420") for image in (made.image, asked.image, mask))
    points = [np.asarray(face.landmarks) for face in made.faces]
    return Preview(
        jpegs=jpegs,  # type: ignore[arg-type]
        size=(made.image.shape[1], made.image.shape[0]),
        places=tuple(tuple(np.concatenate([one.min(0), one.max(0)]).round(2).tolist()) for one in points),
        ids=tuple(face.id for face in made.faces),
        persons=tuple(face.person for face in made.faces),
        scene=made.scene,
        cues=made.cues,
        model=made.model.name,
        device=made.device,
    )
