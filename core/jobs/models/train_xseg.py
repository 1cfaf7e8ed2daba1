"""Train the mask network on labelled faces.

What can be said without a framework is said before one is loaded, which takes a while: nothing here imports one before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.xseg_samples import XSegSamples
from core.errors import InputError
from core.faceset.store import Faceset, open_faceset, warn_of_other_faces
from core.networks import keras_backend
from core.training.xseg.choices import XSegChoices, XSegRunSettings
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.training.xseg.session import XSegSession

_RECENT = 100


@dataclass(frozen=True)
class TrainedXSeg:
    """A training run of the mask network that came to its end; it is saved.

    begun, iteration: where the run began, and where the network is now.
    resolution, base: side in pixels and width of the network.
    faces: how many it learned from. origins: where their masks are from -> how many.
    recent: over how many iterations ``loss`` is the mean; None where nothing was ever trained.
    unreadable: names of faces that could not be read.
    weights: the file. preview: the newest preview image.
    """

    begun: int
    iteration: int
    resolution: int
    base: int
    faces: int
    origins: dict[str, int]
    recent: int
    loss: float | None
    unreadable: tuple[str, ...]
    weights: Path
    preview: Path


def train_xseg(
    workspace: Workspace,
    *,
    faces: Sequence[Path] = (),
    choices: XSegChoices | None = None,
    settings: XSegRunSettings | None = None,
) -> TrainedXSeg:
    """Train the mask network of a workspace until its target or until stopped; it is saved either way.

    faces: folders of aligned faces; none takes those of both sides. choices: of the model; settings: of this run.

    Raises:
        UsageError: for choices that the model cannot have.
        InputError: when there are no faces or no labels, or a file of the model is missing.
        CorruptFileError: when a file of the model is damaged.
        Interrupted: when asked to stop.
        DivergedError: when the loss is no number.
    """
    keras_backend.choose()
    with workspace.locked("train.XSeg", "the XSeg model"):
        facesets = facesets_of(workspace, faces)
        from core.training.xseg import run

        session, samples = run.train(facesets, choices or XSegChoices(), settings or XSegRunSettings(), workspace)
    return _trained(session, samples, workspace)


def facesets_of(workspace: Workspace, folders: Sequence[Path] = ()) -> list[Faceset]:
    """The faces in the folders; without folders, those of both sides. Raises InputError when there are none."""
    sides = [workspace.side(name) for name in ("src", "dst")]
    chosen = folders or [side.aligned for side in sides if side.has_faces()]
    if not chosen:
        raise InputError(
            "no faces to learn from",
            where=" and ".join(str(side.aligned) for side in sides),
            hint="extract faces first, or name folders: --faces",
        )
    for folder in chosen:
        warn_of_other_faces(folder)
    return [open_faceset(folder) for folder in chosen]


def _trained(session: "XSegSession", samples: XSegSamples, workspace: Workspace) -> TrainedXSeg:
    recent = [losses[0] for losses in session.history[-_RECENT:]]
    recipe = session.trainer.recipe
    return TrainedXSeg(
        begun=session.begun,
        iteration=session.iteration,
        resolution=recipe.resolution,
        base=recipe.base,
        faces=len(samples),
        origins=dict(samples.origins),
        recent=len(recent),
        loss=sum(recent) / len(recent) if recent else None,
        unreadable=tuple(session.skipped),
        weights=session.folder.path(session.trainer.files[0]),
        preview=workspace.model / "preview" / "xseg.jpg",
    )
