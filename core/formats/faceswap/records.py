"""Plain dicts in the newest form of faceswap's files, to the types of ``document`` and back."""

from array import array
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError
from core.formats.faceswap.document import CENTRINGS, LARGEST_MASK, FsaFace, FsaFrame, FsaMask

_FACE = frozenset({"x", "y", "w", "h", "landmarks_xy", "mask", "identity", "thumb"})
_MASK = frozenset({"mask", "affine_matrix", "interpolator", "stored_size", "stored_centering"})
_ENTRY = frozenset({"faces", "video_meta"})
_POINT_COUNTS = (68, 4, 98)
_FARTHEST = 1 << 31  # pixels
_LONGEST_VECTOR = 1 << 16


class Malformed(ValueError):
    """What is wrong with a value, for the error that names the file."""


def read_frame(key: str, entry: Any) -> FsaFrame:
    """A frame from its entry. Raises CorruptFileError, naming the frame."""
    try:
        faces, meta = require(entry, dict)["faces"], require(entry.get("video_meta"), dict)
        read = tuple(read_face(face) for face in require(faces, list))
        return FsaFrame(key, read, meta, _rest(entry, _ENTRY))
    except KeyError as error:
        raise damaged(f"the frame {key[:80]!r} has no {error}") from None
    except Malformed as error:
        raise damaged(f"the frame {key[:80]!r}: {error}") from None


def damaged(why: str) -> CorruptFileError:
    return CorruptFileError("damaged alignments", why=why)


def read_face(raw: Any) -> FsaFace:
    """A face. Raises Malformed, KeyError."""
    face = require(raw, dict)
    return FsaFace(
        box=(pixel(face["x"]), pixel(face["y"]), pixel(face["w"]), pixel(face["h"])),
        landmarks=landmarks(face["landmarks_xy"]),
        masks={_name(name): _read_mask(mask) for name, mask in require(face.get("mask", {}), dict).items()},
        identities={_name(name): _vector(v) for name, v in require(face.get("identity", {}), dict).items()},
        thumb=_thumb(face.get("thumb")),
        extra=_rest(face, _FACE),
    )


def fold(raw: dict) -> None:
    """Make the lists of a face small while a file is read: 60 kB of Python's numbers become 7 kB."""
    if "landmarks_xy" not in raw:
        return
    thumb, identity = raw.get("thumb"), raw.get("identity")
    # What is no list of such numbers stays, and is refused when the face is made.
    with suppress(TypeError, ValueError):
        if type(thumb) is list:
            raw["thumb"] = bytes(thumb)
    if type(identity) is dict:
        for name, vector in identity.items():
            with suppress(TypeError, OverflowError):
                if type(vector) is list and vector:
                    identity[name] = _floats(np.frombuffer(array("d", vector)))
    points = raw["landmarks_xy"]
    if type(points) is np.ndarray and points.dtype == np.float64:
        raw["landmarks_xy"] = _floats(points)


def plain_face(face: FsaFace) -> dict[str, Any]:
    """A face as builtin types, all that the format knows but the thumbnail."""
    x, y, w, h = face.box
    return {
        "x": x,
        "y": y,
        "w": w,
        "h": h,
        "landmarks_xy": face.landmarks.tolist(),
        "mask": {name: plain_mask(mask) for name, mask in face.masks.items()},
        "identity": {name: vector.tolist() for name, vector in face.identities.items()},
    }


def plain_mask(mask: FsaMask) -> dict[str, Any]:
    """A mask as builtin types."""
    return {
        "mask": mask.packed,
        "affine_matrix": mask.frame_to_mask.tolist(),
        "interpolator": mask.interpolator,
        "stored_size": mask.stored_size,
        "stored_centering": mask.centering,
    }


def _read_mask(raw: Any) -> FsaMask:
    mask = require(raw, dict)
    matrix = _array(mask["affine_matrix"], np.float64)
    if matrix.shape not in ((2, 3), (3, 3)) or not np.isfinite(matrix).all():
        raise Malformed("the matrix of a mask is none")
    size, centring = whole(mask["stored_size"], 1, LARGEST_MASK), mask["stored_centering"]
    if centring not in CENTRINGS:
        raise Malformed(f"the centring {str(centring)[:40]!r} of a mask")
    packed = mask["mask"]
    if not isinstance(packed, (bytes, bytearray)):
        raise Malformed("a mask that is no bytes")
    interpolator = whole(mask["interpolator"], 0, 7)
    return FsaMask(size, centring, np.ascontiguousarray(matrix[:2]), interpolator, bytes(packed), _rest(mask, _MASK))


def landmarks(raw: Any) -> NDArray[np.float32]:
    """Points from a list or an array. Raises Malformed."""
    points = _array(raw, np.float32)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) not in _POINT_COUNTS:
        raise Malformed(f"landmarks of the shape {points.shape}")
    return points


def _vector(raw: Any) -> NDArray[np.float32]:
    vector = _array(raw, np.float32)
    if vector.ndim != 1 or not 0 < len(vector) <= _LONGEST_VECTOR:
        raise Malformed(f"an identity of the shape {vector.shape}")
    return vector


def _thumb(raw: Any) -> bytes | None:
    if raw is None or (isinstance(raw, (bytes, bytearray)) and not raw):
        return None
    if isinstance(raw, (bytes, bytearray)):
        return bytes(raw)
    values = _array(raw, None)
    if not values.size:
        return None
    if values.ndim != 1 or values.dtype.kind not in "iu" or values.min() < 0 or values.max() > 255:
        raise Malformed("a thumbnail that is no bytes")
    return values.astype(np.uint8).tobytes()


def _floats(values: Any) -> NDArray[np.float32]:
    # What is too large for float32 becomes infinite, without a warning for each.
    with np.errstate(over="ignore"):
        return np.asarray(values, np.float32)


def _array(raw: Any, dtype: Any) -> NDArray:
    """An array of numbers from an array or from nested lists; never from texts."""
    if isinstance(raw, (list, tuple)):
        if not _are_numbers(raw):
            raise Malformed("something else than numbers in a list of numbers")
        try:
            raw = np.asarray(raw)
        except (ValueError, OverflowError):
            raise Malformed("a list of lists of different lengths") from None
    if not isinstance(raw, np.ndarray) or raw.dtype.kind not in "iuf":
        raise Malformed(f"a {type(raw).__name__} in the place of a list of numbers")
    if dtype is None:
        return raw
    return _floats(raw) if dtype is np.float32 else raw.astype(dtype)


def _are_numbers(raw: list | tuple) -> bool:
    """Whether all that is in a list of numbers, or in a list of such lists, is a number."""
    for item in raw:
        inner = item if isinstance(item, (list, tuple)) else (item,)
        if not all(isinstance(n, (int, float, np.integer, np.floating)) and not isinstance(n, bool) for n in inner):
            return False
    return True


def pixel(raw: Any) -> int:
    """A coordinate in whole pixels. Raises Malformed."""
    if isinstance(raw, (float, np.floating)) and np.isfinite(raw):
        raw = round(float(raw))
    return whole(raw, -_FARTHEST, _FARTHEST)


def whole(raw: Any, least: int, most: int) -> int:
    """A whole number. Raises Malformed."""
    if isinstance(raw, bool) or not isinstance(raw, (int, np.integer)) or not least <= raw <= most:
        raise Malformed(f"{str(raw)[:40]!r} in the place of a whole number from {least} to {most}")
    return int(raw)


def _name(raw: Any) -> str:
    if not isinstance(raw, str):
        raise Malformed("a mask or an identity whose name is no text")
    return raw


def require(raw: Any, kind: type) -> Any:
    """``raw``, when it is of that type. Raises Malformed."""
    if not isinstance(raw, kind):
        raise Malformed(f"a {type(raw).__name__} in the place of a {kind.__name__}")
    return raw


def _rest(raw: Mapping, known: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if key not in known}
