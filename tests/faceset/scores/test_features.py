"""Scores are computed once, kept, and thrown away when the picture changes."""

import os

import h5py
import numpy as np
import pytest
from portraits import write_face, write_set

from core import parallel
from core.errors import InputError
from core.faceset.gallery import open_gallery
from core.faceset.scores import features as module
from core.faceset.scores import measures, pixels, score_files, shape
from core.faceset.scores.features import Features


@pytest.fixture
def folder(tmp_path):
    write_set(tmp_path / "data_src/aligned", 6)
    return tmp_path / "data_src/aligned"


@pytest.fixture
def counted(monkeypatch):
    calls = []
    original = measures.measure

    def measure(group, data, name):
        calls.append(name)
        return original(group, data, name)

    monkeypatch.setattr(measures, "measure", measure)
    return calls


def column(folder, name):
    with open_gallery(folder) as gallery:
        return dict(zip(gallery.names, Features(gallery)[name], strict=True))


def test_a_second_look_computes_nothing_even_after_renaming(folder, counted):
    first = column(folder, "brightness")
    assert len(counted) == 6
    os.rename(folder / "00003_0.jpg", folder / "zz.jpg")
    second = column(folder, "brightness")
    assert len(counted) == 6
    assert second == {("zz.jpg" if n == "00003_0.jpg" else n): v for n, v in first.items()}


def test_a_changed_picture_is_measured_again(folder, counted):
    first = column(folder, "brightness")
    write_face(folder, "00002_0.jpg", seed=2, fault="dark")
    second = column(folder, "brightness")
    assert counted[6:] == ["00002_0.jpg"]
    assert second["00002_0.jpg"] < first["00002_0.jpg"] / 3
    assert {n: v for n, v in second.items() if n != "00002_0.jpg"} == {
        n: v for n, v in first.items() if n != "00002_0.jpg"
    }


def test_a_damaged_score_file_is_made_again(folder, counted):
    first = column(folder, "hue")
    for path in (folder.parent / score_files.FOLDER).iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert column(folder, "hue") == first
    assert len(counted) == 12


def test_what_a_killed_run_has_scored_is_kept(folder, counted, monkeypatch):
    monkeypatch.setattr(score_files, "PART", 2)
    original = score_files.save

    def save(*args):
        original(*args)
        if len(counted) >= 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(score_files, "save", save)
    with pytest.raises(KeyboardInterrupt):
        column(folder, "hue")
    monkeypatch.setattr(score_files, "save", original)
    column(folder, "hue")
    assert len(counted) == 6


def test_many_small_files_become_one(folder, monkeypatch):
    monkeypatch.setattr(score_files, "PART", 1)
    monkeypatch.setattr(score_files, "_MERGE_FROM", 2)
    sources = column(folder, "source_filename")
    monkeypatch.setattr(score_files, "PART", 4096)
    write_face(folder, "00009_0.jpg", seed=9)
    assert column(folder, "source_filename") == sources | {"00009_0.jpg": "00009.png"}
    assert len(list((folder.parent / score_files.FOLDER).iterdir())) == 1
    assert column(folder, "source_filename") == sources | {"00009_0.jpg": "00009.png"}


def test_workers_give_the_same_numbers(folder, monkeypatch):
    alone = column(folder, "motion_blur")
    for path in (folder.parent / score_files.FOLDER).iterdir():
        path.unlink()
    monkeypatch.setattr(module, "_POOL_FROM", 1)
    with open_gallery(folder) as gallery:
        together = dict(zip(gallery.names, Features(gallery, workers=2)["motion_blur"], strict=True))
    assert together == alone


def test_as_many_workers_as_the_process_has_cores(folder, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    monkeypatch.setattr(module, "_pool", lambda workers: pytest.fail(f"{workers} workers on one core"))
    monkeypatch.setattr(module, "_POOL_FROM", 1)
    assert column(folder, "motion_blur")


def test_measures_of_a_known_image(folder):
    import cv2

    image = np.zeros((64, 64, 3), np.uint8)
    image[:, 32:] = (0, 0, 200)
    found = pixels.pixels(cv2.imencode(".png", image)[1].tobytes(), "x.png")
    assert (found["brightness"], found["hue"], found["black_share"]) == (100, 0, 0.5)
    assert found["black"] == 64 * 64 * 3 - 64 * 32
    assert found["histogram"].reshape(3, 256)[2, 200] == 64 * 32 and found["grey_histogram"].sum() == 64 * 64
    assert np.isnan(found["motion_blur"]) and np.array_equal(found["masked_histogram"], found["grey_histogram"])


def test_every_column_is_declared_with_its_shape_and_kind(folder):
    data = (folder / "00001_0.jpg").read_bytes()
    for group, function in measures.GROUPS.items():
        found = function(data, "00001_0.jpg")
        assert set(found) == set(measures.COLUMNS[group])
        for column, empty in measures.COLUMNS[group].items():
            assert np.shape(found[column]) == np.shape(empty), column
            assert np.asarray(found[column]).dtype.kind == np.asarray(empty).dtype.kind, column


def test_roll_and_fit_of_the_landmarks():
    from core.geometry import landmarks as lm

    head = lm.HEAD_3D[:, :2].astype(np.float64)
    for degrees in (0, 25, -60, 170):
        t = np.radians(degrees)
        found = shape.head_fit(head @ np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]]) + 128)
        assert (
            np.degrees(found["roll"]) == pytest.approx(degrees) and found["fit_error"] < 1e-6 and found["skew"] < 1e-6
        )
    shaken = shape.head_fit(head + np.random.default_rng(0).normal(0, 12, head.shape))
    assert shaken["fit_error"] > 0.2


def test_a_pak_and_loose_faces_together_are_refused(folder):
    (folder / "faceset.pak").write_bytes(b"x")
    with pytest.raises(InputError, match="packed faceset and loose"):
        column(folder, "hue")


def test_identity_needs_a_source(folder):
    with pytest.raises(InputError, match="identity"):
        column(folder, "identity")


@pytest.mark.parametrize("merge_from", [32, 1])
def test_damaged_images_that_are_scored_alone(folder, monkeypatch, merge_from):
    """A run whose only new images cannot be decoded stores columns of the same shape as all others."""
    monkeypatch.setattr(score_files, "_MERGE_FROM", merge_from)
    (folder / "damaged.jpg").write_bytes((folder / "00002_0.jpg").read_bytes()[:-2000])
    for path in folder.glob("0*.jpg"):
        path.rename(folder.parent / path.name)
    assert column(folder, "histogram")["damaged.jpg"].sum() == 0
    for path in folder.parent.glob("0*.jpg"):
        path.rename(folder / path.name)
    assert column(folder, "histogram")["00003_0.jpg"].sum() == 3 * 128 * 128
    (folder / "another.jpg").write_bytes((folder / "00003_0.jpg").read_bytes()[:-2000])
    found = column(folder, "histogram")
    assert [found[name].sum() for name in ("damaged.jpg", "another.jpg", "00003_0.jpg")] == [0, 0, 3 * 128 * 128]


def test_score_files_that_cannot_be_used_are_left_out(folder, monkeypatch, counted):
    """Damaged ones, and those whose columns have another shape, as earlier versions wrote them."""
    monkeypatch.setattr(score_files, "_MERGE_FROM", 1)
    first = column(folder, "histogram")
    (folder.parent / score_files.FOLDER / "pixels-1.00000000000000000001.h5").write_bytes(b"no HDF5")
    with h5py.File(max((folder.parent / score_files.FOLDER).iterdir()), "r+") as file:
        del file["histogram"]
        file["histogram"] = np.full(6, np.nan)
    again = column(folder, "histogram")
    assert all(np.array_equal(again[name], first[name]) for name in first)
    assert len(counted) == 12
    column(folder, "histogram")
    assert len(counted) == 12
