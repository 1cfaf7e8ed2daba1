"""The metadata of faces, kept in ``faces.db`` while images go through an editor."""

from core.faceset import saved_metadata
from core.faceset.database.connection import open_database
from core.faceset.register import register
from core.faceset.saved_metadata import Outcome
from core.faceset.store import loose_faceset
from core.jobs.side import loose_faces, opened_side
from core.workspace import Workspace


def save_metadata(workspace: Workspace, name: str) -> Outcome:
    """Keep the metadata of every loose face of a side."""
    with opened_side(workspace, name) as side:
        faceset = loose_faceset(side.aligned, loose_faces(side))
        with open_database(side.database, create=True) as connection:
            register(connection, faceset)
            return saved_metadata.save(connection, faceset)


def restore_metadata(workspace: Workspace, name: str) -> Outcome:
    """Give the loose faces of a side that lost their metadata what was kept for them."""
    with opened_side(workspace, name) as side:
        paths = loose_faces(side)
        with open_database(side.database) as connection:
            return saved_metadata.restore(connection, paths)
