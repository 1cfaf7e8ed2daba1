"""Which faces of a side are never trained on."""

import hashlib
from dataclasses import dataclass

from core.errors import UsageError
from core.faceset.store import Faceset
from core.types import FaceRecord

# At most a third of a side: the rest has to be enough to learn from.
_LARGEST_SHARE = 3


@dataclass(frozen=True)
class Split:
    """A faceset in two.

    training: what is trained on.
    validation: what is not, in the order of their hashes.
    """

    training: Faceset
    validation: Faceset


def largest(faces: Faceset) -> int:
    """How many faces can be kept from training at most."""
    return len(faces) // _LARGEST_SHARE


def split(faces: Faceset, count: int, side: str) -> Split:
    """Keep ``count`` faces from training: those with the lowest hashes, so that later faces hardly change which.

    side: its name, for the message.

    Raises:
        UsageError: that is more than a third of the faces.
    """
    if count * _LARGEST_SHARE > len(faces):
        raise UsageError(
            "too many held-out faces",
            where=f"--held-out {count}",
            why=f"{side} has {len(faces)} faces",
            hint=f"at most a third of a side, here {largest(faces)}; 0 for none",
        )
    if not count:
        return Split(faces, faces.subset([]))
    records = faces.records()
    order = sorted(range(len(records)), key=lambda index: _hash(records[index]))
    return Split(training=faces.subset(sorted(order[count:])), validation=faces.subset(order[:count]))


def _hash(record: FaceRecord) -> bytes:
    """Of the frame that the face was cropped from, which sorting does not rename; of its own name without one.

    The name comes after the digest: it decides between several faces of a frame.
    """
    source = f"{record.person or ''}/{record.source_filename or record.name}"
    digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest()
    return digest + record.name.encode("utf-8", "surrogatepass")
