"""A training run of the mask network: resume, loop, save all or nothing, preview."""

import logging
import math
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import fsio
from core.checkpoints.flat_files import flat_files
from core.checkpoints.model_folder import DATA, ModelFolder
from core.data.xseg_samples import XSegBatch, XSegSamples
from core.errors import DivergedError, InputError, UsageError
from core.formats import dfl_weights
from core.training.ending import beside_the_step, saved_at_the_end
from core.training.run_state import RunState
from core.training.saved_state import STATE, SUMMARY, read_state, state_writer, text_writer
from core.training.xseg.choices import XSegChoices
from core.training.xseg.model import NAME, XSegRecipe, XSegTrainer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class XSegFolder(ModelFolder):
    """The mask model has no name of its own: its files are called ``XSeg_...``."""

    name: str = NAME
    kind: str = NAME

    @property
    def prefix(self) -> str:
        return NAME


@dataclass
class XSegSession(RunState):
    """A run of the mask network.

    options: as in ``XSeg_data.dat``.
    replaces: where the files of an older model go at the next save, None for nowhere: the save writes over its own.
    """

    folder: XSegFolder
    trainer: XSegTrainer
    options: dict[str, Any]
    replaces: Path | None = None

    def save(self) -> None:
        """Write everything, all or nothing."""
        if self.replaces is not None:
            for path in flat_files(self.folder.folder, self.folder.prefix).values():
                fsio.move_to_trash(path, self.replaces)
            self.replaces = None
        data = dfl_weights.ModelData(self.iteration, self.options, self.history, [])
        summary = dfl_weights.summary_text(NAME, self.iteration, self.options)
        recipe = self.trainer.recipe
        state = {"seed": recipe.seed, "resolution": recipe.resolution, "base": recipe.base}
        self.folder.save(
            self.iteration,
            {
                **self.trainer.writers(),
                DATA: lambda stream: dfl_weights.write_data(stream, data),
                SUMMARY: text_writer(summary + "\n"),
                STATE: state_writer(state),
            },
        )
        self.saved_iteration = self.iteration


def open_session(folder: XSegFolder, choices: XSegChoices, trash: Path) -> XSegSession:
    """A new model, or the one in the folder. Leaving pretraining counts from 0; ``restart`` begins anew, the old files go to ``trash`` at the first save.

    Raises UsageError when something that belongs to the model is asked to change, CorruptFileError and InputError for damaged files.
    """
    if choices.restart:
        folder.folder.mkdir(parents=True, exist_ok=True)
        session = _session(folder, {}, {}, choices)
        session.replaces = trash
        return session
    if not folder.exists():
        return _new(folder, choices)
    loaded = folder.load()
    data = dfl_weights.read_data(loaded.files[DATA])
    saved = {**_dimensions(loaded.files), **read_state(loaded.files.get(STATE))}
    session = _session(folder, data.options, saved, choices)
    left = bool(data.options.get("pretrain")) and not session.options["pretrain"]
    session.trainer.load(loaded.files, optimizer=not left)
    if not left:
        session.iteration, session.history, session.saved_iteration = data.iteration, data.loss_history, data.iteration
    else:
        log.info("pretraining is over: the weights stay, the iterations count from 0")
    return session


def _new(folder: XSegFolder, choices: XSegChoices) -> XSegSession:
    stray = [name for name in flat_files(folder.folder, folder.prefix) if name.endswith(".npy")]
    if stray:
        raise InputError(
            "XSeg weights without their XSeg_data.dat",
            where=folder.path(stray[0]),
            why="training would replace them",
            hint="put XSeg_data.dat beside them to go on from them, or --restart to begin anew (they go to workspace/.trash)",
        )
    folder.folder.mkdir(parents=True, exist_ok=True)
    return _session(folder, {}, {}, choices)


def _dimensions(files: dict[str, Path]) -> dict[str, int]:
    """The resolution that the names of files tell, for a model that somebody else trained."""
    sizes = [int(name.removesuffix(".npy")) for name in files if name.removesuffix(".npy").isdigit()]
    return {"resolution": 256 if 256 in sizes or not sizes else max(sizes)}


def _session(folder: XSegFolder, options: dict[str, Any], saved: dict[str, Any], choices: XSegChoices) -> XSegSession:
    _check_fixed(choices, {**options, **saved})
    face_type = choices.face_type or options.get("face_type") or "wf"
    batch_size = choices.batch_size or int(options.get("batch_size", 4))
    pretrain = bool(options.get("pretrain", False)) if choices.pretrain is None else choices.pretrain
    numbers: dict[str, int] = {}
    for name in ("resolution", "base", "seed"):
        value = getattr(choices, name)
        value = saved.get(name) if value is None else value
        if value is not None:
            numbers[name] = int(value)
    recipe = XSegRecipe(pretrain=pretrain, **numbers)  # type: ignore[arg-type]
    return XSegSession(
        folder,
        XSegTrainer(recipe),
        {**options, "face_type": str(face_type), "batch_size": batch_size, "pretrain": pretrain},
    )


def _check_fixed(choices: XSegChoices, saved: dict[str, Any]) -> None:
    for name in ("face_type", "resolution", "base"):
        chosen = getattr(choices, name)
        if chosen is not None and name in saved and saved[name] != chosen:
            raise UsageError(
                "this belongs to the model and cannot change",
                where=f"--{name.replace('_', '-')} {chosen}",
                why=f"the model was made with {saved[name]}",
                hint="leave it out, or start anew with --restart",
            )


def train(session: XSegSession, samples: XSegSamples, hooks: Sequence[Any], *, threads: int) -> None:
    """Train until the target and save. Raises Interrupted (after saving) when asked to stop, DivergedError for a loss that is no number."""
    with saved_at_the_end(session, lambda: save(session, hooks), session.save, hooks):
        with prefetched(samples, session.iteration, threads) as batches:
            while not session.done:
                _iterate(session, batches, hooks)
        save(session, hooks)


def save(session: XSegSession, hooks: Sequence[Any]) -> None:
    """Save unless this iteration is saved already."""
    if session.iteration == session.saved_iteration:
        return
    for hook in hooks:
        hook.at_save(session)
    session.save()


def _iterate(session: XSegSession, batches: Iterator[XSegBatch], hooks: Sequence[Any]) -> None:
    start = time.perf_counter()
    with beside_the_step():
        batch = next(batches)
    session.waited = time.perf_counter() - start
    loss = session.trainer.step(batch)
    session.spent = time.perf_counter() - start
    if not math.isfinite(loss):
        raise DivergedError(
            f"training diverged at iteration {session.iteration + 1}: the loss is no number",
            hint="the last save is untouched; try a larger --batch-size",
        )
    session.iteration += 1
    session.history.append([loss])
    with beside_the_step():
        for hook in hooks:
            hook.after_step(session, batch)


@contextmanager
def prefetched(samples: XSegSamples, start: int, threads: int) -> Iterator[Iterator[XSegBatch]]:
    """An endless iterator of batches from number ``start`` on, made ahead by threads: nearly all of the work is done outside Python."""
    pool = ThreadPoolExecutor(max(1, threads), "xseg-batches")
    ahead: deque[Future[XSegBatch]] = deque(pool.submit(samples.batch, start + i) for i in range(max(1, threads) + 1))

    def batches() -> Iterator[XSegBatch]:
        number = start + len(ahead)
        while True:
            batch = ahead.popleft().result()
            ahead.append(pool.submit(samples.batch, number))
            number += 1
            yield batch

    try:
        yield batches()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
