"""faces -> model: train, save, show previews, and export the .dfm at the end"""

import logging
import os
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import CliPositionalArg

from core.training.recipe import Recipe
from core.types import StageReport
from core.workspace import Workspace

log = logging.getLogger(__name__)


class Options(Recipe):
    """The recipe (saved with the model; a resumed model keeps its own values where none are given) and this run."""

    until: CliPositionalArg[int | None] = Field(None, ge=1, description="train until this iteration; left out: --target-iter if given, else until stopped")
    model: str | None = Field(None, pattern=r"^[^_/\\.][^_/\\]*$", description="name of the model; default is the only one there, else a new one: swap")
    save_minutes: float = Field(25, gt=0, le=1440, description="minutes between saves")
    preview_every: int = Field(100, ge=0, description="iterations between preview pictures; 0 draws them at saves only")
    learning_rate: float | None = Field(None, gt=0, le=1e-2, description="step size of the optimizer; 5e-5 in a new model, a resumed one keeps its own")
    seed: int | None = Field(None, ge=0, lt=2**31, description="of everything random; a resumed model keeps its own")
    dfl_exact: bool | None = Field(None, description="keep DeepFaceLab's defects (warp, borders, background mask) instead of mending them")
    precision: Literal["float32", "bfloat16", "float16"] | None = Field(
        None, description="arithmetic of the layers; half of it saves memory and time on a GPU; float32 in a new model, a resumed one keeps its own")
    ema: float | None = Field(None, ge=0, lt=1, description="previews and export use averaged weights; this is their decay, such as 0.999, 0 for none")
    devices: int | None = Field(None, ge=1, le=64, description="how many GPUs share each batch; 1 in a new model, a resumed one keeps its own")
    workers: int | None = Field(None, ge=0, le=64, description="processes that prepare batches; 0 prepares them in the training process")
    reinit_part: list[str] = Field([], description="a part of the networks, such as inter_AB, that starts anew")
    pretrained: bool = Field(True, description="start a new model from assets/pretrained_model.zip if it is there")
    pretrain_faces: Path | None = Field(None, description="folder of aligned faces of many people, for --pretrain")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Train one model until its target or until stopped; it is saved either way."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from core.fsio import lock
    from core.training import start
    from core.training.model_folder import ModelFolder

    folder: ModelFolder = start.model_folder(workspace, options.model)
    with lock(workspace.locks / f"train.{folder.name}.lock", f"the model {folder.name}"):
        return _train(options, workspace, folder)


def _train(options: Options, workspace: Workspace, folder) -> StageReport:
    from core.training import loop, start

    chosen = start.StartOptions(options.seed, options.dfl_exact, tuple(options.reinit_part), options.pretrained, options.learning_rate,
                                options.precision, options.ema, options.devices)
    workers = start.default_workers() if options.workers is None else options.workers
    session = start.open_session(folder, options, chosen, workspace.assets)
    session.target = _target(options)
    begun = session.iteration
    if session.done:
        log.info("%s is already at iteration %d, the target is %d", folder.name, session.iteration, session.target)
    else:
        settings = start.batch_settings(session, workspace, workers, options.pretrain_faces)
        loop.train(session, settings, _hooks(options, workspace, session), workers=workers)
    return _report(session, begun, workspace)


def _target(options: Options) -> int:
    if options.until is not None:
        return options.until
    return options.target_iter if "target_iter" in options.model_fields_set else 0


def _hooks(options: Options, workspace: Workspace, session) -> list:
    from core.training import hooks, loop, pictures

    chain: list = [
        hooks.UnreadableFaces(),
        pictures.Preview(workspace.model / "preview", options.preview_every, session.recipe.write_preview_history),
        pictures.LossPlot(workspace.model / "loss.png"),
        hooks.Metrics(workspace.model / "metrics.jsonl", session.iteration),
        hooks.ProgressLine(session),
    ]
    def save(session) -> None:
        loop.save(session, chain)

    if session.recipe.autobackup_hour:
        chain.append(hooks.AutoBackup(session.recipe.autobackup_hour, save, workspace.model / "preview" / "latest.jpg"))
    return [*chain, hooks.Checkpoint(options.save_minutes, save), hooks.StopFile(workspace.model / "STOP"), hooks.StopSignals()]


def _report(session, begun: int, workspace: Workspace) -> StageReport:
    from core.stages import export

    exported = export.run(export.Options(model=session.folder.name), workspace)
    recent = session.history[-100:]
    losses = [sum(column) / len(recent) for column in zip(*recent, strict=True)] if recent else []
    rows: list[tuple[str, object]] = [("iterations", f"{begun} -> {session.iteration}"), ("model", f"{session.recipe.archi}, {session.recipe.resolution} px")]
    if losses:
        rows.append(("mean loss of the last 100", f"src {losses[0]:.4f}, dst {losses[1]:.4f}"))
    outputs = (workspace.model / "preview" / "latest.jpg", *exported.outputs)
    if session.skipped:
        rows.append(("faces that cannot be read", len(session.skipped)))
    return StageReport("trained", (*rows, *exported.rows[-1:]), (*session.skipped[:20], *exported.warnings), outputs)
