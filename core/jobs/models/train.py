"""Train a model and export it; measure which batch sizes fit.

What can be said without a framework is said before one is loaded, which takes a while: nothing here imports one before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.checkpoints.model_folder import ModelFolder
from core.checkpoints.selection import choose_or_new
from core.jobs.models.export import ExportedModel, export_model
from core.jobs.models.saves import locked
from core.networks import keras_backend
from core.training.choices import Choices, RunSettings
from core.training.recipe import validated
from core.training.sources.sides import require_faces_for
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.training.hardware.batch_size_finder import FittingSizes
    from core.training.hooks.examination import Examine
    from core.training.session import Session

_RECENT = 100
_JUDGED = 16  # faces of each side, at the end of a run


@dataclass(frozen=True)
class Trained:
    """A training run that came to its end. The model is saved and exported.

    model, kind: its name and class.
    archi, resolution: of its networks; resolution in pixels.
    begun, iteration: where the run began, and where the model is now.
    recent: over how many iterations ``loss`` is the mean.
    loss: of src and dst, None where nothing was ever trained.
    validation_count: faces of each side that are never trained on.
    validation_loss: theirs, of src and dst, None where it was not measured.
    unreadable: names of faces that could not be read.
    quality: what was said of the swaps, line by line; empty where nobody asked.
    preview: the newest preview image.
    exported: the .dfm file.
    """

    model: str
    kind: str
    archi: str
    resolution: int
    begun: int
    iteration: int
    recent: int
    loss: tuple[float, float] | None
    validation_count: int
    validation_loss: tuple[float, float] | None
    unreadable: tuple[str, ...]
    quality: tuple[str, ...]
    preview: Path
    exported: ExportedModel


@dataclass(frozen=True)
class BatchSizes:
    """What fits into memory. archi, resolution: of the networks; found: how fast each batch size is."""

    archi: str
    resolution: int
    found: "FittingSizes"


def train(
    workspace: Workspace,
    *,
    model: str | None = None,
    choices: Choices | None = None,
    settings: RunSettings | None = None,
    quality: bool = False,
) -> Trained:
    """Train a model until its target or until stopped, save, and export it.

    model: its name; None takes the only one there is, else a new one. choices: of the model; settings: of this run.
    quality: judge the swaps when the target is reached.

    Raises:
        UsageError: for choices that make no sense or that the model cannot have.
        InputError: when a side has no faces, or a file of the model is missing.
        CorruptFileError: when a file of the model is damaged.
        Interrupted: when asked to stop; the model is saved then, not exported.
        DivergedError: when the loss explodes again after a rollback.
        OutOfMemoryFault: when the networks or a batch do not fit.
    """
    choices, settings = _validated(choices), settings or RunSettings()
    folder = _folder(workspace, model, choices)
    require_faces_for(folder, choices, settings.target, workspace)
    # Loads the framework, so only after all that can be refused without it.
    from core.training import run

    with locked(folder, workspace):
        session = run.train(folder, choices, settings, workspace, _examine_in(workspace) if quality else None)
    return trained(session, workspace)


def _examine_in(workspace: Workspace) -> "Examine":
    """Judges the swaps of a session, with the averages of its weights where it keeps them."""
    from core.jobs.models.quality import glance
    from core.training.hooks.examination import Examined

    def examine(session: "Session") -> Examined:
        with session.trainer.averaged():
            weights = session.trainer.weights()
        found = glance(workspace, weights, session.trainer.config, faces=_JUDGED, held_out=session.validation_count)
        return Examined(*found)

    return examine


def trained(session: "Session", workspace: Workspace) -> Trained:
    """Export the model of a session that has ended; what there is to say about it."""
    folder, recent = session.folder, session.history[-_RECENT:]
    return Trained(
        model=folder.name,
        kind=folder.kind,
        archi=session.recipe.archi,
        resolution=session.recipe.resolution,
        begun=session.begun,
        iteration=session.iteration,
        recent=len(recent),
        loss=_mean(recent) if recent else None,
        validation_count=session.validation_count,
        validation_loss=_newest(session.validation_losses),
        unreadable=tuple(session.skipped),
        quality=tuple(session.quality_lines),
        preview=workspace.model / "preview" / "latest.jpg",
        exported=export_model(workspace, model=folder.name, kind=folder.kind),
    )


def measure_batch_sizes(
    workspace: Workspace, *, model: str | None = None, choices: Choices | None = None
) -> BatchSizes:
    """Measure which batch sizes fit into memory and how fast they are; train nothing. Faces are not needed.

    Raises:
        UsageError, InputError, CorruptFileError: as ``train``.
        OutOfMemoryFault: when not even one sample fits.
    """
    choices = _validated(choices)
    folder = _folder(workspace, model, choices)
    from core.training import start
    from core.training.hardware import batch_size_finder

    plan = start.planned(folder, choices, workspace.assets)
    found = batch_size_finder.find_batch_sizes(plan.recipe, plan.settings)
    return BatchSizes(plan.recipe.archi, plan.recipe.resolution, found)


def _validated(choices: Choices | None) -> Choices:
    return replace(choices, recipe=validated(choices.recipe)) if choices else Choices()


def _folder(workspace: Workspace, model: str | None, choices: Choices) -> ModelFolder:
    # A wrong KERAS_BACKEND is said before anything is searched or read.
    keras_backend.choose()
    return choose_or_new(workspace.model, model, choices.kind)


def _newest(rows: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """rows: of [iteration, src, dst]."""
    return (rows[-1][1], rows[-1][2]) if rows else None


def _mean(losses: Sequence[Sequence[float]]) -> tuple[float, float]:
    return sum(loss[0] for loss in losses) / len(losses), sum(loss[1] for loss in losses) / len(losses)
