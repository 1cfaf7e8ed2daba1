"""One face in the list of a packed faceset: a pickled dict <-> :class:`core.types.FaceRecord`."""

from functools import lru_cache
from typing import Any

import numpy as np

from core.errors import CorruptFileError
from core.formats.face_metadata import from_dict, polygons_to_dict
from core.formats.metadata_pattern import Plain
from core.formats.names import safe_component, safe_image_name
from core.formats.pickle import points, safe_pickle
from core.formats.pickle.safe_pickle import PointList, Spelled, fragment
from core.geometry.align import FaceType
from core.imaging.dimensions import validate_pixels
from core.types import FaceRecord

_OLD_NUMBERS = {5: "head", 6: "head_no_align"}
FACE_TYPE_NAMES = {int(kind): kind.file_name for kind in FaceType} | _OLD_NUMBERS
# Numbers whose meaning changed in 2020: the name inside an embedded face decides.
AMBIGUOUS_FACE_TYPES = frozenset({int(FaceType.WHOLE_FACE), int(FaceType.HEAD), *_OLD_NUMBERS})
_LARGEST_SIDE = 65535
_USED = ("face_type", "landmarks", "source_filename", "seg_ie_polys", "ie_polys", "xseg_mask", "eyebrows_expand_mod")
_SAMPLE_TYPE = Spelled(fragment(safe_pickle.sample_type(1)))  # a face


def name_of(entry: Any, index: int) -> str:
    """A safe file name from the entry, whatever is in it."""
    return safe_image_name(entry.get("filename") if type(entry) is dict else None, f"face_{index:06d}.jpg")


def person_of(entry: Any) -> str | None:
    """A safe folder name from the entry, None where it has no person."""
    person = entry.get("person_name") if type(entry) is dict else None
    return None if person is None else safe_component(person, "person")


def read_entry(entry: Any, name: str, where: object) -> FaceRecord:
    """The record of a face called ``name``. The list keeps no source landmarks, rectangle or matrix.

    The face type of an ambiguous number is a guess.

    Raises:
        CorruptFileError: the entry makes no sense.
    """
    if type(entry) is not dict:
        raise CorruptFileError("an entry is no dict", where=str(where))
    meta = {key: entry[key] for key in _USED if key in entry}
    if entry.get("xseg_mask_compressed") is not None:
        meta["xseg_mask"] = entry["xseg_mask_compressed"]
    number = entry.get("face_type")
    meta["face_type"] = FACE_TYPE_NAMES.get(number, "") if type(number) is int else number
    return from_dict(meta, name, _shape(entry.get("shape"), name), where)


def _shape(shape: Any, name: str) -> tuple[int, int]:
    if isinstance(shape, (tuple, list)) and len(shape) >= 2:
        height, width = shape[:2]
        if all(type(side) is int and 0 < side <= _LARGEST_SIDE for side in (height, width)):
            validate_pixels(height, width, name)
            return height, width
    raise CorruptFileError("damaged entry", where=name, why="it has no size")


def write_entry(record: FaceRecord) -> bytes:
    """The pickled dict of a face, to be joined to the list of a pak."""
    mask = record.xseg_mask
    return _spelled(
        name=record.name,
        person=record.person,
        face_type=record.face_type,
        shape=record.shape,
        landmarks=PointList(record.landmarks),
        polygons=polygons_to_dict(record.polygons),
        mask=None if mask is None else np.frombuffer(mask, np.uint8),
        brows=float(record.eyebrows_expand_mod),
        source=record.source_filename,
    )


def write_plain_entry(plain: Plain, name: str, shape: tuple[int, int], person: str | None) -> bytes:
    """The same for a face whose metadata need not be decoded for it."""
    return _spelled(
        name=name,
        person=person,
        face_type=plain.face_type,
        shape=shape,
        landmarks=Spelled(points.join(plain.points)),
        polygons=polygons_to_dict(()),
        mask=None,
        brows=1.0,
        source=plain.source_filename,
    )


def _spelled(
    *,
    name: str,
    person: str | None,
    face_type: str,
    shape: tuple[int, int],
    landmarks: PointList | Spelled,
    polygons: dict,
    mask: np.ndarray | None,
    brows: float,
    source: str | None,
) -> bytes:
    """The keys in the original's order."""
    return fragment(
        {
            "sample_type": _SAMPLE_TYPE,
            "filename": name,
            "face_type": _face_type(face_type),
            "shape": (*shape, 3),
            "landmarks": landmarks,
            "seg_ie_polys": polygons,
            # The original's older key for a mask that is not compressed.
            "xseg_mask": None,
            "xseg_mask_compressed": mask,
            "eyebrows_expand_mod": brows,
            "source_filename": source,
            "person_name": person,
        }
    )


@lru_cache(64)
def _face_type(name: str) -> Spelled:
    return Spelled(fragment(safe_pickle.face_type(int(FaceType.parse(name)))))
