"""Train XSeg, the mask network, on labelled faces of both sides; steps 3.2 and 4.2 then use it"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from core.options import Options as BaseOptions
from core.options import Positional
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.models.train_xseg import TrainedXSeg

# Resolution and base; its program can load no other.
_OF_THE_ORIGINAL = (256, 32)


class Options(BaseOptions):
    until: Positional[int | None] = Field(
        None, ge=1, description="train until this iteration; by default until stopped (Ctrl-C, or a file model/STOP)"
    )
    face_type: Literal["h", "mf", "f", "wf", "head"] | None = Field(
        None, description="how much of the face is seen; wf in a new model. Belongs to the model"
    )
    batch_size: int | None = Field(
        None, ge=1, le=256, description="faces in an iteration; 4 in a new model (DeepFaceLab allows 2 to 16)"
    )
    labels: Literal["auto", "polygons", "masks", "both", "landmarks"] = Field(
        "auto",
        description="what to learn from: polygons, stored masks, both, or all faces with landmark masks; auto: "
        "polygons, else stored masks",
    )
    occluders: float = Field(
        0.25,
        ge=0,
        le=1,
        description="how often hands, sticks, hair and other things are drawn in front of a face; 0 as in DeepFaceLab",
    )
    pretrain: bool | None = Field(
        None, description="learn to draw faces first, without labels; then again with --no-pretrain"
    )
    faces: list[Path] = Field(
        [], description="folders of aligned faces to learn from, in place of data_src/aligned and data_dst/aligned"
    )
    resolution: int | None = Field(
        None,
        ge=64,
        le=512,
        description="side of the network in pixels; DeepFaceLab can use 256 only. Belongs to the model",
    )
    base: int | None = Field(
        None, ge=2, le=64, description="width of the network; DeepFaceLab can use 32 only. Belongs to the model"
    )
    restart: bool = Field(
        False, description="begin with new weights and at iteration 0; the saved model is replaced at the first save"
    )
    learning_rate: float = Field(
        1e-4,
        gt=0,
        le=0.01,
        description="how far weights move in an iteration, as in DeepFaceLab; more is faster and less safe",
    )
    lr_dropout: bool = Field(
        True, description="move only a random third of the weights in each iteration, as DeepFaceLab does"
    )
    seed: int | None = Field(
        None, ge=0, lt=2**31, description="seed of everything random; a resumed model keeps its own"
    )
    save_minutes: float | None = Field(
        None,
        gt=0,
        le=1440,
        description="minutes between saves; by default 5, or 25 if a save takes longer than 2 seconds",
    )
    preview_every: int = Field(100, ge=0, description="iterations between preview images; 0 draws them at saves only")
    threads: int = Field(4, ge=1, le=64, description="threads that prepare samples")

    @field_validator("resolution")
    @classmethod
    def _multiple(cls, value: int | None) -> int | None:
        if value is not None and value % 64:
            raise ValueError("must be a multiple of 64")
        return value


def run(options: Options, workspace: Workspace) -> StageReport:
    """Train until the target or until stopped; the model is saved either way, as ``model/XSeg_256.npy``."""
    from core.jobs.models.train_xseg import train_xseg
    from core.training.xseg.choices import XSegChoices, XSegRunSettings

    choices = XSegChoices(
        face_type=options.face_type,
        resolution=options.resolution,
        base=options.base,
        batch_size=options.batch_size,
        pretrain=options.pretrain,
        seed=options.seed,
        restart=options.restart,
    )
    settings = XSegRunSettings(
        target=options.until or 0,
        labels=options.labels,
        occluders=options.occluders,
        learning_rate=options.learning_rate,
        lr_dropout=options.lr_dropout,
        save_minutes=options.save_minutes,
        preview_every=options.preview_every,
        threads=options.threads,
    )
    return _report(train_xseg(workspace, faces=options.faces, choices=choices, settings=settings))


def _report(done: "TrainedXSeg") -> StageReport:
    from core.faceset.masks.report import described

    rows: list[tuple[str, object]] = [
        ("iterations", f"{done.begun} -> {done.iteration}"),
        ("faces learned from", done.faces),
        ("their masks", described(done.origins)),
        ("network", f"{done.resolution} px"),
    ]
    if done.loss is not None:
        rows.append((f"mean loss of the last {done.recent}", f"{done.loss:.4f}"))
    if done.unreadable:
        rows.append(("faces that cannot be read", len(done.unreadable)))
    warnings = []
    if (done.resolution, done.base) != _OF_THE_ORIGINAL:
        warnings.append("only this program can use a mask network of this size; DeepFaceLab's has 256 px and base 32")
    return StageReport("trained XSeg", tuple(rows), tuple(warnings), (done.weights, done.preview))
