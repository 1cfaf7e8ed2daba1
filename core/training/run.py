"""A whole training run: open the model, follow its schedule to the target, save."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core import parallel
from core.checkpoints.model_folder import ModelFolder
from core.data.batches import BatchSettings
from core.training import loop, start
from core.training.choices import Choices, RunSettings
from core.training.hooks.auto_backup import AutoBackup
from core.training.hooks.base import BaseHook
from core.training.hooks.checkpoint import Checkpoint
from core.training.hooks.examination import Examination, Examine
from core.training.hooks.loss_plot import LossPlot
from core.training.hooks.metrics import Metrics
from core.training.hooks.preview import Preview
from core.training.hooks.progress_line import ProgressLine
from core.training.hooks.requests import Act, Requests, within
from core.training.hooks.stop import StopFile, StopSignals
from core.training.hooks.tensorboard import TensorBoard
from core.training.hooks.unreadable_faces import UnreadableFaces
from core.training.hooks.validation import Validation
from core.training.requests import FILE
from core.training.schedule.boundary import Boundary
from core.training.session import Session
from core.training.sources.facesets import batch_settings
from core.workspace import Workspace

log = logging.getLogger(__name__)
_FIRST_WORKERS = 2


def train(
    folder: ModelFolder,
    choices: Choices,
    settings: RunSettings,
    workspace: Workspace,
    examine: Examine | None = None,
) -> Session:
    """Train, and save. Raises what opening the model and the loop raise. examine: judges the swaps at the target."""
    session = start.open_session(folder, choices, workspace.assets)
    session.target = settings.target or _end_of_schedule(session)
    session.begun = session.iteration
    if session.done:
        log.info("%s is already at iteration %d, the target is %d", folder.name, session.iteration, session.target)
        return session
    log.info("%s: %s", folder.name, f"goes on at iteration {session.iteration}" if session.iteration else "a new model")
    workers = default_workers() if settings.workers is None else (settings.workers, settings.workers)
    room = None if settings.face_cache is None else int(settings.face_cache * 2**30)

    def batches(session: Session) -> BatchSettings:
        return batch_settings(session, workspace, room, settings.pretrain_faces)

    def save(session: Session) -> None:
        loop.save(session, beside)

    def reopen(session: Session) -> Session:
        return start.reopen(session, again, workspace.assets)

    first_batches = batches(session)
    _renew_sample(session, first_batches)
    beside = _observers(session, settings, workspace)
    if examine:
        beside.insert(0, Examination(examine))
    # What was asked for once has happened by then; everything else a person chose still wins over the phase.
    again = replace(choices, reinit=(), preset=None, validation_count=None, precision=None)
    boundary = Boundary(reopen, batches, save, _preview(workspace))
    boundary.begin(session)
    if session.recipe.autobackup_hour:
        beside.append(AutoBackup(session.recipe.autobackup_hour, save, _preview(workspace)))
    checkpoint = Checkpoint(settings.save_minutes, save)
    # What was asked of a run that ended before it looked is not for this one.
    (workspace.model / FILE).unlink(missing_ok=True)
    beside += [checkpoint, Requests(workspace.model / FILE, _acts(beside, checkpoint, save))]
    # Last: a stop breaks off the round of hooks, and all others shall have seen the iteration.
    beside += [StopFile(workspace.model / "STOP"), StopSignals()]
    loop.train(session, first_batches, beside, workers=workers, boundary=boundary)
    return session


def _renew_sample(session: Session, faces: BatchSettings) -> None:
    """Where faces have come, gone or changed since the last run, previews show others: a removed one must not stay."""
    now = f"{faces.src.fingerprint()} {faces.dst.fingerprint()}"
    if session.faces not in ("", now) and session.sample is not None:
        session.sample = None
        log.info("the faces have changed since the last run: the previews show others from now on")
    session.faces = now


def _end_of_schedule(session: Session) -> int:
    return session.schedule.preset.end if session.schedule and not session.recipe.pretrain else 0


def _preview(workspace: Workspace) -> Path:
    return workspace.model / "preview" / "latest.jpg"


def _observers(session: Session, settings: RunSettings, workspace: Workspace) -> list[BaseHook]:
    """What observes; each finds what those before it have left in the session."""
    history = session.recipe.write_preview_history
    chain: list[BaseHook] = [UnreadableFaces()]
    if session.validation_count:
        chain.append(Validation(settings.validation_every))
    chain.append(Preview(workspace.model / "preview", settings.preview_every, history))
    metrics = workspace.model / "metrics.jsonl"
    chain.append(LossPlot(workspace.model / "loss.png", metrics))
    chain.append(Metrics(metrics, session.iteration, session.folder.prefix))
    if settings.tensorboard:
        folder = workspace.model / "tensorboard" / session.folder.prefix
        chain.append(TensorBoard(folder, _preview(workspace), session.iteration))
    return [*chain, ProgressLine(session)]


def _acts(beside: Sequence[BaseHook], checkpoint: Checkpoint, save: Callable[[Session], None]) -> dict[str, Act]:
    """What may be asked for while it trains; the names of numbers are those of the options."""

    def preview_every(session: Session, value: Any) -> None:
        for hook in beside:
            if isinstance(hook, Preview):
                hook.every = int(within(value, 0, 10**9))

    def held_out_every(session: Session, value: Any) -> None:
        for hook in beside:
            if isinstance(hook, Validation):
                hook.every = int(within(value, 1, 10**9))

    def preview(session: Session, value: Any) -> None:
        for hook in beside:
            if isinstance(hook, Preview):
                hook.draw(session)

    def target_iter(session: Session, value: Any) -> None:
        session.target = int(within(value, session.iteration, 10**9)) if value else _end_of_schedule(session)

    return {
        "save": lambda session, value: save(session),
        "preview": preview,
        "preview_every": preview_every,
        "held_out_every": held_out_every,
        "save_minutes": lambda session, value: checkpoint.every(within(value, 0.01, 1440)),
        "learning_rate": lambda session, value: session.trainer.set_rate(within(value, 1e-9, 1e-2)),
        "target_iter": target_iter,
    }


def default_workers() -> tuple[int, int]:
    """How many prepare batches at first, and at most: one core is left to the networks, the step says what it eats."""
    most = max(1, parallel.cores() - 1)
    return min(_FIRST_WORKERS, most), most
