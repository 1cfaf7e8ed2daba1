"""A side whose database may be new, and the masks in its face files."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import PipelineError
from core.faceset.database.connection import open_database
from core.faceset.exchange.placed import SIZE, moved, stored_mask
from core.faceset.identity import face_id
from core.faceset.register import open_known
from core.formats.faceswap.document import FsaMask, make_mask
from core.geometry.centring import crop_matrix
from core.imaging.masks import has_polygons, mask_origin
from core.jobs.alignments.opened import OpenedFaces, opened_faces
from core.jobs.frame_receipt import read_receipt
from core.jobs.side import opened_side
from core.progress import progress
from core.types import FaceRecord
from core.workspace import Side, Workspace

# Face -> name -> mask.
Masks = dict[str, dict[str, FsaMask]]


@contextmanager
def opened_or_new(workspace: Workspace, name: str) -> Iterator[OpenedFaces]:
    """A side and its database, which is made where there is none. Raises as ``opened_faces``."""
    with opened_side(workspace, name) as side:
        side.frames.mkdir(parents=True, exist_ok=True)
        with open_database(side.database, create=True):
            pass
    with opened_faces(workspace, name) as opened:
        yield opened


def masks_in_files(side: Side, left_out: Counter[str]) -> Masks:
    """The stored masks of the face files of a side as faceswap has them: of the face crop, 128 pixels.

    They are called ``xseg_face``, ``hull_face`` ..., after who made them. left_out: counts what cannot be taken.
    """
    found: Masks = {}
    if not side.has_faces():
        return found
    with open_known(side) as known:
        records = known.faceset.records()
        for index in progress(range(len(records)), description="masks", unit="face"):
            left_out["hand-drawn outlines, which stay in the face files"] += has_polygons(records[index])
            if records[index].xseg_mask is None:
                continue
            record = known.faceset.full_record(index)
            try:
                mask = _mask_of(record)
            except PipelineError:
                left_out["masks of face files that are damaged"] += 1
                continue
            if mask is not None:
                found[face_id(record)] = {f"{mask_origin(record)}_face": mask}
    return found


def _mask_of(record: FaceRecord) -> FsaMask | None:
    stored = stored_mask(record)
    if stored is None or record.source_landmarks is None:
        return None
    pixels, matrix = stored
    wanted = crop_matrix(record.source_landmarks, SIZE, "face")
    return make_mask(moved(pixels, matrix, wanted, SIZE), wanted, "face")


def frame_choice(side: Side) -> str:
    """How the frames step chose among the frames of the film, where it did not take all; empty where it did."""
    receipt = read_receipt(side.frames)
    options = (receipt.options if receipt else None) or {}
    chosen = [f"{what} {options[what]}" for what in ("fps", "start", "end") if options.get(what)]
    return ", ".join(chosen)
