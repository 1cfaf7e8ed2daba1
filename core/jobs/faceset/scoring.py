"""The faces of a side with their scores, for the jobs that judge by them."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from core.faceset.database.connection import open_database
from core.faceset.gallery import Gallery, open_gallery
from core.faceset.register import register_files
from core.faceset.scores.features import Features
from core.faceset.scores.known import known_columns
from core.faceset.scores.persons import Embed, identities
from core.workspace import Side, image_files


@contextmanager
def scored_faces(side: Side, *, only_to_look: bool = False) -> Iterator[Features]:
    """All faces of a side; a score is computed when it is first asked for, and kept beside the faces.

    only_to_look: nothing will be renamed, so that a pak may have its loose originals beside it.

    Raises:
        InputError: there are no faces, or both packed and loose ones.
        CorruptFileError: the pak is damaged.
    """
    _register(side)
    with open_gallery(side.aligned, only_to_look=only_to_look) as gallery:
        yield Features(gallery, identities(side.database, _embedder), known=_known(side, gallery))


def _register(side: Side) -> None:
    """Foreign faces get their rows, so that what is found out about them is kept."""
    files = image_files(side.aligned)
    if files and not side.pak.exists():
        with open_database(side.database, create=True) as connection:
            register_files(connection, side.aligned, files)


def _known(side: Side, gallery: Gallery) -> dict[str, NDArray[np.float64]]:
    if not side.database.is_file():
        return {}
    with open_database(side.database) as connection:
        return known_columns(connection, gallery)


def _embedder() -> Embed:
    # Loads onnxruntime: only where a face has no identity vector yet.
    from core.faces.embedders import sface

    return sface.create().embed
