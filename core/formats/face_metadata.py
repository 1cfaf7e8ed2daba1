"""The dict inside a face file <-> :class:`core.types.FaceRecord`.

Every era of the DeepFaceLab format is read, the current one is written.
"""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError
from core.formats.pickle.safe_pickle import PointList
from core.geometry.align import FaceType
from core.geometry.landmarks import COUNT
from core.imaging.dimensions import validate_pixels
from core.imaging.masks import encode_mask
from core.types import FaceRecord, Polygon

# The one key of our own; the original keeps keys that it does not know.
FACE_ID = "forge_face"
KEYS = frozenset(
    {
        FACE_ID,
        "face_type",
        "landmarks",
        "source_filename",
        "source_rect",
        "source_landmarks",
        "image_to_face_mat",
        "seg_ie_polys",
        "xseg_mask",
        "eyebrows_expand_mod",
    }
)
_ID = re.compile(r"[0-9a-f]{16}")
FACE_TYPES = frozenset(kind.file_name for kind in FaceType)
_REAL = (int, float, np.integer, np.floating)


class BadField(ValueError):
    """A value of the dict that is not what its key says."""


def from_dict(meta: Any, name: str, shape: tuple[int, int], where: object = None) -> FaceRecord:
    """The record of a face.

    name: file name; shape: (height, width) of the aligned image; where: named in the error, else ``name``.

    Raises:
        CorruptFileError: a field is wrong; it names the field.
    """
    try:
        return _record(meta, name, shape)
    except (ValueError, TypeError, OverflowError) as error:
        raise CorruptFileError(
            "damaged face metadata",
            where=str(where or name),
            why=str(error)[:200],
            hint="extract this face again, or restore its metadata",
        ) from None


def from_kept(kept: Any, name: str, where: object) -> FaceRecord:
    """The record in what ``faces.db`` keeps of a face: ``{"shape": (height, width), "meta": dict of the face file}``.

    Raises:
        CorruptFileError: it is something else.
    """
    shape = kept.get("shape") if isinstance(kept, dict) else None
    if not isinstance(shape, (tuple, list)) or len(shape) != 2 or not all(type(n) is int and n > 0 for n in shape):
        raise CorruptFileError("damaged saved metadata", where=str(where), why="it has no size")
    height, width = shape
    validate_pixels(height, width, where)
    return from_dict(kept.get("meta"), name, (height, width), where)


def _record(meta: Any, name: str, shape: tuple[int, int]) -> FaceRecord:
    if type(meta) is not dict or not meta:
        raise BadField("the metadata is no dict")
    get = meta.get
    if get("landmarks") is None:
        raise BadField("no landmarks")
    mask, brows = get("xseg_mask"), get("eyebrows_expand_mod")
    return FaceRecord(
        name=name,
        shape=shape,
        landmarks=_points(get("landmarks"), "landmarks"),
        face_type=_face_type(get("face_type")),
        source_filename=_text(get("source_filename"), "source_filename"),
        source_rect=_rect(get("source_rect")),
        source_landmarks=_optional_points(get("source_landmarks"), "source_landmarks"),
        image_to_face_mat=_matrix(get("image_to_face_mat")),
        polygons=_polygons_of(meta),
        xseg_mask=None if mask is None else stored_mask(mask),
        eyebrows_expand_mod=1.0 if brows is None else float(brows),
        extra=_extra(meta),
        face_id=_id(get(FACE_ID)),
    )


def _extra(meta: dict) -> dict:
    """What is not ours. ``ie_polys`` is the old key of the polygons where there is no new one."""
    if KEYS.issuperset(meta):
        return {}
    mapped = "ie_polys" if "seg_ie_polys" not in meta else None
    return {key: value for key, value in meta.items() if key not in KEYS and key != mapped and value is not None}


def to_dict(record: FaceRecord) -> dict:
    """The dict to pickle: plain lists where the original program writes them, arrays where it needs them, no None."""
    rect, matrix, mask = record.source_rect, record.image_to_face_mat, record.xseg_mask
    meta = {
        "face_type": record.face_type,
        "landmarks": PointList(record.landmarks),
        "source_filename": record.source_filename,
        # An array and no list: the original's sorting indexes it with a list of places.
        "source_rect": None if rect is None else np.array(rect, np.int32),
        "source_landmarks": None if record.source_landmarks is None else PointList(record.source_landmarks),
        "image_to_face_mat": None if matrix is None else np.asarray(matrix, np.float64),
        FACE_ID: record.face_id or None,
        "seg_ie_polys": polygons_to_dict(record.polygons) if record.polygons else None,
        # An array: the original hands it to a decoder that takes nothing else.
        "xseg_mask": None if mask is None else np.frombuffer(mask, np.uint8),
        "eyebrows_expand_mod": float(record.eyebrows_expand_mod) if record.eyebrows_expand_mod != 1.0 else None,
    }
    return {key: value for key, value in (meta | record.extra).items() if value is not None}


def polygons_to_dict(polygons: Iterable[Polygon]) -> dict:
    """The current stored form of polygons; those without points are left out."""
    drawn = [polygon for polygon in polygons if len(polygon.points)]
    return {"polys": [{"type": int(p.include), "pts": np.asarray(p.points, np.float32)} for p in drawn]}


def parse_polygons(stored: Any) -> tuple[Polygon, ...]:
    """Polygons from both stored forms, includes first.

    Raises:
        BadField: it is neither form.
    """
    polygons = [_polygon(kind, points) for kind, points in _polygon_pairs(stored)]
    # Excludes are drawn last and win. Sorting is stable, so within each kind the order stays.
    return tuple(sorted((p for p in polygons if p is not None), key=lambda p: not p.include))


def _polygon_pairs(stored: Any) -> list[tuple[Any, Any]]:
    """(type, points) of each polygon."""
    if stored is None:
        return []
    if type(stored) is dict:
        items = stored.get("polys") or ()
        if not isinstance(items, (list, tuple)) or not all(type(item) is dict for item in items):
            raise BadField("seg_ie_polys is malformed")
        return [(item.get("type"), item.get("pts")) for item in items]
    if not isinstance(stored, (list, tuple, np.ndarray)):
        raise BadField("seg_ie_polys is neither a dict nor a list")
    if not all(isinstance(item, (list, tuple)) and len(item) == 2 for item in stored):
        raise BadField("a polygon is no pair of type and points")
    return [(kind, points) for kind, points in stored]


def _polygon(kind: Any, points: Any) -> Polygon | None:
    if kind not in (0, 1):
        raise BadField(f"a polygon of type {str(kind)[:20]!r}")
    array = _numbers(points, "a polygon").astype(np.float32)
    if array.size == 0:
        return None
    if array.ndim != 2 or array.shape[1] != 2 or not _is_finite(array):
        raise BadField("the points of a polygon are no list of (x, y)")
    return Polygon(bool(kind), array)


def _polygons_of(meta: dict) -> tuple[Polygon, ...]:
    stored = meta.get("seg_ie_polys")
    return parse_polygons(meta.get("ie_polys")) if stored is None else parse_polygons(stored)


def stored_mask(value: Any) -> bytes | None:
    """The encoded mask from any of its stored forms; raw float masks of old packed facesets are encoded.

    Raises:
        BadField: it is none of them.
    """
    if isinstance(value, (bytes, bytearray)):
        return bytes(value) or None
    if not isinstance(value, np.ndarray):
        raise BadField("xseg_mask is no array")
    if value.dtype.kind == "f" and value.ndim in (2, 3) and value.size and np.isfinite(value).all():
        return encode_mask(value)
    if value.dtype != np.uint8 or (value.ndim == 2 and value.shape[1] != 1) or value.ndim > 2:
        raise BadField(f"xseg_mask is an array of {value.dtype} {value.shape}")
    return value.tobytes() or None


def _numbers(value: Any, what: str) -> NDArray:
    """Nested lists of plain numbers as an array; the nesting is checked first, so that nothing can unfold."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "iuf":
            raise BadField(f"{what} holds {value.dtype}")
        return value
    if not isinstance(value, (list, tuple)):
        raise BadField(f"{what} is a {type(value).__name__}")
    for row in value:
        cells = row if isinstance(row, (list, tuple)) else (row,)
        if len(cells) > 4 or not all(isinstance(cell, _REAL) for cell in cells):
            raise BadField(f"{what} holds something else than numbers")
    return np.array(value, np.float64)


def _is_finite(array: NDArray) -> bool:
    return np.count_nonzero(np.isfinite(array)) == array.size  # quicker than ``all`` on so few numbers


def _points(value: Any, what: str) -> NDArray[np.float64]:
    array = _numbers(value, what)
    if array.shape != (COUNT, 2):
        raise BadField(f"{what} has the shape {array.shape} instead of ({COUNT}, 2)")
    array = array if array.dtype == np.float64 else array.astype(np.float64)
    if not _is_finite(array):
        raise BadField(f"{what} has values that are no numbers")
    return array


def _optional_points(value: Any, what: str) -> NDArray[np.float64] | None:
    # An array without dimensions is what the original makes of points that are not there.
    if value is None or (isinstance(value, np.ndarray) and value.ndim == 0):
        return None
    return _points(value, what)


def _matrix(value: Any) -> NDArray[np.float64] | None:
    if value is None:
        return None
    array = _numbers(value, "image_to_face_mat").astype(np.float64)
    if array.shape != (2, 3) or not _is_finite(array):
        raise BadField(f"image_to_face_mat is no 2 x 3 matrix of numbers but {array.shape}")
    return array


def _rect(value: Any) -> tuple[int, int, int, int] | None:
    if value is None:
        return None
    array = _numbers(value, "source_rect").reshape(-1)
    values = array.tolist()
    # Boxes may reach outside the frame, but they must fit in the 32 bits in which they are written again.
    if array.shape != (4,) or not all(-(2**31) < value < 2**31 for value in values):
        raise BadField("source_rect is no left, top, right, bottom")
    left, top, right, bottom = map(int, values)
    return left, top, right, bottom


def _text(value: Any, what: str) -> str | None:
    if value is None:
        return None
    if type(value) is not str:
        raise BadField(f"{what} is no text")
    value.encode("utf-8", "surrogateescape")  # what is no text and no name of a file is no valid value either
    return value


def _id(value: Any) -> str:
    """The id of the face; what has another form is not one of ours, and the face is known by its points."""
    return value if type(value) is str and _ID.fullmatch(value) else ""


def _face_type(value: Any) -> str:
    if value is None:
        # The original's default, which its oldest files leave out.
        return "full_face"
    name = value.lower() if type(value) is str else ""
    if name not in FACE_TYPES:
        raise BadField(f"unknown face type {str(value)[:40]!r}")
    return name
