"""Headers of face pictures: those of every era are read, and changed without harm to the picture or to other chunks."""

import ast
import zlib

import cv2
import numpy as np
import pytest
from fsa_cases import ERAS, face
from golden_files import golden_path

from core.errors import CorruptFileError, InputError
from core.formats.faceswap import face_png, fsa
from core.formats.faceswap.document import FsaFace
from core.formats.faceswap.face_png import FaceHeader
from core.imaging import png

HEADER = FaceHeader(face(1, thumb=None), "a ü.png", 2, "a ü_2.png", (90, 120))


def picture() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    return cv2.imencode(".png", pixels)[1].tobytes()


def kinds(data: bytes) -> list[bytes]:
    return [chunk.kind for chunk in png.chunks(data)]


def golden(era: str):
    return golden_path(f"faceswap/{era.split('/')[0]}/faces/test_img1_0.png")


@pytest.mark.parametrize("era", ERAS)
def test_headers_of_every_era(era):
    header = face_png.read(golden(era))
    assert (header.frame, header.index, header.name) == ("test_img1.jpg", 0, "test_img1_0.png")
    assert (header.frame_shape, header.is_video, header.extra) == ((814, 1201), False, {})
    stored = fsa.read(golden_path(f"faceswap/{era}/alignments.fsa")).frames[0].faces[0]
    assert header.face.box == stored.box
    np.testing.assert_array_equal(header.face.landmarks, stored.landmarks)
    for name, mask in header.face.masks.items():
        np.testing.assert_array_equal(mask.pixels(), stored.masks[name].pixels())
        np.testing.assert_allclose(mask.frame_to_mask, stored.masks[name].frame_to_mask, atol=2e-5)
    for name, vector in header.face.identities.items():
        np.testing.assert_array_equal(vector, stored.identities[name])


def test_written_as_the_newest_writes():
    data = golden("newest").read_bytes()
    assert face_png.with_header(data, face_png.parse(data)) == data


def test_python_reads_what_is_written():
    raw = ast.literal_eval(face_png.text_of(HEADER))
    assert list(raw) == ["alignments", "source"] and len(raw["source"]) == 6
    assert list(raw["alignments"]) == ["x", "y", "w", "h", "landmarks_xy", "mask", "identity"]
    assert len(zlib.decompress(raw["alignments"]["mask"]["xseg_face"]["mask"])) == 64


def test_round_trip(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(face_png.with_header(picture(), HEADER))
    found = face_png.read(path)
    assert face_png.text_of(found) == face_png.text_of(HEADER)
    assert face_png.parse(path.read_bytes()).frame == "a ü.png"
    assert kinds(path.read_bytes()) == [b"IHDR", b"iTXt", b"IDAT", b"IEND"]
    changed = FaceHeader(face(2, thumb=None), "b.png", 0, "b_0.png", (90, 120))
    face_png.update(path, changed)
    assert face_png.read(path).frame == "b.png"
    np.testing.assert_array_equal(cv2.imread(str(path)), cv2.imdecode(np.frombuffer(picture(), np.uint8), 1))


def test_foreign_chunks_stay_where_faceswap_does_not_harm_them():
    at = next(chunk.start for chunk in png.chunks(picture()) if chunk.kind == b"IDAT")
    text, note = png.chunk(b"iTXt", b"Comment\0\0\0\0\0hello"), png.chunk(b"tEXt", b"a\0b")
    data = picture()[:at] + text + note + picture()[at:]
    assert face_png.parse(data) is None
    changed = face_png.with_header(data, HEADER)
    assert kinds(changed) == [b"IHDR", b"tEXt", b"iTXt", b"IDAT", b"iTXt", b"IEND"]
    assert text in changed and face_png.parse(changed).frame == "a ü.png"


def test_without_a_header(tmp_path):
    (tmp_path / "a.png").write_bytes(picture())
    assert face_png.read(tmp_path / "a.png") is None and face_png.parse(picture()) is None


def test_old_headers(tmp_path):
    """Numbers of numpy 2, points under their old name, no size of the frame."""
    raw = ast.literal_eval(face_png.text_of(HEADER))
    raw["alignments"]["landmarksXY"] = raw["alignments"].pop("landmarks_xy")
    del raw["source"]["source_frame_dims"]
    text = repr(raw).replace("'x': -2", "'x': np.int32(-2)")
    assert "np.int32" in text
    data = with_text(text)
    found = face_png.parse(data)
    assert found.face.box[0] == -2 and found.frame_shape is None
    np.testing.assert_array_equal(found.face.landmarks, HEADER.face.landmarks)


def with_text(text: str) -> bytes:
    chunk = png.chunk(b"iTXt", b"faceswap\0\0\0\0\0" + text.encode())
    at = next(chunk.start for chunk in png.chunks(picture()) if chunk.kind == b"IDAT")
    return picture()[:at] + chunk + picture()[at:]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "{'alignments': {}, 'source': {}}",
        "{'alignments': 1, 'source': {}}",
        "__import__('os').system('touch x')",
        face_png.text_of(HEADER).replace("'face_index': 2", "'face_index': -1"),
        face_png.text_of(HEADER).replace("'a ü.png'", "5"),
        face_png.text_of(HEADER).replace("[90, 120]", "[90]"),
        face_png.text_of(HEADER).replace("[90, 120]", "['9', 120]"),
        face_png.text_of(HEADER).replace("2.4", "'2.4'"),
    ],
)
def test_damaged_headers_are_refused(text):
    with pytest.raises(CorruptFileError):
        face_png.parse(with_text(text))


def test_cut_at_every_length(tmp_path):
    data, path = face_png.with_header(picture(), HEADER), tmp_path / "a.png"
    for length in range(len(data)):
        with pytest.raises(CorruptFileError):
            face_png.with_header(data[:length], HEADER)
    for length in range(next(chunk.end for chunk in png.chunks(data) if chunk.kind == b"iTXt")):
        path.write_bytes(data[:length])
        with pytest.raises(CorruptFileError):
            face_png.read(path)


def test_a_wrong_checksum_is_damage():
    data = bytearray(face_png.with_header(picture(), HEADER))
    data[data.index(b"'x': ") + 5] ^= 1
    with pytest.raises(CorruptFileError, match="header"):
        face_png.parse(bytes(data))


def test_numbers_that_are_none_are_not_written():
    points = np.full((68, 2), np.nan, np.float32)
    with pytest.raises(InputError):
        face_png.with_header(picture(), FaceHeader(FsaFace((0, 0, 1, 1), points), "a", 0, "b", (1, 1)))
