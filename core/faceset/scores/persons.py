"""Who is on the images: clusters of identity vectors, and how alike each face is to the main person."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, InputError
from core.faceset.database import measured
from core.faceset.database.connection import open_database
from core.faceset.gallery import Gallery, record_of
from core.faceset.identity import face_id
from core.faceset.scores.cluster import average_linkage, centers
from core.faceset.scores.features import Features, Identities
from core.faceset.scores.measures import IDENTITY_SIZE
from core.imaging.codec import decode_image
from core.types import FaceRecord

# (face image uint8 BGR, landmarks (68, 2) in it) -> identity vector, float32 (128,).
Embed = Callable[[NDArray[np.uint8], NDArray[np.float64]], NDArray[np.float32]]
EMBEDDER = "sface"

# Mean cosine similarity within one person; for a single pair of images the authors of the network (SFace) give 0.363.
SAME_PERSON = 0.30


@dataclass(frozen=True)
class Persons:
    """The people of a gallery of n images.

    labels: int (n,), person of each image, 0 the one with most faces, -1 unknown.
    similarity: float64 (n,), cosine to the main person's mean; NaN when unknown.
    own: float64 (n,), cosine to the mean of the person that it is; NaN when unknown.
    """

    labels: NDArray[np.intp]
    similarity: NDArray[np.float64]
    own: NDArray[np.float64]


def find_persons(features: Features, least: float = SAME_PERSON) -> Persons:
    """Cluster the identity vectors of all faces. least: mean cosine similarity up to which two clusters are one."""
    vectors = features["identity"]
    labels = average_linkage(vectors, least)
    known = labels >= 0
    similarity, own = np.full(len(labels), np.nan), np.full(len(labels), np.nan)
    if known.any():
        unit = vectors[known] / np.linalg.norm(vectors[known], axis=1, keepdims=True)
        means = centers(vectors[known], labels[known])
        similarity[known] = unit @ means[0]
        own[known] = np.einsum("nd,nd->n", unit, means[labels[known]])
    return Persons(labels, similarity, own)


def identities(known_faces: Path, embedder: Callable[[], Embed]) -> Identities:
    """Where identity vectors come from: the face database for faces that it knows, else the embedder.

    embedder: makes it, when it is first needed.
    known_faces: ``faces.db`` of the side, which may be absent.
    """
    known = _known(known_faces)
    made: list[Embed] = []

    def vectors(gallery: Gallery, indices: Sequence[int]) -> NDArray[np.float32]:
        out = np.full((len(indices), IDENTITY_SIZE), np.nan, np.float32)
        for row, index in enumerate(indices):
            data = gallery.read(index)
            record = record_of(data, gallery.names[index])
            if record is None:
                continue
            stored = known.get(face_id(record))
            if stored is None and not made:
                made.append(embedder())
            out[row] = _embed(made[0], data, record) if stored is None else stored
        return out

    return vectors


def _known(path: Path) -> dict[str, NDArray[np.float32]]:
    if not path.is_file():
        return {}
    with open_database(path) as connection:
        found = measured.vectors(connection, EMBEDDER)
        return {face: vector for face, vector in found.items() if len(vector) == IDENTITY_SIZE}


def _embed(embed: Embed, data: bytes, record: FaceRecord) -> NDArray[np.float32]:
    try:
        return embed(decode_image(data, record.name), record.landmarks)
    except (CorruptFileError, InputError):
        return np.full(IDENTITY_SIZE, np.nan, np.float32)
