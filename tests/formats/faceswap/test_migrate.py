"""Alignments of every version from 1.0 on are read as if they were of today."""

import zlib

import pytest
from fsa_cases import packed, plain

from core.formats.faceswap import fsa, migrate

HASH = "0" * 40
MASK = {
    "mask": zlib.compress(bytes(256)),
    "affine_matrix": [[1.0, 0, 0], [0, 1.0, 0]],
    "interpolator": 2,
    "stored_size": 16,
}


def read(raw, tmp_path, film=None):
    (tmp_path / "a.fsa").write_bytes(packed(raw))
    return fsa.read(tmp_path / "a.fsa", film)


def without(raw: dict, *keys: str) -> dict:
    return {key: value for key, value in raw.items() if key not in keys}


def test_version_1_0(tmp_path):
    """Bare lists of faces, another name for the points, and what later versions dropped."""
    old = plain(None)["a.png"]["faces"][0]
    points = old["landmarks_xy"]
    face = without(old, "landmarks_xy", "mask", "identity", "thumb")
    face |= {"landmarksXY": points, "r": 0, "frame_dims": (10, 20), "hash": HASH}
    found = read({"a.png": [face], "b.png": []}, tmp_path)
    assert (found.version, [len(frame.faces) for frame in found.frames]) == (1.0, [1, 0])
    one = found.frames[0].faces[0]
    assert one.landmarks.tolist() == points and (one.masks, one.identities, one.thumb, one.extra) == ({}, {}, None, {})
    assert len(found.remarks) == 5 and any("hash" in remark for remark in found.remarks)


def test_version_2_0_with_hashes(tmp_path):
    """faceswap of today refuses such a file."""
    found = read(plain(2.0, hash=HASH), tmp_path)
    assert found.version == 2.0 and found.frames[0].faces[0].extra == {}
    fsa.write(tmp_path / "b.fsa", found)
    assert b"hash" not in zlib.decompress((tmp_path / "b.fsa").read_bytes())


def test_version_2_1_has_masks_without_centring(tmp_path):
    found = read(plain(2.1, mask={"vgg-clear": MASK}), tmp_path)
    assert found.frames[0].faces[0].masks["vgg-clear"].centering == "face"


def test_version_2_2_has_no_identities(tmp_path):
    raw = plain(2.2)
    entry = raw["__data__"]["a.png"]
    entry["faces"] = [without(entry["faces"][0], "identity")]
    del entry["video_meta"]
    assert read(raw, tmp_path).frames[0].video_meta == {}


FILM = {f"film.a_{n:06d}.png": [] for n in (1, 2)}


def keys(raw, tmp_path, film):
    return [frame.key for frame in read(raw, tmp_path, film).frames]


def test_version_2_3_of_a_film(tmp_path):
    old = {"__meta__": {"version": 2.3}, "__data__": FILM}
    assert keys(old, tmp_path, "film.a.mkv") == ["film.a_000001.mkv", "film.a_000002.mkv"]
    assert keys(old, tmp_path, "other.mkv") == list(FILM)
    assert keys(old, tmp_path, None) == list(FILM)
    assert keys({"__meta__": {"version": 2.3}, "__data__": FILM | {"odd.png": []}}, tmp_path, "film.a.mkv") == [
        *FILM,
        "odd.png",
    ]


def test_version_2_4_keeps_the_keys(tmp_path):
    assert keys({"__meta__": {"version": 2.4}, "__data__": FILM}, tmp_path, "film.a.mkv") == list(FILM)


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("a_b_000012.mp4", ("a_b", 12, ".mp4")),
        ("a_1234567.png", ("a", 1234567, ".png")),
        ("00001.png", None),
        ("_000001.png", None),
        ("a_x.png", None),
    ],
)
def test_keys_of_films(key, parts):
    assert migrate.split_video_key(key) == parts
    if parts:
        assert migrate.video_key(*parts) == key
