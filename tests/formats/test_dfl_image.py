"""Face files: every variant in, the one form that the original reads out, pixels never touched."""

import contextlib
import pickle
import random
import struct
from dataclasses import replace

import cv2
import facekit
import numpy as np
import pytest
import strict_original
from golden_files import GoldenArrays, golden_json, golden_path

from core.errors import CorruptFileError, InputError
from core.formats import dfl_image
from core.formats.dfl_image import NotAFaceError
from core.formats.pickle import safe_pickle
from core.imaging import jpeg as jpeg_segments
from core.imaging.codec import decode_any, decode_image
from core.imaging.masks import decode_mask, encode_mask, polygon_mask
from core.types import Polygon

POLYGONS = (
    Polygon(True, np.float32([[1.5, 2], [30, 2], [30, 40.25]])),
    Polygon(False, np.float32([[5, 5], [9, 5], [9, 9]])),
)


def with_payload(image: bytes, payload: bytes) -> bytes:
    """``image`` with APP15 straight after SOI."""
    return image[:2] + b"\xff\xef" + struct.pack(">H", len(payload) + 2) + payload + image[2:]


def with_meta(protocol: int = 4, **meta) -> bytes:
    base = {"face_type": "whole_face", "landmarks": facekit.record().landmarks.tolist()}
    return with_payload(facekit.jpeg(), pickle.dumps({**base, **meta}, protocol))


def insert(image: bytes, segment: bytes) -> bytes:
    return image[:2] + segment + image[2:]


def full_record():
    mask = encode_mask(np.eye(32, dtype=np.float32))
    return facekit.record(
        polygons=POLYGONS,
        xseg_mask=mask,
        eyebrows_expand_mod=2.5,
        extra={"note": {"by": ["a", 1]}, "list": [[1.5, 2.5]]},
    )


def test_round_trip_of_everything():
    record = full_record()
    image = dfl_image.embed(facekit.jpeg(), record)
    found = dfl_image.parse(image, record.name)
    assert facekit.same_record(found, record)
    assert found.extra == record.extra


def test_written_file_obeys_the_original():
    meta = strict_original.check_face_file(dfl_image.embed(facekit.jpeg(), full_record()), "00001_0.jpg")
    assert set(meta) == {
        "face_type",
        "landmarks",
        "source_filename",
        "source_rect",
        "source_landmarks",
        "image_to_face_mat",
        "seg_ie_polys",
        "xseg_mask",
        "eyebrows_expand_mod",
        "note",
        "list",
    }
    bare = strict_original.check_face_file(
        dfl_image.embed(facekit.jpeg(), facekit.record(source_rect=None, source_filename=None)), "a.jpg"
    )
    assert set(bare) == {"face_type", "landmarks", "source_landmarks", "image_to_face_mat"}


def test_pixels_are_copied_byte_for_byte():
    image = facekit.jpeg()
    once = dfl_image.embed(image, full_record())
    assert dfl_image.image_digest(once) == dfl_image.image_digest(image)
    assert np.array_equal(decode_image(once), decode_image(image))
    assert dfl_image.embed(once, full_record()) == once


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_protocols(protocol):
    image = with_meta(
        protocol,
        source_rect=np.array([1, 2, 3, 4]),
        image_to_face_mat=np.eye(2, 3),
        source_landmarks=facekit.source_points().tolist(),
    )
    record = dfl_image.parse(image, "x.jpg")
    assert record.source_rect == (1, 2, 3, 4)
    assert np.array_equal(record.landmarks, facekit.record().landmarks)
    assert np.array_equal(record.source_landmarks, facekit.source_points())


def test_defaults_and_none_values():
    keys = ("face_type", "source_filename", "xseg_mask", "eyebrows_expand_mod", "ie_polys", "relighted")
    record = dfl_image.parse(with_meta(**dict.fromkeys(keys)), "x.jpg")
    assert (record.face_type, record.source_filename, record.xseg_mask) == ("full_face", None, None)
    assert (record.eyebrows_expand_mod, record.extra) == (1.0, {})


def test_landmarks_as_array():
    assert dfl_image.parse(with_meta(landmarks=facekit.record().landmarks), "x.jpg").landmarks.shape == (68, 2)


@pytest.mark.parametrize(
    "polygons",
    [
        {
            "polys": [
                {"type": 0, "pts": np.float32([[5, 5], [9, 5], [9, 9]])},
                {"type": 1, "pts": np.float32([[1.5, 2], [30, 2], [30, 40.25]])},
            ]
        },
        [(0, [[5, 5], [9, 5], [9, 9]]), (1, [[1.5, 2], [30, 2], [30, 40.25]])],
        [[0, np.float32([[5, 5], [9, 5], [9, 9]])], [1, np.float32([[1.5, 2], [30, 2], [30, 40.25]])]],
    ],
)
def test_both_polygon_forms_come_includes_first(polygons):
    record = dfl_image.parse(with_meta(seg_ie_polys=polygons), "x.jpg")
    assert facekit.same_record(record, replace(record, polygons=POLYGONS))
    assert polygon_mask(record.shape, record.polygons).sum() > 100


def test_oldest_polygons_are_taken_over():
    record = dfl_image.parse(
        with_meta(ie_polys=[(1, [[1, 2], [3, 4], [5, 9]])], fanseg_mask=np.arange(5, dtype=np.uint8)), "x.jpg"
    )
    assert record.polygons[0].include
    assert set(record.extra) == {"fanseg_mask"}
    assert "ie_polys" not in dfl_image.metadata(dfl_image.embed(facekit.jpeg(), record), "x.jpg")


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_mask_forms(suffix, shape):
    data = cv2.imencode(suffix, np.full((20, 20), 255, np.uint8))[1].reshape(shape)
    record = dfl_image.parse(with_meta(xseg_mask=data), "x.jpg")
    assert decode_mask(record.xseg_mask).min() == 1.0


def test_unknown_keys_are_kept():
    extra = {"mine": [[1.0, 2.0], [3.0, 4.0]], "deep": {"a": (1, [2])}, "array": np.arange(3)}
    found = dfl_image.parse(
        dfl_image.embed(facekit.jpeg(), dfl_image.parse(with_meta(**extra), "x.jpg")), "x.jpg"
    ).extra
    assert found["mine"] == extra["mine"]
    assert type(found["mine"]) is list
    assert found["deep"] == extra["deep"]
    assert np.array_equal(found["array"], extra["array"])


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("trailing bytes", lambda d: d + b"\0junk"),
        ("fill bytes", lambda d: insert(d, b"\xff\xff\xff")),
        ("empty comment", lambda d: insert(d, b"\xff\xfe\0\2")),
        ("a foreign APP0", lambda d: insert(d, b"\xff\xe0\0\x08AVI1\0\0")),
        ("EXIF", lambda d: insert(d, b"\xff\xe1\0\x08Exif\0\0")),
        ("an empty restart interval", lambda d: insert(d, b"\xff\xdd\0\4\0\0")),
        ("several APP15", lambda d: insert(d, b"\xff\xef\0\x05abc")),
        ("a trailing picture", lambda d: d + facekit.jpeg()),
        ("an APP14 after it", lambda d: d[:-2] + d[-2:]),
    ],
)
def test_odd_files_are_read_and_written_clean(what, change):
    image = change(facekit.face())
    record = dfl_image.parse(image, "00001_0.jpg")
    assert facekit.same_record(record, facekit.record())
    written = dfl_image.embed(image, record)
    strict_original.check_face_file(written, "x.jpg")
    assert np.array_equal(decode_image(written), decode_image(facekit.jpeg()))


def test_last_app15_counts_and_all_are_replaced():
    other = safe_pickle.dumps({"landmarks": facekit.record(seed=5).landmarks.tolist()})
    image = facekit.face()
    end = [s for s in jpeg_segments.segments(image) if s.marker == 0xEF][0].end
    image = image[:end] + b"\xff\xef" + struct.pack(">H", len(other) + 2) + other + image[end:]
    assert np.array_equal(dfl_image.parse(image, "x").landmarks, facekit.record(seed=5).landmarks)
    assert sum(s.marker == 0xEF for s in jpeg_segments.segments(dfl_image.embed(image, facekit.record()))) == 1


def test_restart_markers_are_read():
    image = cv2.imencode(".jpg", facekit.pixels(), [cv2.IMWRITE_JPEG_RST_INTERVAL, 2])[1].tobytes()
    written = dfl_image.embed(image, facekit.record())
    assert dfl_image.restart_interval(written) > 0
    assert facekit.same_record(dfl_image.parse(written, "00001_0.jpg"), facekit.record())
    assert np.array_equal(decode_image(written), decode_image(image))


def test_progressive():
    image = cv2.imencode(".jpg", facekit.pixels(), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    written = dfl_image.embed(image + b"junk", facekit.record())
    assert np.array_equal(decode_image(written), decode_image(image))
    strict_original.check_face_file(written, "x.jpg")


def test_png_faces_hold_the_same():
    written = dfl_image.embed(facekit.png(), full_record())
    again = dfl_image.embed(written, full_record())
    assert again == written
    assert facekit.same_record(dfl_image.parse(written, "00001_0.jpg"), full_record())
    assert np.array_equal(decode_image(written), facekit.pixels())
    at = written.index(b"fcWp")
    assert written[at + 4 + int.from_bytes(written[at - 4 : at]) + 8 :][:4] == b"IEND"


def test_png_with_a_wrong_checksum():
    written = bytearray(dfl_image.embed(facekit.png(), facekit.record()))
    written[written.index(b"fcWp") + 20] ^= 1
    with pytest.raises(CorruptFileError, match="checksum"):
        dfl_image.parse(bytes(written), "x.png")


def test_oversize_leaves_the_file_alone(tmp_path):
    path = tmp_path / "00001_0.jpg"
    path.write_bytes(facekit.face())
    before = path.read_bytes()
    many = tuple(Polygon(True, np.zeros((1000, 2), np.float32)) for _ in range(9))
    with pytest.raises(InputError, match="too large"):
        dfl_image.update(path, polygons=many)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["00001_0.jpg"]
    png = tmp_path / "00001_0.png"
    png.write_bytes(dfl_image.embed(facekit.png(), facekit.record("00001_0.png", polygons=many)))
    assert len(dfl_image.read(png).polygons) == 9


def test_update_changes_one_thing(tmp_path):
    path = tmp_path / "00001_0.jpg"
    path.write_bytes(facekit.face())
    dfl_image.update(path, eyebrows_expand_mod=3.0)
    assert facekit.same_record(dfl_image.read(path), facekit.record(eyebrows_expand_mod=3.0))


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".JPG"])
def test_read_from_the_head_of_a_large_file(tmp_path, suffix):
    path = tmp_path / f"gesicht ä{suffix}"
    image = dfl_image.embed(facekit.jpeg(512), facekit.record(path.name, 512))
    path.write_bytes(insert(insert(image, b"\xff\xe1\xff\xff" + bytes(65533)), b"\xff\xe2\xff\xff" + bytes(65533)))
    assert facekit.same_record(dfl_image.read(path), facekit.record(path.name, 512))


def test_no_face(tmp_path):
    with pytest.raises(NotAFaceError):
        dfl_image.parse(facekit.jpeg(), "x.jpg")
    with pytest.raises(NotAFaceError):
        dfl_image.parse(facekit.png(), "x.png")
    with pytest.raises(InputError):
        dfl_image.read(tmp_path / "absent.jpg")


@pytest.mark.parametrize(
    "meta",
    [
        {"landmarks": None},
        {"landmarks": [[1.0, 2.0]] * 67},
        {"landmarks": [[float("nan"), 2.0]] * 68},
        {"landmarks": "text"},
        {"landmarks": [["a", "b"]] * 68},
        {"landmarks": [[[1.0], [2.0]]] * 68},
        {"face_type": "nose"},
        {"face_type": 4},
        {"source_rect": [1, 2, 3]},
        {"source_rect": [1, 2, 3, float("inf")]},
        {"image_to_face_mat": np.eye(3)},
        {"image_to_face_mat": "x"},
        {"xseg_mask": "x"},
        {"xseg_mask": np.zeros((3, 3), np.uint8)},
        {"seg_ie_polys": {"polys": [{"type": 7, "pts": [[1, 2]]}]}},
        {"seg_ie_polys": {"polys": 5}},
        {"seg_ie_polys": 5},
        {"seg_ie_polys": [(1, [1, 2, 3])]},
        {"source_filename": 5},
        {"source_landmarks": [[1.0, 2.0]]},
        {"eyebrows_expand_mod": "x"},
    ],
)
def test_damaged_fields_are_named(meta):
    with pytest.raises(CorruptFileError) as caught:
        dfl_image.parse(with_meta(**meta), "x.jpg")
    assert caught.value.why


@pytest.mark.parametrize("payload", [b"cos\nsystem\n(Vtrue\ntR.", pickle.dumps([1]), pickle.dumps({}), b"\x80\x04"])
def test_hostile_payload(payload):
    with pytest.raises((CorruptFileError, NotAFaceError)):
        dfl_image.parse(with_payload(facekit.jpeg(), payload), "x.jpg")


def test_truncations_and_bit_flips():
    image, rng = facekit.face(), random.Random(1)
    for end in range(0, len(image), 37):
        attempt(image[:end])
    data = bytearray(image)
    for _ in range(300):
        position, bit = rng.randrange(len(data)), 1 << rng.randrange(8)
        data[position] ^= bit
        attempt(bytes(data))
        data[position] ^= bit


def attempt(data: bytes) -> None:
    for action in (
        lambda: dfl_image.parse(data, "x.jpg"),
        lambda: dfl_image.embed(data, facekit.record()),
        lambda: dfl_image.image_digest(data),
    ):
        with contextlib.suppress(CorruptFileError, NotAFaceError):
            action()


@pytest.mark.parametrize(
    ("folder", "count"), [("aligned_whole_face", 8), ("aligned_full_face", 8), ("proto3", 2), ("sortset", 40)]
)
def test_golden_files(folder, count):
    """Files of the original program: all fields as they were meant, and the same after writing them again."""
    truth = golden_json("dfl-faceset/truth.json")
    paths = sorted(golden_path(f"dfl-faceset/{folder}").glob("*.jpg"))
    assert len(paths) == count
    for path in paths:
        record, image = dfl_image.read(path), path.read_bytes()
        expected = truth.get(f"{path.parent.name}/{path.name}")
        if expected:
            assert np.abs(record.source_landmarks - expected["lm"]).max() < 1e-9
            assert list(record.source_rect) == [int(x) for x in expected["rect"]]
        apart = (
            record.source_landmarks @ record.image_to_face_mat[:, :2].T
            + record.image_to_face_mat[:, 2]
            - record.landmarks
        )
        assert np.abs(apart).max() < 1e-6
        written = dfl_image.embed(image, record)
        strict_original.check_face_file(written, path.name)
        assert facekit.same_record(dfl_image.parse(written, path.name), record)
        assert dfl_image.image_digest(written) == dfl_image.image_digest(image)


def test_golden_details():
    folder = golden_path("dfl-faceset/aligned_whole_face")
    records = [dfl_image.read(path) for path in sorted(folder.glob("*.jpg"))]
    assert [len(r.polygons) for r in records] == [2, 0, 0, 2, 0, 0, 0, 0]
    assert [r.xseg_mask is not None for r in records] == [False, True, True, True, False, False, False, False]
    assert records[2].xseg_mask[:2] == b"\xff\xd8"
    assert len(records[2].xseg_mask) == 49650
    assert records[4].eyebrows_expand_mod == 2.0
    assert decode_any(records[1].xseg_mask).shape == (256, 256)
    mask = GoldenArrays("dfl-faceset/ref.npz")["polymask"]
    assert np.array_equal(polygon_mask(records[0].shape, records[0].polygons), mask)
    for path in sorted(golden_path("dfl-faceset/proto3").glob("*.jpg")):
        assert facekit.same_record(dfl_image.read(path), dfl_image.read(folder / path.name))
    with pytest.raises(NotAFaceError):
        dfl_image.read(golden_path("dfl-faceset/plain.jpg"))
