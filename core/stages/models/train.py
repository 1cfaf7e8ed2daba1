"""faces -> model: train, save, show previews, and export the .dfm at the end"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from core.checkpoints.model_folder import is_name
from core.options import Options as BaseOptions
from core.options import PositionalOrFlag
from core.training.choices import Choices, RunSettings
from core.training.recipe import Recipe
from core.training.schedule import presets
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.models.train import BatchSizes, Trained


class Options(BaseOptions, Recipe):
    """Flags for the fields of the recipe, which is saved with the model, and for this run.

    A resumed model keeps its own recipe where nothing else is given.
    """

    GROUPS = {
        "what to train": ("target_iter", "model", "kind", "preset", "pretrain"),
        "the model (belongs to it once it exists)": (
            "resolution",
            "face_type",
            "archi",
            "ae_dims",
            "e_dims",
            "d_dims",
            "d_mask_dims",
        ),
        "quality": (
            "batch_size",
            "learning_rate",
            "random_warp",
            "uniform_yaw",
            "eyes_mouth_prio",
            "ct_mode",
            "gan_power",
            "ema",
            "held_out",
            "quality",
        ),
        "saving and looking": ("save_minutes", "preview_every", "autobackup_hour"),
        "the machine": ("fit", "precision", "batch_parts", "devices", "workers", "face_cache", "warp_on_device"),
    }
    target_iter: PositionalOrFlag[int] = Field(
        0,
        ge=0,
        description="train until this iteration; 0: to the end of the schedule if there is one, else until stopped",
    )
    model: str | None = Field(
        None, description="name of the model; by default the only one there is, or a new one called swap"
    )
    save_minutes: float | None = Field(
        None,
        gt=0,
        le=1440,
        description="minutes between saves; by default 5, or 25 if a save takes longer than 2 seconds",
    )
    preview_every: int = Field(100, ge=0, description="iterations between preview images; 0 draws them at saves only")
    learning_rate: float | None = Field(
        None,
        gt=0,
        le=1e-2,
        description="step size of the optimizer; 5e-5 (Quick96: 2e-4) in a new model, a resumed one keeps its own",
    )
    seed: int | None = Field(
        None, ge=0, lt=2**31, description="seed of everything random; a resumed model keeps its own"
    )
    dfl_exact: bool | None = Field(
        None, description="keep DeepFaceLab's defects (warp, borders, background mask) instead of mending them"
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] | None = Field(
        None,
        description="arithmetic of the layers; 16 bits save memory and time on a GPU; auto measures float32 and "
        "bfloat16 and takes the faster; float32 in a new model, a resumed one keeps its own",
    )
    ema: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="previews and export use averaged weights; this is their decay, such as 0.999, 0 for none",
    )
    batch_parts: int | None = Field(
        None,
        ge=1,
        le=64,
        description="compute each batch in so many parts, one after the other: memory for one part, the same step; 1 "
        "in a new model, a resumed one keeps its own",
    )
    warp_on_device: bool | None = Field(
        None,
        description="warp and turn the samples on the device instead of in the workers: for a fast GPU beside few "
        "processor cores; not with --dfl-exact; off in a new model, a resumed one keeps its own",
    )
    devices: int | None = Field(
        None, ge=1, le=64, description="how many GPUs share each batch; 1 in a new model, a resumed one keeps its own"
    )
    workers: int | None = Field(
        None,
        ge=0,
        le=64,
        description="processes that prepare batches; by default as many as the step eats; 0 prepares them in the "
        "training process",
    )
    face_cache: float | None = Field(
        None,
        ge=0,
        le=1024,
        description="GiB of memory for prepared faces, shared by all workers; by default a quarter of what is free, at "
        "most 4",
    )
    preset: str | None = Field(
        None,
        description="options of a new model, and a schedule of phases that stays with the model: "
        f"{', '.join(presets.NAMES)}, or a file.toml; `list` describes them, `none` ends the schedule",
    )
    held_out: int | None = Field(
        None,
        ge=0,
        le=10_000,
        description="how many faces of each side are kept out of training, to show what was learned and not "
        "memorised; 0 in a new model, a resumed one keeps its own",
    )
    held_out_every: int = Field(
        500, ge=1, description="iterations between losses of the held-out faces (at most 32 a side); also at saves"
    )
    quality: bool = Field(
        False,
        description="judge the swaps when the target is reached (seconds to a minute): 5.x_quality.sh says more",
    )
    tensorboard: bool = Field(False, description="write event files for TensorBoard into model/tensorboard")
    fit: bool = Field(
        False, description="measure which batch sizes fit into memory and how fast they are, and train nothing"
    )
    reinit_part: list[str] = Field([], description="a part of the networks, such as inter_AB, to start anew")
    pretrained: bool = Field(
        True,
        description="start a new model from assets/pretrained_model.zip (AMP, Quick96: pretrained_model_<kind>.zip) "
        "if there is one",
    )
    pretrain_faces: Path | None = Field(None, description="folder of aligned faces of many people, for --pretrain")

    @field_validator("model")
    @classmethod
    def _file_name(cls, value: str | None) -> str | None:
        if value is not None and not is_name(value):
            raise ValueError("a name has letters, digits, spaces and dashes, no slash, and no dot in front")
        return value


def run(options: Options, workspace: Workspace) -> StageReport:
    """Train one model until its target or until stopped; it is saved either way."""
    if options.preset == "list":
        return StageReport("presets", tuple((name, presets.find(name).description) for name in presets.NAMES))
    choices = _choices(options)
    from core.jobs.models import train as job

    if options.fit:
        return _batch_sizes(job.measure_batch_sizes(workspace, model=options.model, choices=choices))
    done = job.train(
        workspace, model=options.model, choices=choices, settings=_settings(options), quality=options.quality
    )
    return trained(done)


def _choices(options: Options) -> Choices:
    """What a person chose for the model."""
    # The target is of this run, not of the model. A default that nobody chose must not override what the model has.
    recipe = options.model_fields_set & Recipe.model_fields.keys() - {"target_iter"}
    return Choices(
        recipe={name: getattr(options, name) for name in recipe},
        learning_rate=options.learning_rate,
        seed=options.seed,
        exact=options.dfl_exact,
        precision=options.precision,
        ema=options.ema,
        devices=options.devices,
        parts=options.batch_parts,
        warp_on_device=options.warp_on_device,
        validation_count=options.held_out,
        preset=presets.find(options.preset) if options.preset else None,
        reinit=tuple(options.reinit_part),
        use_pretrained=options.pretrained,
    )


def _settings(options: Options) -> RunSettings:
    return RunSettings(
        target=options.target_iter,
        workers=options.workers,
        face_cache=options.face_cache,
        save_minutes=options.save_minutes,
        preview_every=options.preview_every,
        validation_every=options.held_out_every,
        tensorboard=options.tensorboard,
        pretrain_faces=options.pretrain_faces,
    )


def _batch_sizes(sizes: "BatchSizes") -> StageReport:
    from core.training.hardware.batch_size_finder import HEAD, gigabytes

    found = sizes.found
    rows = [
        ("parameters", f"{found.parameters:,}"),
        ("weights and moments", gigabytes(found.state_bytes)),
        ("measured on", found.rows[0].measured.device),
        ("", HEAD),
        *(("", row) for row in found.rows),
        ("", found.end),
    ]
    return StageReport(f"batch sizes of {sizes.archi}, {sizes.resolution} px; nothing was trained", tuple(rows))


def trained(done: "Trained") -> StageReport:
    """The run in words."""
    rows: list[tuple[str, object]] = [
        ("iterations", f"{done.begun} -> {done.iteration}"),
        ("model", f"{done.archi}, {done.resolution} px"),
    ]
    if done.loss:
        rows.append((f"mean loss of the last {done.recent}", _losses(done.loss)))
    if done.validation_loss:
        rows.append((f"loss of {done.validation_count} held-out faces a side", _losses(done.validation_loss)))
    if done.unreadable:
        rows.append(("faces that cannot be read", len(done.unreadable)))
    rows += [("" if number else "quality", line) for number, line in enumerate(done.quality)]
    rows.append(("export: weights", done.exported.weights))
    rows.append(("export: difference from the model", f"{done.exported.difference:.1e}"))
    warnings = (*done.unreadable[:20], *map(str, done.exported.remarks))
    return StageReport("trained", tuple(rows), warnings, (done.preview, done.exported.path))


def _losses(loss: tuple[float, float]) -> str:
    return f"src {loss[0]:.4f}, dst {loss[1]:.4f}"
