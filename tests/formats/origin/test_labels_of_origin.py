"""What says that a file is synthetic is in it, and is read back by other code than wrote it."""

import json
import shutil
import struct
import subprocess
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from films import make_film, picture

from core.errors import CorruptFileError
from core.formats import provenance
from core.formats.origin.film import film_label, sidecar_of
from core.formats.origin.reading import read_label
from core.formats.origin.tiff import add_packet, packet_of
from core.video.film.edit import edit_film
from core.video.film.encoders import FilmSettings
from core.video.film.frames import Frame
from core.video.film.plan import plan_pictures
from core.video.film.writer import FilmWriter

OURS = provenance.Label(provenance.CREATOR_TOOL, provenance.DIGITAL_SOURCE_TYPE)
UUID = "BE7ACFCB97A942E89C71999491E3AFAC"


def write_film(path):
    plan = plan_pictures(path.suffix, FilmSettings(), rate=Fraction(25), deep=False)
    with FilmWriter(path, plan) as film:
        for number in (1, 2, 3):
            film.write(Frame(number, number, Fraction(1, 25), picture(number)))
        film.finish()
    return path


@pytest.mark.parametrize("suffix", ["mp4", "m4v", "mov", "mkv", "webm"])
def test_films_say_what_they_are(tmp_path, suffix):
    path = write_film(tmp_path / f"a.{suffix}")
    assert read_label(path) == OURS
    with av.open(str(path)) as film:
        comment = {key.lower(): text for key, text in film.metadata.items()}["comment"]
    assert provenance.parse_comment(comment) == OURS
    boxed = suffix not in ("mkv", "webm")
    assert path.read_bytes().endswith(provenance.XMP) == boxed
    assert sidecar_of(path).exists() != boxed
    if not boxed:
        assert provenance.parse_xmp(sidecar_of(path).read_bytes()) == OURS


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="there is no ffprobe here")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_ffprobe_reads_the_tag(tmp_path, suffix):
    path = write_film(tmp_path / f"a.{suffix}")
    command = ["ffprobe", "-v", "error", "-show_format", "-of", "json", path]
    tags = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["format"]["tags"]
    assert provenance.DIGITAL_SOURCE_TYPE in {key.lower(): text for key, text in tags.items()}["comment"]


def test_the_box_is_whole_and_the_last(tmp_path):
    data = write_film(tmp_path / "a.mp4").read_bytes()
    boxes, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        boxes.append((data[at + 4 : at + 8], data[at + 8 : at + length]))
        at += length
    assert at == len(data)
    assert [kind for kind, _ in boxes][0] == b"ftyp" and [kind for kind, _ in boxes].index(b"moov") < 3  # faststart
    assert boxes[-1] == (b"uuid", bytes.fromhex(UUID) + provenance.XMP)


def test_the_comment_of_the_old_film_stays_behind_ours_and_labels_do_not_pile_up(tmp_path):
    source = make_film(tmp_path / "a.mp4", tags={"comment": "my holiday"})
    edit_film(source, tmp_path / "b.mp4", lambda number, image: image)
    edit_film(tmp_path / "b.mp4", tmp_path / "c.mp4", lambda number, image: image)
    with av.open(str(tmp_path / "c.mp4")) as film:
        comment = film.metadata["comment"]
    assert comment.count("synthetic media made with") == 1 and comment.endswith("my holiday")
    assert (tmp_path / "c.mp4").read_bytes().count(bytes.fromhex(UUID)) == 1
    assert read_label(tmp_path / "c.mp4") == OURS


@pytest.mark.parametrize("suffix", ["png", "tif", "tiff", "jpg"])
@pytest.mark.parametrize("deep", [False, True])
def test_pictures_say_what_they_are(tmp_path, suffix, deep):
    path = tmp_path / f"a.{suffix}"
    image = picture(1).astype(np.uint16) * 257 if deep else picture(1)
    if deep and suffix == "jpg":
        with pytest.raises(ValueError, match="uint16"):
            provenance.write_synthetic_image(path, image)
        return
    provenance.write_synthetic_image(path, image)
    assert read_label(path) == OURS
    back = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert back.dtype == image.dtype
    if suffix == "jpg":
        assert np.abs(back.astype(int) - image).mean() < 3
    else:
        np.testing.assert_array_equal(back, image)


def test_files_without_a_label(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), picture(1))
    cv2.imwrite(str(tmp_path / "a.tif"), picture(1))
    cv2.imwrite(str(tmp_path / "a.jpg"), picture(1))
    make_film(tmp_path / "a.mp4", tags={"comment": "my holiday"})
    make_film(tmp_path / "a.mkv", tags={"comment": "my holiday"})
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "empty").touch()
    assert [read_label(path) for path in sorted(tmp_path.iterdir())] == [None] * 7


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.tif", "a.png"])
def test_cut_at_any_place_or_hostile(tmp_path, name):
    path = tmp_path / name
    if path.suffix in (".mp4", ".mkv"):
        write_film(path)
    else:
        provenance.write_synthetic_image(path, picture(1))
    data = path.read_bytes()
    for length in {*range(0, len(data), 37), *range(len(data) - 40, len(data))}:
        path.write_bytes(data[:length])
        assert read_label(path) in (None, OURS)
    rng = np.random.default_rng(0)
    for _ in range(60):
        broken = np.frombuffer(data, np.uint8).copy()
        broken[rng.integers(0, min(len(data), 400), 8)] = rng.integers(0, 256, 8)
        path.write_bytes(broken.tobytes())
        read_label(path)  # says something, or nothing; it never fails nor goes on for ever


def test_boxes_of_odd_lengths(tmp_path):
    film = tmp_path / "a.mp4"
    label = bytes.fromhex(UUID) + provenance.XMP
    free = b"\0\0\0\x08free"
    long = (1).to_bytes(4) + b"uuid" + (16 + len(label)).to_bytes(8) + label
    to_end = bytes(4) + b"uuid" + label
    for data, found in ((free + long, OURS), (free + to_end, OURS), (b"\0\0\0\x07free" + to_end, None)):
        film.write_bytes(data)
        assert film_label(film) == found


def test_tiffs_of_either_byte_order():
    data = b"MM\0*" + struct.pack(">IH", 8, 1) + struct.pack(">HHII", 256, 3, 1, 5 << 16) + bytes(4)
    assert packet_of(add_packet(data, b"a packet")) == b"a packet"
    assert packet_of(add_packet(add_packet(data, b"a packet"), b"another")) == b"another"
    for broken in (b"", b"II*\0", data[:12], b"II*\0\xff\xff\xff\xff"):
        with pytest.raises(CorruptFileError):
            add_packet(broken, b"a packet")
