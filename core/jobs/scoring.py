"""The faces of a side with their scores, for the jobs that judge by them."""

from collections.abc import Iterator
from contextlib import contextmanager

from core.faceset.gallery import open_gallery
from core.faceset.scores.features import Features
from core.faceset.scores.persons import Embed, identities
from core.workspace import Side


@contextmanager
def scored_faces(side: Side, *, only_to_look: bool = False) -> Iterator[Features]:
    """All faces of a side; a score is computed when it is first asked for, and kept beside the faces.

    only_to_look: nothing will be renamed, so that a pak may have its loose originals beside it.

    Raises:
        InputError: there are no faces, or both packed and loose ones.
        CorruptFileError: the pak is damaged.
    """
    with open_gallery(side.aligned, only_to_look=only_to_look) as gallery:
        yield Features(gallery, identities(side.frames, side.database, _embedder))


def _embedder() -> Embed:
    # Loads onnxruntime: only where a face has no identity vector yet.
    from core.faces.embedders import sface

    return sface.create().embed
