"""Alignments files: those of every era of faceswap are read, and what is written is what faceswap writes."""

import errno
import json
import pickle
import zlib

import cv2
import numpy as np
import pytest
from fsa_cases import ERAS, described, document, face, packed, plain
from golden_files import golden_json, golden_path

from core.errors import CorruptFileError, DiskFullError, InputError
from core.formats.faceswap import fsa
from core.formats.faceswap.spelling import OLDER, Profile
from core.geometry.centring import crop_matrix


def golden(name: str):
    return fsa.read(golden_path(f"faceswap/{name}"))


def reread(found, tmp_path, profile=fsa.NEWEST):
    fsa.write(tmp_path / "a.fsa", found, profile)
    return fsa.read(tmp_path / "a.fsa")


def test_all_eras_say_the_same():
    landmarks = golden_json("faceswap/landmarks.json")
    for era in ERAS:
        found = golden(f"{era}/alignments.fsa")
        assert [(frame.key, len(frame.faces)) for frame in found.frames] == [
            ("test_img1.jpg", 3),
            ("test_img3.jpg", 1),
            ("empty_frame.jpg", 0),
        ]
        assert found.remarks == ()
        for frame in found.frames:
            for index, one in enumerate(frame.faces):
                stored = np.array(landmarks[frame.key][index], np.float32)
                np.testing.assert_allclose(one.landmarks, stored, atol=1e-4)


@pytest.mark.parametrize(
    ("era", "version", "masks", "identities"),
    [
        ("newest/frames", 2.4, ["bisenet-fp_face", "bisenet-fp_head", "unet-dfl"], ["vggface2", "t-face_ir-101"]),
        ("v3_0", 2.4, ["components", "extended", "bisenet-fp_face"], ["vggface2"]),
        ("guide2023", 2.3, ["components", "extended", "bisenet-fp_face"], ["vggface2"]),
        ("hand", 2.4, ["ours-xseg_face"], ["vggface2"]),
    ],
)
def test_masks_identities_and_thumbs(era, version, masks, identities):
    found = golden(f"{era}/alignments.fsa")
    assert found.version == version
    for one in (one for frame in found.frames for one in frame.faces):
        assert (list(one.masks), list(one.identities)) == (masks, identities)
        assert all(len(vector) == 512 and vector.dtype == np.float32 for vector in one.identities.values())
        assert cv2.imdecode(np.frombuffer(one.thumb, np.uint8), cv2.IMREAD_COLOR).shape == (96, 96, 3)
        for mask in one.masks.values():
            matrix = crop_matrix(one.landmarks, mask.stored_size, mask.centering)
            np.testing.assert_allclose(mask.frame_to_mask, matrix, atol=1e-3)
            assert mask.pixels().shape == (128, 128) and mask.pixels().max() == 255


def test_a_film():
    found = golden("newest/test_alignments.fsa")
    assert len(found.frames) == 91
    assert (found.frames[0].key, found.frames[90].key) == ("test_000001.mp4", "test_000091.mp4")
    assert found.frames[1].video_meta == {"pts_time": 2048, "keyframe": False}


@pytest.mark.parametrize("name", ["newest/frames/alignments.fsa", "newest/test_alignments.fsa"])
def test_written_as_the_newest_writes(name, tmp_path):
    fsa.write(tmp_path / "a.fsa", golden(name))
    ours, theirs = (
        pickle.loads(zlib.decompress(p.read_bytes())) for p in (tmp_path / "a.fsa", golden_path(f"faceswap/{name}"))
    )
    assert ours == theirs and repr(ours) == repr(theirs)


@pytest.mark.parametrize("era", ERAS)
def test_round_trip_of_golden_files(era, tmp_path):
    found = golden(f"{era}/alignments.fsa")
    assert described(reread(found, tmp_path)) == described(found)


def test_round_trip(tmp_path):
    for one in (document(), document(face(points=4), face(points=98)), document(face(thumb=None, masks={}))):
        assert described(reread(one, tmp_path)) == described(one)


def test_only_builtin_types_are_written(tmp_path):
    fsa.write(tmp_path / "a.fsa", document())
    assert b"numpy" not in zlib.decompress((tmp_path / "a.fsa").read_bytes())


def test_for_older_versions(tmp_path):
    more = face(points=98, identities={"vggface2": np.ones(4, np.float32), "t-face_ir-101": np.ones(4, np.float32)})
    fsa.write(tmp_path / "a.fsa", document(more), OLDER)
    raw = pickle.loads(zlib.decompress((tmp_path / "a.fsa").read_bytes()))["__data__"]["a.png"]["faces"][0]
    assert raw["thumb"].dtype == np.uint8 and raw["thumb"].tobytes() == more.thumb
    assert list(raw["identity"]) == ["vggface2"] and len(raw["landmarks_xy"]) == 68
    assert reread(document(more), tmp_path, Profile(thumbs="none")).frames[0].faces[0].thumb is None


def test_the_file_that_was_there_is_kept(tmp_path):
    path = tmp_path / "alignments.fsa"
    assert fsa.write(path, document()) is None
    before = path.read_bytes()
    kept = [fsa.write(path, document(face(9))) for _ in range(3)]
    assert len(set(kept)) == 3 and all("_bk_" in one.name for one in kept)
    assert kept[0].read_bytes() == before != path.read_bytes()


def test_a_failed_write_leaves_the_file(tmp_path):
    path = tmp_path / "alignments.fsa"
    fsa.write(path, document())
    before = path.read_bytes()
    with pytest.raises(TypeError):
        fsa.write(path, document(face(masks={5j: face().masks["xseg_face"]})))
    assert path.read_bytes() == before


def test_unknown_keys_are_kept_and_counted(tmp_path):
    raw = plain(score=0.5)
    raw["__data__"]["a.png"]["note"] = "hm"
    raw |= {"beside": 1}
    raw["__meta__"]["tool"] = "x"
    (tmp_path / "a.fsa").write_bytes(packed(raw))
    found = fsa.read(tmp_path / "a.fsa")
    assert found.frames[0].faces[0].extra == {"score": 0.5} and found.frames[0].extra == {"note": "hm"}
    assert (found.meta, found.beside) == ({"tool": "x"}, {"beside": 1})
    assert fsa.not_written(found) == fsa.NotWritten(1, 1, 2)
    fsa.write(tmp_path / "b.fsa", found)
    again = pickle.loads(zlib.decompress((tmp_path / "b.fsa").read_bytes()))
    assert set(again) == {"__meta__", "__data__"} and set(again["__data__"]["a.png"]) == {"faces", "video_meta"}
    assert "score" not in again["__data__"]["a.png"]["faces"][0]


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol(protocol, tmp_path):
    (tmp_path / "a.fsa").write_bytes(packed(plain(), protocol))
    assert fsa.read(tmp_path / "a.fsa").face_count() == 1


def test_masks_that_faces_share(tmp_path):
    """A face that was copied in faceswap has the very same bytes, which pickle writes once."""
    raw = plain()
    one = raw["__data__"]["a.png"]["faces"][0]
    mask = bytes(zlib.compress(bytes(range(100)) + bytes(156)))
    entry = {"mask": mask, "affine_matrix": [[1.0, 0, 0], [0, 1.0, 0]], "interpolator": 1, "stored_size": 16}
    entry["stored_centering"] = "face"
    raw["__data__"]["a.png"]["faces"] = [one | {"mask": {"m": dict(entry)}} for _ in range(3)]
    (tmp_path / "a.fsa").write_bytes(packed(raw))
    assert [f.masks["m"].packed for f in fsa.read(tmp_path / "a.fsa").frames[0].faces] == [mask] * 3


def test_long_lists_across_the_frames_of_a_pickle(tmp_path):
    raw = plain(thumb=[i % 256 for i in range(40_000)], identity={"vggface2": [i / 7 for i in range(30_000)]})
    (tmp_path / "a.fsa").write_bytes(packed(raw))
    found = fsa.read(tmp_path / "a.fsa").frames[0].faces[0]
    assert found.thumb == bytes(i % 256 for i in range(40_000))
    np.testing.assert_array_equal(found.identities["vggface2"], np.array([i / 7 for i in range(30_000)], np.float32))


def test_json_and_pickle_of_before_2019(tmp_path):
    raw = plain(None)
    (tmp_path / "a.json").write_text(json.dumps(raw))
    (tmp_path / "a.p").write_bytes(pickle.dumps(raw, 2))
    for name in ("a.json", "a.p"):
        found = fsa.read(tmp_path / name)
        assert found.version == 1.0 and found.frames[0].faces[0].box == (1, 2, 30, 40)


def test_yaml_says_what_to_do(tmp_path):
    (tmp_path / "a.yml").write_text("a.png: []\n")
    with pytest.raises(InputError, match="faceswap"):
        fsa.read(tmp_path / "a.yml")


def test_cut_at_every_length(tmp_path):
    path = tmp_path / "a.fsa"
    fsa.write(path, document())
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptFileError):
            fsa.read(path)


@pytest.mark.parametrize(
    "change",
    [
        {"x": "1"},
        {"x": None},
        {"w": float("nan")},
        {"h": 1 << 40},
        {"landmarks_xy": [[1.0, 2.0]]},
        {"landmarks_xy": "a"},
        {"landmarks_xy": [[1.0, "2"]] * 68},
        {"landmarks_xy": [[1.0, 2.0, 3.0]] * 68},
        {"landmarks_xy": np.zeros((68, 2), complex)},
        {"mask": []},
        {"mask": {"m": {}}},
        {"mask": {5: {}}},
        {"identity": {"v": []}},
        {"identity": {"v": "abc"}},
        {"identity": {"v": ["1.5"]}},
        {"identity": [1.0]},
        {"thumb": [256]},
        {"thumb": [-1]},
        {"thumb": [0.5]},
        {"thumb": "x"},
    ],
)
def test_damaged_faces_are_refused_by_name(change, tmp_path):
    path = tmp_path / "a.fsa"
    path.write_bytes(packed(plain(**change)))
    with pytest.raises(CorruptFileError, match=r"a\.png"):
        fsa.read(path)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        5,
        {"__data__": []},
        {"__data__": {}, "__meta__": 1},
        {"__data__": {5: {}}},
        {"__data__": {"a": 5}},
        {"__data__": {"a": {"faces": {}}}},
        {"__data__": {}, "__meta__": {"version": "2"}},
        {"__data__": {}, "__meta__": {"version": float("nan")}},
    ],
)
def test_other_values_are_refused(value, tmp_path):
    (tmp_path / "a.fsa").write_bytes(packed(value))
    with pytest.raises(CorruptFileError):
        fsa.read(tmp_path / "a.fsa")


class Attack:
    def __reduce__(self):
        return eval, ("open('touched', 'w')",)


@pytest.mark.parametrize("place", ["document", "face", "mask"])
def test_no_code_runs(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = {"document": Attack(), "face": plain(x=Attack()), "mask": plain(mask={"m": Attack()})}
    (tmp_path / "a.fsa").write_bytes(packed(values[place]))
    with pytest.raises(CorruptFileError, match="run code"):
        fsa.read(tmp_path / "a.fsa")
    assert not (tmp_path / "touched").exists()


def test_a_bomb_is_refused(tmp_path):
    (tmp_path / "a.fsa").write_bytes(zlib.compress(bytes(1 << 26), 9))
    with pytest.raises(CorruptFileError, match="times its size"):
        fsa.read(tmp_path / "a.fsa")


def test_a_mask_of_another_size_is_refused():
    mask = face().masks["xseg_face"]
    for raw in (bytes(63), bytes(65), bytes(1 << 20)):
        with pytest.raises(CorruptFileError):
            type(mask)(8, "face", mask.frame_to_mask, 1, zlib.compress(raw)).pixels()
    with pytest.raises(CorruptFileError):
        type(mask)(8, "face", mask.frame_to_mask, 1, b"no stream").pixels()


def test_no_room_to_unpack_is_said(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "no space")

    fsa.write(tmp_path / "a.fsa", document())
    monkeypatch.setattr(fsa, "_unpack", full)
    with pytest.raises(DiskFullError):
        fsa.read(tmp_path / "a.fsa")


def test_large_files_are_mapped(tmp_path, monkeypatch):
    monkeypatch.setattr(fsa, "_IN_MEMORY", 1000)
    assert described(reread(document(), tmp_path)) == described(document())
