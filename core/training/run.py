"""A whole training run: open the model, follow its schedule to the target with everything that happens beside the steps, save."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from core.checkpoints.model_folder import ModelFolder
from core.data.batches import BatchSettings
from core.training import loop, start
from core.training.hooks.auto_backup import AutoBackup
from core.training.hooks.base import BaseHook
from core.training.hooks.checkpoint import Checkpoint
from core.training.hooks.loss_plot import LossPlot
from core.training.hooks.metrics import Metrics
from core.training.hooks.preview import Preview
from core.training.hooks.progress_line import ProgressLine
from core.training.hooks.stop import StopFile, StopSignals
from core.training.hooks.tensorboard import TensorBoard
from core.training.hooks.unreadable_faces import UnreadableFaces
from core.training.hooks.validation import Validation
from core.training.recipe import Recipe
from core.training.schedule import phases
from core.training.session import Session
from core.workspace import Workspace

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunOptions:
    """How a run goes. target: the iteration to stop at, 0: the end of the schedule, else never; workers: processes that prepare batches, None chooses;
    preview_every, held_out_every: iterations; pretrain_faces: the folder for pretraining."""

    target: int = 0
    workers: int | None = None
    save_minutes: float = 25.0
    preview_every: int = 100
    held_out_every: int = 500
    tensorboard: bool = False
    pretrain_faces: Path | None = None


def train(
    folder: ModelFolder, given: Recipe, chosen: start.StartOptions, options: RunOptions, workspace: Workspace
) -> tuple[Session, int]:
    """Train, and save. Returns the session and the iteration it began at. Raises what opening the model and the loop raise."""
    session = start.open_session(folder, given, chosen, workspace.assets)
    session.target = options.target or _end_of_schedule(session)
    begun = session.iteration
    if session.done:
        log.info("%s is already at iteration %d, the target is %d", folder.name, session.iteration, session.target)
        return session, begun
    workers = start.default_workers() if options.workers is None else options.workers

    def batches(session: Session) -> BatchSettings:
        return start.batch_settings(session, workspace, workers, options.pretrain_faces)

    settings = batches(session)
    beside = _hooks(session, options, workspace)

    def save(session: Session) -> None:
        loop.save(session, beside)

    again = replace(chosen, reinit=(), preset=None, held_out=None)
    boundary = phases.Boundary(
        lambda: start.open_session(folder, given, again, workspace.assets), batches, save, _preview(workspace)
    )
    boundary.begin(session)
    if session.recipe.autobackup_hour:
        beside.append(AutoBackup(session.recipe.autobackup_hour, save, _preview(workspace)))
    beside += [
        Checkpoint(options.save_minutes, save),
        StopFile(workspace.model / "STOP"),
        StopSignals(),
    ]
    loop.train(session, settings, beside, workers=workers, boundary=boundary)
    return session, begun


def _end_of_schedule(session: Session) -> int:
    return session.schedule.preset.end if session.schedule and not session.recipe.pretrain else 0


def _preview(workspace: Workspace) -> Path:
    return workspace.model / "preview" / "latest.jpg"


def _hooks(session: Session, options: RunOptions, workspace: Workspace) -> list[BaseHook]:
    """What observes; each finds what those before it have left in the session."""
    chain: list[BaseHook] = [
        UnreadableFaces(),
        Preview(workspace.model / "preview", options.preview_every, session.recipe.write_preview_history),
    ]
    if session.validation_count:
        chain.append(Validation(options.held_out_every))
    chain += [
        LossPlot(workspace.model / "loss.png"),
        Metrics(workspace.model / "metrics.jsonl", session.iteration, session.folder.prefix),
    ]
    if options.tensorboard:
        chain.append(
            TensorBoard(workspace.model / "tensorboard" / session.folder.prefix, _preview(workspace), session.iteration)
        )
    return [*chain, ProgressLine(session)]
