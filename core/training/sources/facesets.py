"""The facesets that a session trains on, and what batches are made of them."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data.batches import BatchSettings, bins_by_yaw
from core.data.color_match import color_match
from core.data.faces import FaceLoader
from core.errors import InputError, UsageError
from core.faceset.masks.report import described, mask_origins
from core.faceset.store import Faceset, open_faceset, warn_of_other_faces
from core.geometry.align import FaceType
from core.imaging.masks import FROM_LANDMARKS
from core.training.hardware.machine import free_memory
from core.training.kinds import KINDS
from core.training.recipe import Recipe, effective
from core.training.session import Session
from core.training.sources import assets
from core.training.sources.sides import require_faces
from core.training.sources.validation_split import split
from core.types import FaceRecord
from core.workspace import Workspace

log = logging.getLogger(__name__)


def batch_settings(
    session: Session, workspace: Workspace, room: int | None = None, pretrain_faces: Path | None = None
) -> BatchSettings:
    """What the batches of a session are made of; gives the session its validation faces.

    room: bytes for prepared faces; None chooses. pretrain_faces: the folder to pretrain with.

    Raises:
        InputError: when a side has no faces.
        UsageError: for pretraining without a folder, or too many held-out faces.
    """
    src_faces, dst_faces = facesets(session.recipe, workspace, pretrain_faces)
    src = split(src_faces, session.validation_count, "src")
    dst = split(dst_faces, session.validation_count, "dst")
    settings = _of_training(session, src.training, dst.training, cache_bytes() if room is None else room)
    if session.validation_count:
        # Bins hold indices of the training faces; validation goes through its faces in order.
        own = replace(settings, src=src.validation, dst=dst.validation, src_bins=None, dst_bins=None)
        session.validation_faces = own
    return settings


def _of_training(session: Session, src: Faceset, dst: Faceset, room: int) -> BatchSettings:
    recipe, trainer, drawn = effective(session.recipe), session.trainer.settings, False
    for name, faces in (("src", src), ("dst", dst)):
        origins = mask_origins(_as_trained(faces, trainer.exact))
        log.info("%s masks: %s", name, described(origins))
        drawn = drawn or bool(FROM_LANDMARKS & origins.keys())
    if drawn:
        log.info("masks drawn from landmarks do not know hands, hair and glasses; a mask network does (docs/masks.md)")
    return BatchSettings(
        src=src,
        dst=dst,
        resolution=recipe.resolution,
        face_type=FaceType.parse(recipe.face_type),
        batch_size=recipe.batch_size,
        seed=trainer.seed,
        random_warp=recipe.random_warp,
        src_flip=recipe.random_src_flip,
        dst_flip=recipe.random_dst_flip,
        hsv_power=recipe.random_hsv_power,
        ct_mode=recipe.ct_mode,
        src_colors=_color_match(src, dst, recipe) if recipe.match_colors else None,
        exact=trainer.exact,
        moved=not trainer.warp_on_device,
        cache_bytes=room,
        src_bins=bins_by_yaw(src.records(), exact=trainer.exact) if recipe.uniform_yaw else None,
        dst_bins=bins_by_yaw(dst.records(), exact=trainer.exact) if recipe.uniform_yaw else None,
        scale=KINDS[recipe.kind].scale,
        repeat_every=KINDS[recipe.kind].repeat_every,
    )


def _color_match(src: Faceset, dst: Faceset, recipe: Recipe) -> NDArray[np.float32]:
    face_type = FaceType.parse(recipe.face_type)
    return color_match(*(FaceLoader(faces, recipe.resolution, face_type) for faces in (src, dst)))


def _as_trained(faces: Faceset, exact: bool) -> Iterator[FaceRecord]:
    """The records as training takes them: an exact run ignores polygons, as the original does."""
    return (replace(record, polygons=()) if exact else record for record in faces.records())


def facesets(recipe: Recipe, workspace: Workspace, pretrain_faces: Path | None) -> tuple[Faceset, Faceset]:
    """The faces of src and dst; in pretraining both are those of one folder. Raises as ``batch_settings``."""
    if recipe.pretrain:
        if pretrain_faces is None:
            raise UsageError(
                "pretraining needs faces",
                where="--pretrain",
                hint="--pretrain-faces FOLDER names a folder of aligned faces of many people",
            )
        faces = _opened(pretrain_faces, recipe)
        return faces, faces
    src, dst = workspace.side("src"), workspace.side("dst")
    archive = workspace.assets / assets.RANDOM_DST
    if not dst.has_faces() and archive.is_file():
        assets.fill_dst_faces(archive, dst)
    require_faces(workspace)
    return _opened(src.aligned, recipe), _opened(dst.aligned, recipe)


def _opened(folder: Path, recipe: Recipe) -> Faceset:
    faces = open_faceset(folder)
    _require_wide_enough(faces, FaceType.parse(recipe.face_type))
    log.info("%s: %d faces", folder, len(faces))
    for name, why in faces.problems:
        log.warning("skipped: %s: %s", name, why)
    warn_of_other_faces(folder)
    return faces


def cache_bytes() -> int:
    """Room for prepared faces: a quarter of the free memory, at most 4 GiB."""
    return min(free_memory() // 4, 4 * 2**30)


def _require_wide_enough(faces: Faceset, wanted: FaceType) -> None:
    """Whether the crops show as much around the face as the model wants; what is missing would be smeared edges.

    Raises:
        InputError: none of the faces does. Where some do not, that is a warning.
    """
    narrow = Counter(record.face_type for record in faces.records() if FaceType.parse(record.face_type) < wanted)
    if not narrow:
        return
    kinds = ", ".join(f"{count} {name}" for name, count in narrow.most_common())
    text = f"{narrow.total()} of {len(faces)} faces show less than {wanted.file_name}: {kinds}"
    narrowest = min(map(FaceType.parse, narrow)).file_name
    hint = f"extract them again with --face-type {wanted.file_name}, or begin a model with --face-type {narrowest}"
    if narrow.total() == len(faces):
        raise InputError("the faces show less than the model wants", where=faces.folder, why=text, hint=hint)
    log.warning("%s: %s: their edges are smeared; %s", faces.folder, text, hint)
