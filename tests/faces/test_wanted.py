"""Who is kept: the decision, the pictures that count, and two real people."""

import cv2
import numpy as np
import pytest
from portraits import face as portrait_face

from core.errors import InputError
from core.faces import filters, wanted
from core.faces.contract import DetectorSettings
from core.faces.detectors import yunet
from core.faces.embedders import sface
from core.faces.extractor import CropSettings, Extractor
from core.faces.filters import Extent, Limits
from core.faces.finding import Finder
from core.faces.landmarkers import facemesh
from core.faces.wanted import Wanted, pictures, read_references, require_apart
from core.formats import dfl_image
from core.imaging.codec import encode_jpeg

A, B = np.eye(3, dtype=np.float32)[:2]
# Vectors with a likeness of 0.8 and of 0.5 to A.
NEAR_A, BETWEEN = np.array([0.8, 0, 0.6], np.float32), np.array([0.5, 0.6, 0.6245], np.float32)
NOBODY = np.array([0, 0, 1], np.float32)


def judged(vector, keep=None, drop=None, threshold=0.4):
    lists = (None if people is None else np.stack(people) for people in (keep, drop))
    return Wanted(None, *lists, threshold).judge(vector)


def test_the_best_picture_decides():
    assert judged(NEAR_A, keep=[B, A])[0] == ""
    assert judged(NOBODY, keep=[A, B])[0] == wanted.NOT_WANTED
    assert judged(NEAR_A, drop=[A])[0] == wanted.UNWANTED
    assert judged(NOBODY, drop=[A])[0] == ""
    reason, likeness = judged(NEAR_A, keep=[A], drop=[B])
    assert reason == "" and likeness == pytest.approx({"likeness_wanted": 0.8, "likeness_unwanted": 0})


def test_of_a_wanted_and_an_unwanted_person_the_nearer_counts():
    assert judged(BETWEEN, keep=[A], drop=[B])[0] == wanted.UNWANTED
    assert judged(BETWEEN, keep=[B], drop=[A])[0] == ""


@pytest.fixture(scope="module")
def networks():
    finder = Finder(yunet.create(DetectorSettings()), facemesh.create(), Limits())
    return finder, sface.create()


def test_pictures_with_several_faces(tmp_path, networks, astronaut, admiral):
    both = np.hstack([cv2.resize(astronaut[:300, 60:360], (600, 600)), admiral[:600]])
    cv2.imwrite(str(tmp_path / "both.png"), both)
    cv2.imwrite(str(tmp_path / "empty.png"), np.full((200, 200, 3), 90, np.uint8))
    (tmp_path / "broken.jpg").write_bytes(b"x")
    used = read_references(pictures(tmp_path), *networks, several=True)
    assert len(used.vectors) == 2 and used.used == 1
    assert {name for name, _ in used.unused} == {"empty.png", "broken.jpg"}
    with pytest.raises(InputError, match="no usable picture") as caught:
        read_references(pictures(tmp_path), *networks, several=False)
    assert "it has 2 faces" in caught.value.why


def test_extracted_faces_and_folders_of_people(tmp_path, networks):
    (tmp_path / "she").mkdir()
    (tmp_path / "also").mkdir()
    for name, which in (("she/a.jpg", 0), ("also/b.jpg", 1)):
        image, record = portrait_face(which, size=256)
        dfl_image.write(tmp_path / name, encode_jpeg(image, 95), record)
    found = read_references(pictures(tmp_path), *networks, several=False)
    assert found.used == 2 and abs(found.vectors[0] @ found.vectors[1]) < 0.3


def test_no_pictures_and_one_in_both_lists(tmp_path):
    with pytest.raises(InputError, match="no pictures"):
        pictures(tmp_path)
    (tmp_path / "a.png").write_bytes(b"1")
    (tmp_path / "b.png").write_bytes(b"1")
    assert pictures(tmp_path / "a.png") == [tmp_path / "a.png"]
    with pytest.raises(InputError, match="same picture"):
        require_apart([tmp_path / "a.png"], [tmp_path / "b.png"])


def test_two_people_in_a_frame_before_the_largest_is_taken(networks, astronaut, admiral):
    """The admiral is the larger one; wanted is the astronaut, the only one that --max-faces 1 leaves."""
    frame = np.hstack([cv2.copyMakeBorder(astronaut, 0, 88, 0, 0, cv2.BORDER_CONSTANT), admiral[:600]])
    finder, embedder = networks
    (she,), _ = finder.find("a.png", cv2.flip(astronaut, 1))
    vector = embedder.embed(cv2.flip(astronaut, 1), she.landmarks)
    choose = Wanted(embedder, vector[None], None, 0.4)
    one = Finder(finder.detector, finder.landmarker, Limits(min_size=Extent(20), max_faces=1))
    result = Extractor(one, embedder, CropSettings(size=96, filtered=True), choose).extract("f.png", lambda: frame)
    (kept,), (other,) = result.faces, result.filtered
    assert kept.face.box[2] < 512 < other.face.box[0]
    assert kept.scores["likeness_wanted"] > 0.6 and kept.record.name == "f_0.jpg"
    assert other.face.reason == wanted.NOT_WANTED and other.identity.shape == vector.shape
    assert other.scores["likeness_wanted"] < 0.4
    assert other.record.name == f"f_{other.face.id}.jpg" and dfl_image.parse(other.data, "f").face_id == other.face.id
    everybody = Extractor(one, embedder, CropSettings(size=96)).extract("f.png", lambda: frame)
    assert everybody.faces[0].face.box[0] > 512 and everybody.filtered[0].face.reason == filters.MANY
