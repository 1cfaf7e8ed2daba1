"""Every sort method: the registry, the contract, and the orders of the original program."""

import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
from golden_files import golden_json, golden_path
from portraits import write_face, write_set

from core.errors import UsageError
from core.faceset.gallery import open_gallery
from core.faceset.scores.features import Features
from core.faceset.sorting.algorithms import ALGORITHMS
from core.faceset.sorting.methods import METHODS, find
from core.faceset.sorting.order import arrange
from core.faceset.sorting.ranking import Choices

NUMBERED = [
    "blur",
    "motion-blur",
    "yaw",
    "pitch",
    "rect-size",
    "hist",
    "hist-dissim",
    "brightness",
    "hue",
    "black",
    "origname",
    "oneface",
    "absdiff",
    "best",
    "best-fast",
]


def by_colour(gallery, indices):
    """Stands in for a network: two people told apart by the numbers in their file names."""
    vectors = np.zeros((len(indices), 128), np.float32)
    for row, index in enumerate(indices):
        vectors[row, 0 if int(gallery.names[index][:5]) < 8 else 1] = 1
        vectors[row, 2 + index] = 0.1
    return vectors


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    folder = tmp_path_factory.mktemp("side") / "aligned"
    write_set(folder)
    with open_gallery(folder) as gallery:
        yield Features(gallery, by_colour)


def test_numbers_are_those_that_people_know():
    assert [find(str(n)).name for n in range(15)] == NUMBERED
    assert [method.name for method in METHODS[:15]] == NUMBERED
    assert [find(text).name for text in ("final", "face-yaw", "Motion_Blur")] == ["best", "yaw", "motion-blur"]
    with pytest.raises(UsageError, match="5 hist"):
        find("15")


def test_no_name_means_two_methods():
    spellings = [spelling for method in METHODS for spelling in (method.name, *method.aliases)]
    assert len(spellings) == len(set(spellings))
    assert all(method.help.endswith(".") for method in METHODS)


def test_each_method_has_one_way_to_rank():
    assert {method.name for method in METHODS if not method.column} == set(ALGORITHMS)


def test_listing_imports_nothing_heavy():
    code = "import sys, core.faceset.sorting.methods as m; m.listing(); assert not {'numpy', 'cv2'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("method", [method.name for method in METHODS])
def test_every_method_accounts_for_every_picture(features, method):
    order = arrange(features, method, Choices(count=8))
    assert sorted([*order.names, *order.rejected]) == sorted(features.gallery.names)
    assert arrange(features, method, Choices(count=8)).names == order.names


def test_scores_descend_or_ascend(features):
    for method, sign in (("blur", -1), ("yaw", -1), ("black", 1), ("distance", 1), ("identity", -1), ("size", -1)):
        order = arrange(features, method, Choices())
        assert (np.diff(order.scores) * sign >= 0).all(), method


def test_persons_come_one_after_another(features):
    order = arrange(features, "persons", Choices())
    first = [int(name[:5]) < 8 for name in order.names]
    assert first == sorted(first, reverse=True)


def test_oneface_throws_out_whole_frames_and_else_does_nothing(features, tmp_path):
    order = arrange(features, "oneface", Choices())
    assert set(order.rejected) == {"00001_0.jpg", "00001_1.jpg"} and order.renumber
    write_face(tmp_path / "s/aligned", "a.jpg", seed=1)
    write_face(tmp_path / "s/aligned", "b.jpg", seed=2)
    with open_gallery(tmp_path / "s/aligned") as gallery:
        order = arrange(Features(gallery), "oneface", Choices())
    assert not order.renumber and not order.rejected


@pytest.mark.parametrize("count", [1, 3, 7, 100])
@pytest.mark.parametrize("method", ["best", "best-fast"])
def test_best_keeps_the_asked_number(features, method, count):
    order = arrange(features, method, Choices(count=count))
    assert len(order.names) == min(count, len(features))


def test_best_of_a_small_number_does_not_empty_the_folder(features):
    order = arrange(features, "best", Choices(count=30, exact=False))
    assert order.names


def test_pictures_that_are_no_faces_and_damaged_ones(tmp_path):
    folder = tmp_path / "s/aligned"
    write_set(folder, 5)
    shutil.copy(folder / "00002_0.jpg", folder / "cut.jpg")
    data = (folder / "cut.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(data[:-2000])
    cv2.imwrite(str(folder / "plain.png"), np.full((60, 80, 3), 90, np.uint8))
    with open_gallery(folder) as gallery:
        features = Features(gallery, by_plain_colour)
        assert arrange(features, "blur", Choices()).rejected == {
            "cut.jpg": "cannot be decoded",
            "plain.png": "no face metadata",
        }
        order = arrange(features, "hist", Choices())
        assert order.rejected == {"cut.jpg": "cannot be decoded"} and "plain.png" in order.names


def by_plain_colour(gallery, indices):
    return np.ones((len(indices), 128), np.float32)


GOLDEN = {
    "blur": "blur",
    "motion-blur": "motion-blur",
    "face-yaw": "yaw",
    "face-pitch": "pitch",
    "face-source-rect-size": "rect-size",
    "hist": "hist",
    "hist-dissim": "hist-dissim",
    "brightness": "brightness",
    "hue": "hue",
    "black": "black",
    "origname": "origname",
    "oneface": "oneface",
    "final": "best",
    "final-fast": "best-fast",
}


@pytest.fixture(scope="module")
def golden_set(tmp_path_factory):
    """The golden faces, with and without the plain picture that some of the golden runs had."""
    root = tmp_path_factory.mktemp("golden")
    for side in ("with", "without"):
        shutil.copytree(golden_path("dfl-faceset/sortset"), root / side / "aligned", copy_function=shutil.copyfile)
    shutil.copyfile(golden_path("dfl-faceset/plain.jpg"), root / "with/aligned/zzz.jpg")
    return root, golden_json("dfl-faceset/sorter_ref.json")


@pytest.mark.parametrize("key", GOLDEN)
def test_orders_and_scores_of_the_original(golden_set, key):
    root, expected = golden_set
    faces, trash = expected[key]
    side = "without" if key in ("hist", "oneface") else "with"
    with open_gallery(root / side / "aligned") as gallery:
        order = arrange(Features(gallery), GOLDEN[key], Choices(count=200, exact=False))
    assert list(order.names) == [face[0] for face in faces]
    assert sorted(order.rejected) == sorted(trash)
    if order.scores and len(faces[0]) > 1:
        loose = 2e-3 if key in ("face-yaw", "face-pitch") else 1e-11  # the pose comes from an iterative solver
        np.testing.assert_allclose(
            order.scores, [face[1] for face in faces], rtol=loose, atol=loose if loose > 1e-9 else 1e-12
        )
