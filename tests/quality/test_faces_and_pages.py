import re
from base64 import b64decode

import facekit
import numpy as np
import pytest

from core.errors import InputError
from core.faceset.store import open_faceset
from core.formats.provenance import XMP
from core.quality import page, pixels
from core.quality.faces import longest_run, read_faces, spread


def test_faces_are_spread_evenly():
    assert spread(10, 3) == [0, 3, 6] and spread(3, 10) == [0, 1, 2] and spread(0, 4) == []


def test_the_longest_run_of_frames():
    names = ["00007.png", "00003.png", "00001.png", "00002.png", "00009.png", "00008.png", "00002.png", "x.png"]
    records = [facekit.record(f"{place}.jpg", source_filename=name) for place, name in enumerate(names)]
    assert longest_run(records, 24) == [2, 3, 1]  # of two faces of frame 2 the first
    assert longest_run(records, 2) == [2, 3]
    assert longest_run(records[-1:], 24) == []


def test_faces_that_cannot_be_read_are_named(tmp_path):
    facekit.write_faces(tmp_path, 3)
    faces = open_faceset(tmp_path)
    whole = (tmp_path / "00002_0.jpg").read_bytes()
    cut = whole.replace(b"\xff\xda", b"\xff\xd9", 1)  # no picture any more; what it says about itself stays
    (tmp_path / "00002_0.jpg").write_bytes(cut)
    found, problems = read_faces(faces, [0, 1, 2])
    assert [face.name for face in found] == ["00001_0.jpg", "00003_0.jpg"] and "00002_0.jpg" in problems[0]
    with pytest.raises(InputError, match="none of the faces can be read"):
        read_faces(faces, [1])


def test_measures_of_equal_and_of_flat_pictures():
    picture = np.random.default_rng(1).random((64, 64, 3)).astype(np.float32)
    mask = np.ones((64, 64), np.float32)
    assert pixels.ssim(picture, picture, mask) == pytest.approx(1)
    assert pixels.psnr(picture, picture, mask) == 100
    assert pixels.psnr(picture, 1 - picture, mask) < 10
    assert pixels.detail(picture * 0.5 + 0.2, mask) == pytest.approx(pixels.detail(picture, mask), rel=1e-3)
    assert np.isnan(pixels.detail(picture, mask * 0)) and np.isnan(pixels.edge_step(picture, picture, mask * 0))
    still = np.stack([picture] * 4)
    assert np.isnan(pixels.flicker(still, still, np.stack([mask] * 4))).all()


def test_a_page_needs_nothing_else_and_its_pictures_are_labelled():
    picture = np.full((300, 300, 3), 90, np.uint8)
    row = page.Row((("source", picture), ("target", picture), ("swap", picture)), "<b>.jpg")
    text = page.page("How good is <x>?", ["a note"], [page.gallery("The best faces", [row])])
    assert "synthetic" in text and "<x>" not in text and "<b>" not in text
    addresses = re.findall(r"(?:src|href)=\"([^\"]*)", text)
    assert len(addresses) == 3 and all(address.startswith("data:image/jpeg;base64,") for address in addresses)
    labelled = [XMP in b64decode(address.split(",")[1]) for address in addresses]
    assert labelled == [False, False, True]
    assert "default-src 'none'" in text
