"""FAN: crops, points from heat maps, two passes, turned faces; stand-in networks whose answers are known."""

import numpy as np
import pytest
from drawn_faces import landmarks
from golden_files import GoldenArrays

from core import plugins
from core.errors import InputError
from core.faces.fan_points import FAN, crop, peaks, place, to_image
from core.faces.turns import boxes_back, points_back, roll_of
from core.inference import user_weights
from core.inference.sessions import Session
from core.types import Face

SIZE = 220
BOX = np.array([40, 50, 180, 200])


def test_crop_of_known_pixels():
    image = np.arange(300 * 300 * 3, dtype=np.uint32).reshape(300, 300, 3).astype(np.uint8)
    centre, side = place((10, 20, 134.8, 144.8))
    assert side == pytest.approx(256) and np.allclose(centre, (72.4, 82.4))
    # 255 pixels from trunc(1 - 128 + 72.4) = -54, trunc(1 - 128 + 82.4) = -44; the part outside is black.
    made = crop(image, centre, side)
    assert made.shape == (256, 256, 3) and not made[:43].any() and not made[:, :53].any()
    assert crop(image, np.array([-900.0, 10.0]), 50.0).max() == 0
    whole = crop(np.full((300, 300, 3), 7, np.uint8), np.array([150.0, 150.0]), 200.0)
    assert (whole == 7).all()
    assert crop(image, *place((5, 5, 5, 5))).shape == (256, 256, 3)


def test_peaks_move_toward_the_higher_neighbour():
    maps = np.zeros((1, 64, 64, 4), np.float32)
    maps[0, 10, 20, 0], maps[0, 10, 21, 0], maps[0, 9, 20, 0] = 1, 0.5, 0.25
    maps[0, 0, 30, 1], maps[0, 0, 31, 1] = 1, 0.5  # at the border it stays
    maps[0, 40, 63, 2] = 1
    maps[0, 5, 6, 3] = 1
    expected = np.array([(20.75, 10.25), (30.5, 0.5), (63.5, 40.5), (6.5, 5.5)]) / 64
    np.testing.assert_allclose(peaks(maps)[0], expected)
    both = peaks(np.concatenate([maps, maps[:, ::-1]]))
    assert both.shape == (2, 4, 2) and both[1, 3].tolist() == [6.5 / 64, 58.5 / 64]


def test_golden_crops_and_points():
    golden = GoldenArrays("dfl-faceset/ref.npz")
    parts = peaks(golden["fan_hm"].transpose(1, 2, 0)[None])[0]
    for box, cut, points in zip(golden["fan_cases"], golden["fan_crops"], golden["fan_pts"], strict=True):
        centre, side = place(box)
        np.testing.assert_array_equal(crop(golden["fan_img"], centre, side), cut)
        np.testing.assert_allclose(to_image(parts, centre, side), points, atol=1e-9)


def test_the_light_of_what_the_network_sees_is_evened_out():
    seen = []

    def network(crops):
        seen.append(crops)
        return np.zeros((len(crops), 64, 64, 68), np.float32)

    image = np.full((300, 300, 3), 60, np.uint8)
    image[:, 150:] = 90
    face = Face(np.array([100, 100, 200, 200], np.float32), 0.9)
    for way in ("none", "mean"):
        FAN(network, lambda rgb: np.zeros((0, 4)), "CPU", way).landmarks(image, face)
    plain, stretched = (crops[0] for crops in seen)
    assert (plain.min(), plain.max()) == pytest.approx((60 / 255, 90 / 255)) and (stretched.min(), stretched.max()) == (
        0,
        1,
    )


def test_golden_two_passes():
    golden = GoldenArrays("dfl-faceset/ref.npz")
    maps, batches, cuts = golden["fan_hm"].transpose(1, 2, 0)[None], [], []

    def network(crops):
        batches.append(crops)
        return maps.repeat(len(crops), axis=0)

    def detect(rgb):
        cuts.append(rgb)
        return np.array([[40, 40, 220, 230]])

    points, sure = FAN(network, detect, "CPU").landmarks(
        golden["fan_img"], Face(golden["fan_cases"][1].astype(np.float32), 0.9)
    )
    assert sum(map(len, batches)) == golden["fan_n_runs"] and [len(batch) for batch in batches] == [1, 5] and sure == 1
    np.testing.assert_allclose(batches[0], golden["fan_first_in"], atol=1e-6)
    # Versions of OpenCV differ by a grey level or two where they cut.
    assert (np.abs(cuts[0].astype(int) - golden["fan_s2_im"]) > 0).mean() < 1e-4
    assert (np.abs(batches[1] - golden["fan_second_in"][:, 0]) > 1e-6).mean() < 1e-3
    # The stand-in's points are in disorder, so the cut is tiny and its way back enlarges.
    assert np.abs(points - golden["fan_full_out"]).max() < 1e-6 * np.abs(golden["fan_full_out"]).max()


@pytest.fixture(scope="module")
def truth():
    return landmarks(SIZE)


@pytest.fixture(scope="module")
def coded():
    """A BGR image whose red is x and whose green is y."""
    y, x = np.mgrid[:SIZE, :SIZE]
    return np.stack([np.full_like(x, 255), y, x], axis=-1).astype(np.uint8)


def finder(truth):
    """A network that knows where it is by the colours, and draws a peak where each point is nearest."""

    def network(crops):
        cells = crops[:, 1::4, 1::4, None, :] * 255
        distance = (cells[..., 0] - truth[:, 0]) ** 2 + (cells[..., 1] - truth[:, 1]) ** 2
        return (-distance - 1e6 * (cells[..., 2] < 200)).astype(np.float32)

    return network


@pytest.mark.parametrize("found", [[(30, 30, 226, 226)], []])
@pytest.mark.parametrize("quarters", range(4))
def test_points_of_turned_faces(coded, truth, quarters, found):
    image = np.ascontiguousarray(np.rot90(coded, -quarters))
    there = points_back(truth, quarters, SIZE, SIZE)  # where the points are in the turned image
    box = boxes_back(BOX, quarters, SIZE, SIZE)[0].astype(np.float32)
    fan = FAN(finder(truth), lambda rgb: np.array(found), "CPU")
    points, _ = fan.landmarks(image, Face(box, 0.9, roll_of(quarters) + 0.2))
    assert points.shape == (68, 2) and points.dtype == np.float32
    error = np.abs(points - there)
    assert error.max() < 2.5 and error.mean() < 1.2


def test_the_second_pass_needs_one_face(coded, truth):
    fan = FAN(finder(truth), lambda rgb: np.array([(30, 30, 226, 226)] * 2), "CPU")
    first = fan.look(coded[..., ::-1], BOX, np.zeros((1, 2)))
    assert fan.refine(coded[..., ::-1], first) is first
    one = FAN(finder(truth), lambda rgb: np.array([(30, 30, 226, 226)]), "CPU")
    second = one.refine(coded[..., ::-1], first)
    assert np.abs(second - truth).mean() < np.abs(first - truth).mean() + 0.2 and not np.array_equal(first, second)
    nowhere = np.full((68, 2), 50.0)
    assert one.refine(coded[..., ::-1], nowhere) is nowhere


@pytest.mark.parametrize(("name", "file"), [("fan2d", "2DFAN.npy"), ("fan3d", "3DFAN.npy")])
def test_a_missing_file_is_named(tmp_path, monkeypatch, name, file):
    monkeypatch.setenv("FORGE_ASSETS", str(tmp_path))
    with pytest.raises(InputError) as caught:
        plugins.load("landmarkers", name).create()
    assert file in str(caught.value) and str(tmp_path) in caught.value.hint


def test_each_name_has_its_weights_in_the_assets_that_it_is_given(monkeypatch, tmp_path):
    asked = []

    def opened(weights, assets):
        asked.append(assets)
        return Session(source=weights.file, device=weights.file, inputs=(), outputs=(), runtime=None)

    monkeypatch.setattr(user_weights, "load", opened)
    devices = [plugins.load("landmarkers", name).create(tmp_path).device for name in ("fan2d", "fan3d")]
    assert devices == ["2DFAN.npy", "3DFAN.npy"]
    assert set(asked) == {tmp_path}
