"""A film of the frames with all that the database has of them drawn in."""

from pathlib import Path

from core.faceset.database import extraction
from core.geometry.align import FaceType
from core.jobs.alignments.frames_again import source_again
from core.jobs.alignments.opened import opened_faces
from core.jobs.extract.overlay import write_overlay
from core.workspace import Workspace


def draw(workspace: Workspace, name: str) -> Path:
    """Write ``overlay.mp4`` beside the frames of a side; returns where it is.

    Raises:
        InputError: there is no database, or no frame can be read.
    """
    with opened_faces(workspace, name) as opened:
        recorded = extraction.read_settings(opened.connection)
        face_type = FaceType.parse(str(recorded.get("face_type", FaceType.WHOLE_FACE.file_name)))
        source = source_again(opened.connection, opened.side)
        return write_overlay(opened.connection, opened.side, source, face_type)
