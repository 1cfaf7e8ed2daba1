"""faces -> model: train, save, show previews, and export the .dfm at the end"""

import logging
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from core.checkpoints.model_folder import is_name
from core.options import Positional
from core.training.recipe import Recipe
from core.training.schedule import presets
from core.types import StageReport
from core.workspace import Workspace

log = logging.getLogger(__name__)


class Options(Recipe):
    """The recipe (saved with the model; a resumed model keeps its own values where none are given) and this run."""

    until: Positional[int | None] = Field(
        None,
        ge=1,
        description="train until this iteration; left out: --target-iter if given, else to the end of the schedule, else until stopped",
    )
    model: str | None = Field(
        None, description="name of the model; default is the only one there, else a new one: swap"
    )
    save_minutes: float = Field(25, gt=0, le=1440, description="minutes between saves")
    preview_every: int = Field(100, ge=0, description="iterations between preview pictures; 0 draws them at saves only")
    learning_rate: float | None = Field(
        None,
        gt=0,
        le=1e-2,
        description="step size of the optimizer; 5e-5 (Quick96: 2e-4) in a new model, a resumed one keeps its own",
    )
    seed: int | None = Field(None, ge=0, lt=2**31, description="of everything random; a resumed model keeps its own")
    dfl_exact: bool | None = Field(
        None, description="keep DeepFaceLab's defects (warp, borders, background mask) instead of mending them"
    )
    precision: Literal["float32", "bfloat16", "float16"] | None = Field(
        None,
        description="arithmetic of the layers; half of it saves memory and time on a GPU; float32 in a new model, a resumed one keeps its own",
    )
    ema: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="previews and export use averaged weights; this is their decay, such as 0.999, 0 for none",
    )
    devices: int | None = Field(
        None, ge=1, le=64, description="how many GPUs share each batch; 1 in a new model, a resumed one keeps its own"
    )
    workers: int | None = Field(
        None, ge=0, le=64, description="processes that prepare batches; 0 prepares them in the training process"
    )
    preset: str | None = Field(
        None,
        description=f"options of a new model, and a schedule of phases that stays with the model: {', '.join(presets.NAMES)}, or "
        "a file.toml; list tells what they are, none ends the schedule",
    )
    held_out: int | None = Field(
        None,
        ge=0,
        le=10_000,
        description="faces of each side that are never trained on and show what the model has learnt, not "
        "memorised; 0 in a new model, a resumed one keeps its own",
    )
    held_out_every: int = Field(
        500, ge=1, description="iterations between losses of the held-out faces, at most 32 a side; saves have them too"
    )
    tensorboard: bool = Field(False, description="write event files for TensorBoard into model/tensorboard")
    fit: bool = Field(
        False, description="measure which batch sizes fit into memory and how fast they are, and train nothing"
    )
    reinit_part: list[str] = Field([], description="a part of the networks, such as inter_AB, that starts anew")
    pretrained: bool = Field(
        True,
        description="start a new model from assets/pretrained_model.zip (AMP, Quick96: pretrained_model_<kind>.zip) if there is one",
    )
    pretrain_faces: Path | None = Field(None, description="folder of aligned faces of many people, for --pretrain")

    @field_validator("model")
    @classmethod
    def _file_name(cls, value: str | None) -> str | None:
        if value is not None and not is_name(value):
            raise ValueError(
                "a name has letters, digits, spaces and dashes, no underscore or slash, and no dot in front"
            )
        return value


def run(options: Options, workspace: Workspace) -> StageReport:
    """Train one model until its target or until stopped; it is saved either way."""
    if options.preset == "list":
        return StageReport("presets", tuple((name, presets.find(name).description) for name in presets.NAMES))
    preset = presets.find(options.preset) if options.preset else None
    kind = options.kind if "kind" in options.model_fields_set else None
    from core.networks import keras_backend

    keras_backend.choose()
    from core.checkpoints.selection import choose_or_new
    from core.fsio import lock
    from core.training import sides

    folder = choose_or_new(workspace.model, options.model, kind)
    if not options.fit:
        sides.check(workspace, folder, options, _target(options))
    from core.training import start  # loads the framework, which takes a while: what can be said without it was said

    chosen = start.StartOptions(
        options.seed,
        options.dfl_exact,
        tuple(options.reinit_part),
        options.pretrained,
        options.learning_rate,
        options.precision,
        options.ema,
        options.devices,
        preset,
        options.held_out,
    )
    if options.fit:
        return _fit(start.planned(folder, options, chosen, workspace.assets))
    with lock(workspace.locks / f"train.{folder.name}.lock", f"the model {folder.name}"):
        return _train(options, chosen, workspace, folder)


def _train(options: Options, chosen: Any, workspace: Workspace, folder: Any) -> StageReport:
    from core.training import run

    how = run.RunOptions(
        _target(options),
        options.workers,
        options.save_minutes,
        options.preview_every,
        options.held_out_every,
        options.tensorboard,
        options.pretrain_faces,
    )
    session, begun = run.train(folder, options, chosen, how, workspace)
    return _report(session, begun, workspace)


def _target(options: Options) -> int:
    if options.until is not None:
        return options.until
    return options.target_iter if "target_iter" in options.model_fields_set else 0


def _fit(plan: Any) -> StageReport:
    from core.training.hardware import batch_size_finder as fit

    found = fit.fit(plan.recipe, plan.settings)
    rows = [
        ("parameters", f"{found.parameters:,}"),
        ("weights and moments", fit.gigabytes(found.state_bytes)),
        ("measured on", found.rows[0].measured.device),
        ("", fit.HEAD),
        *(("", row) for row in found.rows),
        ("", found.end),
    ]
    return StageReport(
        f"batch sizes of {plan.recipe.archi}, {plan.recipe.resolution} px; nothing was trained", tuple(rows)
    )


def _report(session, begun: int, workspace: Workspace) -> StageReport:
    from core.stages import export

    exported = export.run(export.Options(model=session.folder.name, kind=session.folder.kind), workspace)
    recent = session.history[-100:]
    losses = [sum(column) / len(recent) for column in zip(*recent, strict=True)] if recent else []
    rows: list[tuple[str, object]] = [
        ("iterations", f"{begun} -> {session.iteration}"),
        ("model", f"{session.recipe.archi}, {session.recipe.resolution} px"),
    ]
    if losses:
        rows.append((f"mean loss of the last {len(recent)}", f"src {losses[0]:.4f}, dst {losses[1]:.4f}"))
    outputs = (workspace.model / "preview" / "latest.jpg", *exported.outputs)
    if session.validation_losses:
        rows.append(
            (
                f"loss of {session.validation_count} held-out faces a side",
                "src {1:.4f}, dst {2:.4f}".format(*session.validation_losses[-1]),
            )
        )
    if session.skipped:
        rows.append(("faces that cannot be read", len(session.skipped)))
    rows += [
        (f"export: {label}", value)
        for label, value in exported.rows
        if label in ("weights", "difference from the model")
    ]
    return StageReport("trained", tuple(rows), (*session.skipped[:20], *exported.warnings), outputs)
