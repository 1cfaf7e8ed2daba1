"""Who is on the pictures: clusters of identity vectors, and how alike each face is to the main person."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, InputError
from core.faceset import database, journal
from core.faceset.gallery import Gallery, record_of
from core.faceset.scores.cluster import average_linkage, centres
from core.faceset.scores.features import Features, Identities
from core.imaging.codec import decode_image
from core.types import FaceRecord

# (picture uint8 BGR, landmarks (68, 2) in it) -> identity vector.
Embed = Callable[[NDArray[np.uint8], NDArray[np.float64]], NDArray[np.float32]]
DIMENSIONS = 128

# Mean cosine similarity within one person; 0.363 is what the network's authors give for a single pair of pictures (SFace).
SAME_PERSON = 0.30
UNKNOWN = -1


@dataclass(frozen=True)
class Persons:
    """labels: person of each picture, 0 the one with most faces, -1 unknown; similarity: cosine to the main person's mean, NaN when unknown; own: the
    same to the person's own mean."""

    labels: NDArray[np.intp]
    similarity: NDArray[np.float64]
    own: NDArray[np.float64]


def find_persons(features: Features, least: float = SAME_PERSON) -> Persons:
    """Cluster the identity vectors of all faces."""
    vectors = features["identity"]
    labels = average_linkage(vectors, least)
    known = labels >= 0
    similarity, own = np.full(len(labels), np.nan), np.full(len(labels), np.nan)
    if known.any():
        unit = vectors[known] / np.linalg.norm(vectors[known], axis=1, keepdims=True)
        means = centres(vectors[known], labels[known])
        similarity[known] = unit @ means[0]
        own[known] = np.einsum("nd,nd->n", unit, means[labels[known]])
    return Persons(labels, similarity, own)


def identities(frames: Path, known_faces: Path, embedder: Callable[[], Embed]) -> Identities:
    """Where identity vectors come from: the face database for faces that it knows, else the embedder, made when first needed.

    frames: the folder of the side; known_faces: its ``faces.db``, which may be absent.
    """
    known = _known(known_faces)
    origin = journal.original_names(frames) if known else {}
    made: list[Embed] = []

    def vectors(gallery: Gallery, indices: Sequence[int]) -> NDArray[np.float32]:
        out = np.full((len(indices), DIMENSIONS), np.nan, np.float32)
        for row, index in enumerate(indices):
            data, name = gallery.read(index), gallery.names[index]
            record = record_of(data, name)
            if record is None:
                continue
            stored = _stored(known.get(Path(origin.get(f"{journal.ALIGNED}/{name}", name)).name), record)
            if stored is None and not made:
                made.append(embedder())
            out[row] = stored if stored is not None else _embed(made[0], data, record)
        return out

    return vectors


def _known(path: Path) -> dict[str, database.FaceRow]:
    if not path.is_file():
        return {}
    with database.open_database(path) as connection:
        return {row.name: row for row in database.faces(connection) if row.identity is not None}


def _stored(row: database.FaceRow | None, record: FaceRecord) -> NDArray[np.float32] | None:
    """The vector of a row, if the row is about this very face: the same frame and the same landmarks in it."""
    if row is None or row.identity is None or record.source_landmarks is None:
        return None
    if row.frame != record.source_filename or len(row.identity) != DIMENSIONS:
        return None
    return row.identity if np.abs(row.landmarks - record.source_landmarks).max() < 0.5 else None


def _embed(embed: Embed, data: bytes, record: FaceRecord) -> NDArray[np.float32]:
    try:
        return embed(decode_image(data, record.name), record.landmarks)
    except (CorruptFileError, InputError):
        return np.full(DIMENSIONS, np.nan, np.float32)
