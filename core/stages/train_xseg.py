"""Train XSeg, the mask network, on labelled faces of both sides; what it learned applies at once with the mask stage"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from core.errors import InputError
from core.options import Options as BaseOptions
from core.options import Positional
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.data.xseg_samples import XSegSamples
    from core.faceset.store import Faceset
    from core.training.xseg.session import XSegSession

log = logging.getLogger(__name__)


class Options(BaseOptions):
    until: Positional[int | None] = Field(
        None, ge=1, description="train until this iteration; left out: until stopped (Ctrl-C, or a file model/STOP)"
    )
    face_type: Literal["h", "mf", "f", "wf", "head"] | None = Field(
        None, description="how much of the face is seen; a new model: wf. Belongs to the model"
    )
    batch_size: int | None = Field(
        None, ge=1, le=256, description="faces in an iteration; a new model: 4 (the original allows 2 to 16)"
    )
    labels: Literal["auto", "polygons", "masks", "both", "landmarks"] = Field(
        "auto",
        description="what to learn from: polygons, stored masks, both, or all faces with landmark masks; auto: polygons, else stored masks",
    )
    occluders: float = Field(
        0.25,
        ge=0,
        le=1,
        description="how often hands, sticks, hair and other things are drawn in front of a face; 0 as in the original",
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
        description="side of the network in pixels; only 256 can be used by the original. Belongs to the model",
    )
    base: int | None = Field(
        None, ge=2, le=64, description="width of the network; only 32 can be used by the original. Belongs to the model"
    )
    restart: bool = Field(
        False, description="begin with new weights and at iteration 0; the saved model is replaced at the first save"
    )
    learning_rate: float = Field(
        1e-4,
        gt=0,
        le=0.01,
        description="how far weights move in an iteration, as in the original; more is faster and less safe",
    )
    lr_dropout: bool = Field(
        True, description="move only a random third of the weights in each iteration, as the original does"
    )
    seed: int | None = Field(None, ge=0, lt=2**31, description="of everything random; a resumed model keeps its own")
    save_minutes: float = Field(15, gt=0, le=1440, description="minutes between saves")
    preview_every: int = Field(100, ge=0, description="iterations between preview pictures; 0 draws them at saves only")
    threads: int = Field(4, ge=1, le=64, description="threads that prepare samples")

    @field_validator("resolution")
    @classmethod
    def _multiple(cls, value: int | None) -> int | None:
        if value is not None and value % 64:
            raise ValueError("must be a multiple of 64")
        return value


def run(options: Options, workspace: Workspace) -> StageReport:
    """Train until the target or until stopped; the model is saved either way, as ``model/XSeg_256.npy``."""
    from core.networks import keras_backend

    keras_backend.choose()
    from core.fsio import lock

    with lock(workspace.locks / "train.XSeg.lock", "the XSeg model"):
        return _train(options, workspace)


def _train(options: Options, workspace: Workspace) -> StageReport:
    from dataclasses import replace

    facesets = _facesets(options, workspace)  # before the framework is loaded, which takes a while
    from core.data.xseg_samples import XSegSamples, XSegSettings
    from core.faceset.masks.report import described
    from core.geometry.align import FaceType
    from core.training.facesets import cache_bytes
    from core.training.hooks.checkpoint import Checkpoint
    from core.training.hooks.progress_line import ProgressLine
    from core.training.hooks.stop import StopFile, StopSignals
    from core.training.hooks.unreadable_faces import UnreadableFaces
    from core.training.xseg import session as xseg_session
    from core.training.xseg.preview import XSegPreview

    choices = xseg_session.XSegChoices(
        options.face_type,
        options.resolution,
        options.base,
        options.batch_size,
        options.pretrain,
        options.seed,
        options.restart,
    )
    session = xseg_session.open_session(xseg_session.XSegFolder(workspace.model), choices, workspace.trash)
    session.trainer.set_rate(options.learning_rate, options.lr_dropout)
    session.target = options.until or 0
    begun, recipe = session.iteration, session.trainer.recipe
    settings = XSegSettings(
        recipe.resolution,
        FaceType.parse(session.options["face_type"]),
        session.options["batch_size"],
        recipe.seed,
        options.occluders,
        pretrain=recipe.pretrain,
        cache_bytes=cache_bytes(1),
    )
    samples = XSegSamples(facesets, settings, options.labels)
    log.info("%d faces; masks to learn: %s", len(samples), described(samples.origins))
    plain = [
        XSegSamples([faceset], replace(settings, plain=True, pretrain=False, cache_bytes=0), "landmarks")
        for faceset in facesets
    ]
    preview = XSegPreview(workspace.model / "preview" / "xseg.jpg", options.preview_every, plain)
    chain: list = [UnreadableFaces(), preview, ProgressLine(session, "train XSeg", ("loss",))]
    chain.append(Checkpoint(options.save_minutes, lambda _: xseg_session.save(session, chain)))
    chain += [StopFile(workspace.model / "STOP"), StopSignals()]
    xseg_session.train(session, samples, chain, threads=options.threads)
    return _report(session, begun, samples, workspace)


def _facesets(options: Options, workspace: Workspace) -> "list[Faceset]":
    from core.faceset.store import open_faceset

    sides = [workspace.side(name) for name in ("src", "dst")]
    folders = options.faces or [side.aligned for side in sides if side.has_faces()]
    if not folders:
        raise InputError(
            "no faces to learn from",
            where=" and ".join(str(side.aligned) for side in sides),
            hint="extract faces first, or name folders: --faces",
        )
    return [open_faceset(folder) for folder in folders]


def _report(session: "XSegSession", begun: int, samples: "XSegSamples", workspace: Workspace) -> StageReport:
    from core.faceset.masks.report import described

    recent = [loss[0] for loss in session.history[-100:]]
    rows = [
        ("iterations", f"{begun} -> {session.iteration}"),
        ("faces learned from", len(samples)),
        ("their masks", described(samples.origins)),
        ("network", f"{session.trainer.recipe.resolution} px"),
    ]
    if recent:
        rows.append(("mean loss of the last 100", f"{sum(recent) / len(recent):.4f}"))
    if session.skipped:
        rows.append(("faces that cannot be read", len(session.skipped)))
    compatible = (session.trainer.recipe.resolution, session.trainer.recipe.base) == (256, 32)
    warnings = (
        ()
        if compatible
        else ("only this program can use a mask network of this size; 256 px and base 32 are the original's",)
    )
    weights = session.folder.path(session.trainer.files[0])
    return StageReport("trained XSeg", tuple(rows), warnings, (weights, workspace.model / "preview" / "xseg.jpg"))
