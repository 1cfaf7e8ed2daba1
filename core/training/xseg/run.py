"""A whole training run of the mask network: open it, make samples, train to the target, save."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from core.data.xseg_samples import XSegSamples, XSegSettings
from core.faceset.masks.report import described
from core.faceset.store import Faceset
from core.geometry.align import FaceType
from core.training.hooks.base import BaseHook
from core.training.hooks.checkpoint import Checkpoint
from core.training.hooks.progress_line import ProgressLine
from core.training.hooks.stop import StopFile, StopSignals
from core.training.hooks.unreadable_faces import UnreadableFaces
from core.training.sources.facesets import cache_bytes
from core.training.xseg import loop
from core.training.xseg.choices import XSegChoices, XSegRunSettings
from core.training.xseg.preview import XSegPreview
from core.training.xseg.session import XSegFolder, XSegSession, open_session
from core.workspace import Workspace

log = logging.getLogger(__name__)


def train(
    facesets: Sequence[Faceset], choices: XSegChoices, settings: XSegRunSettings, workspace: Workspace
) -> tuple[XSegSession, XSegSamples]:
    """Train, and save. Returns the session and what it learned from.

    Raises what opening the model and the loop raise.
    """
    session = open_session(XSegFolder(workspace.model), choices, workspace.trash)
    session.trainer.set_rate(settings.learning_rate, settings.lr_dropout)
    session.target, session.begun = settings.target, session.iteration
    made_of = _sample_settings(session, settings)
    samples = XSegSamples(facesets, made_of, settings.labels)
    log.info("%d faces; masks to learn: %s", len(samples), described(samples.origins))
    unchanged = replace(made_of, plain=True, pretrain=False, cache_bytes=0)
    plain = [XSegSamples([faceset], unchanged, "landmarks") for faceset in facesets]
    hooks = _hooks(session, settings, plain, workspace)
    loop.train(session, samples, hooks, threads=settings.threads)
    return session, samples


def _sample_settings(session: XSegSession, settings: XSegRunSettings) -> XSegSettings:
    recipe = session.trainer.recipe
    return XSegSettings(
        resolution=recipe.resolution,
        face_type=FaceType.parse(session.options["face_type"]),
        batch_size=session.options["batch_size"],
        seed=recipe.seed,
        occluders=settings.occluders,
        pretrain=recipe.pretrain,
        cache_bytes=cache_bytes(),
    )


def _hooks(
    session: XSegSession, settings: XSegRunSettings, plain: Sequence[XSegSamples], workspace: Workspace
) -> list[BaseHook]:
    preview = XSegPreview(workspace.model / "preview" / "xseg.jpg", settings.preview_every, plain)
    chain: list[BaseHook] = [UnreadableFaces(), preview, ProgressLine(session, "train XSeg", ("loss",))]
    chain.append(Checkpoint(settings.save_minutes, lambda _: loop.save(session, chain)))
    return [*chain, StopFile(workspace.model / "STOP"), StopSignals()]
