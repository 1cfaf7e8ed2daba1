"""Alignments of every version of faceswap, from 1.0 to 2.4, in the form of the newest: plain dicts in, plain dicts out.

What follows does not look at the number of the version but at what is there, since faceswap itself renumbers files.
"""

import re
from collections import Counter
from typing import Any

from core.errors import CorruptFileError

META, DATA = "__meta__", "__data__"
# What older versions had in a face, and nothing needs: a checksum of the face's file, an angle, the size of the frame.
_OBSOLETE = ("hash", "r", "frame_dims")
_RENAMED = {"landmarksXY": "landmarks_xy"}
_VIDEO_KEY = re.compile(r"(?s)(.+)_(\d{1,12})(\.[^./\\]{1,8})")


def unwrapped(raw: Any, where: object) -> tuple[float, dict, dict, dict]:
    """(version, frames by key, the rest of ``__meta__``, what is beside ``__data__``) of a file's value.

    Files from before 2019 are the frames themselves: version 1.0.

    Raises:
        CorruptFileError: it is something else.
    """
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        raise _damaged(where, "it holds no frames by name")
    if DATA not in raw:
        return 1.0, {key: entry for key, entry in raw.items() if key != META}, {}, {}
    meta, data = raw.get(META, {}), raw[DATA]
    if not isinstance(meta, dict) or not isinstance(data, dict):
        raise _damaged(where, f"{META} or {DATA} is no dict")
    version = meta.get("version", 1.0)
    if isinstance(version, bool) or not isinstance(version, (int, float)) or not 0 < version < 100:
        raise _damaged(where, f"the version {str(version)[:40]!r} is no number")
    rest = {key: value for key, value in meta.items() if key != "version"}
    return float(version), data, rest, {key: value for key, value in raw.items() if key not in (META, DATA)}


def entry_of(raw: Any, changes: Counter[str]) -> Any:
    """An entry of a frame in the newest form; what is not an entry stays as it is.

    changes: counts what had to be done.
    """
    if isinstance(raw, list):
        changes["frames that were bare lists of faces"] += 1
        raw = {"faces": raw}
    if not isinstance(raw, dict) or not isinstance(raw.get("faces"), list):
        return raw
    return {"video_meta": {}} | raw | {"faces": [face_of(face, changes) for face in raw["faces"]]}


def face_of(raw: Any, changes: Counter[str]) -> Any:
    """A face in the newest form; as :func:`entry_of`."""
    if not isinstance(raw, dict):
        return raw
    out: dict[str, Any] = {"mask": {}, "identity": {}, "thumb": None}
    for key, value in raw.items():
        if key in _OBSOLETE:
            changes[f'"{key}" of old versions left out'] += 1
        elif key in _RENAMED and _RENAMED[key] not in raw:
            changes[f'"{key}" renamed to "{_RENAMED[key]}"'] += 1
            out[_RENAMED[key]] = value
        else:
            out[key] = value
    if isinstance(out["mask"], dict):
        out["mask"] = {name: _mask(mask, changes) for name, mask in out["mask"].items()}
    return out


def _mask(raw: Any, changes: Counter[str]) -> Any:
    if not isinstance(raw, dict) or "stored_centering" in raw:
        return raw
    changes['masks without a centring, which were of "face"'] += 1
    return raw | {"stored_centering": "face"}


def video_key(stem: str, number: int, suffix: str) -> str:
    """The key of the ``number``-th frame (from 1) of the film ``stem + suffix``."""
    return f"{stem}_{number:06d}{suffix}"


def split_video_key(key: str) -> tuple[str, int, str] | None:
    """(stem of the film, number of the frame, suffix) of a key that is made like one of a film, else None."""
    match = _VIDEO_KEY.fullmatch(key)
    return (match[1], int(match[2]), match[3]) if match else None


def renamed_video_keys(keys: list[str], film: str) -> dict[str, str]:
    """Old key -> new key of a file of before 2.4, whose keys of a film ended in ``.png`` whatever the film's suffix.

    film: its file name. Only when all keys have one suffix, and another; keys of other films stay.
    """
    stem, dot, ending = film.rpartition(".")
    suffix = f"{dot}{ending}"
    split = {key: split_video_key(key) for key in keys}
    suffixes = {found[2] for found in split.values() if found}
    if len(suffixes) != 1 or None in split.values() or suffixes == {suffix} or not stem:
        return {}
    return {
        key: f"{key[: -len(found[2])]}{suffix}"
        for key, found in split.items()
        if found is not None and found[0] == stem
    }


def _damaged(where: object, why: str) -> CorruptFileError:
    return CorruptFileError("not an alignments file", where=str(where), why=why)
