"""Our own composition: what must hold whatever the settings are."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from drawn_faces import landmarks

from core.errors import InputError, UsageError
from core.geometry.align import FaceType, face_matrix, transform_points
from core.imaging.warp import warp_face
from core.merge.face import SwappedFace, merge_face, merge_faces
from core.merge.names import MODES
from core.merge.settings import MergeSettings

SIZE = 64
IN_FRAME = [m for m in MODES if m != "raw-predict"]
EDGE = {"feather_in": 6.0, "feather_out": 0.0}


def frame(seed: int = 0, dtype=np.uint8, smooth: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    small = 0.2 + 0.6 * rng.random((smooth, smooth + 2, 3), np.float32)
    image = np.clip(cv2.resize(small, (160, 120), interpolation=cv2.INTER_CUBIC), 0, 1)
    return (image * np.iinfo(dtype).max).astype(dtype)


def points(x: float = 30, y: float = 15, scale: float = 1.2, angle: float = 10) -> np.ndarray:
    turn = scale * np.array([[np.cos(a := np.radians(angle)), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return transform_points(landmarks(SIZE), np.column_stack([turn, (x, y)]))


def oval(value: float = 1.0) -> np.ndarray:
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    return np.float32(value) * np.clip(25 - np.hypot(x, y), 0, 1).astype(np.float32)


def face(seed: int = 1, mask: np.ndarray | None = None, **where) -> SwappedFace:
    prediction = np.random.default_rng(seed).random((8, 8, 3), np.float32)
    prediction = cv2.resize(prediction, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    masks = {"learned_prd": oval() if mask is None else mask, "learned_dst": oval()}
    return SwappedFace(points(**where), prediction, masks, motion=(12.0, 30.0))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("mode", [m for m in IN_FRAME if m != "raw-rgb"])
def test_an_empty_mask_leaves_every_bit_of_the_frame(mode, dtype):
    film = frame(dtype=dtype, smooth=40)
    settings = MergeSettings(mode=mode, grain=1, sharpen="box", degrade=50, motion_blur=100)
    merged = merge_faces(film, [face(mask=oval(0))], settings)
    assert (merged.image == film).all() and not merged.mask.any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("mode", ["overlay", "hist-match", "seamless"])
def test_outside_of_the_mask_every_bit_of_the_frame_stays(mode, dtype):
    film = frame(dtype=dtype, smooth=40)
    merged = merge_faces(film, [face()], MergeSettings(mode=mode, grain=1))
    outside = cv2.dilate(merged.mask, np.ones((5, 5))) == 0
    assert 0.3 < outside.mean() < 0.95
    assert (merged.image[outside] == film[outside]).all()
    assert (merged.image[~outside] != film[~outside]).mean() > 0.5


@pytest.mark.parametrize("color", ["none", "rct", "lct", "mkl", "avg-color", "match-hist", "manual-balance"])
@pytest.mark.parametrize("mode", ["overlay", "hist-match", "seamless", "multiband"])
def test_a_model_that_changes_nothing_gives_the_film_back(mode, color):
    film, where = frame(smooth=4), points()
    same = warp_face(film, face_matrix(where, SIZE, FaceType.WHOLE_FACE), SIZE).astype(np.float32) / 255
    merged = merge_face(film, SwappedFace(where, same, {"m": oval()}), MergeSettings(mode=mode, color=color, mask="m"))
    # Histograms are matched value by value, cloning is done in 8 bits, and rounding decides which pixels are unusual.
    slack = 3 if "match" in mode + color or mode == "seamless" else 2
    assert np.abs(merged.astype(int) - film).max() <= slack


def test_opacity_mixes():
    film, mine = frame(), face()
    whole = merge_face(film, mine, MergeSettings()).astype(float)
    half = merge_face(film, mine, MergeSettings(opacity=0.5)).astype(float)
    assert np.abs(half - (whole + film) / 2).max() <= 1
    assert (merge_face(film, mine, MergeSettings(opacity=0)) == film).all()


def test_levels_are_rounded():
    film = np.full((120, 160, 3), 100, np.uint8)
    grey = SwappedFace(points(), np.full((SIZE, SIZE, 3), 120.6 / 255, np.float32))
    merged = merge_face(film, grey, MergeSettings(mask="full", color="none"))
    assert merged.max() == 121 and merged.min() == 100


def test_the_given_frame_is_not_changed():
    film = frame()
    kept = film.copy()
    merge_face(film, face(), MergeSettings())
    assert (film == kept).all()


@pytest.mark.parametrize("mode", IN_FRAME)
def test_the_same_in_several_threads(mode):
    settings = MergeSettings(mode=mode, color="idt", grain=1, sharpen="gaussian", mask="learned_prd * extended")
    films = [frame(seed) for seed in range(4)]

    def merged(number: int) -> bytes:
        return merge_faces(films[number], [face(), face(2, x=80, scale=0.8)], settings, 3, number).image.tobytes()

    alone = [merged(number) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(merged, range(4))) == alone


def test_near_faces_lie_over_far_ones():
    film = frame()
    near = SwappedFace(points(scale=1.3), np.zeros((SIZE, SIZE, 3), np.float32), {"m": oval()})
    far = SwappedFace(points(x=45, y=35, scale=0.8), np.ones((SIZE, SIZE, 3), np.float32), {"m": oval()})
    settings = MergeSettings(mask="m", color="none")
    one, other = (merge_faces(film, faces, settings) for faces in ([near, far], [far, near]))
    assert (one.image == other.image).all()
    assert one.image[75, 75].max() == 0


def test_each_face_has_its_settings():
    film, faces = frame(), [face(), face(x=90, scale=0.7)]
    merged = merge_faces(film, faces, [MergeSettings(opacity=0), MergeSettings()])
    only = merge_face(film, faces[1], MergeSettings())
    assert (merged.image == only).all()
    with pytest.raises(InputError):
        merge_faces(film, faces, [MergeSettings()])


def test_a_face_at_the_border_and_one_outside():
    film = frame()
    at_border = merge_faces(film, [face(x=-40)], MergeSettings(mode="seamless"))
    assert at_border.mask[:, 0].any()
    outside = merge_faces(film, [face(x=-400)], MergeSettings(mode="multiband"))
    assert (outside.image == film).all() and not outside.mask.any()


def test_scale_shift_and_rotation_move_the_mask():
    film = frame()

    def middle_and_area(**changes):
        mask = merge_faces(film, [face(angle=0)], MergeSettings(**changes, **EDGE)).mask.astype(float)
        y, x = np.indices(mask.shape)
        return (mask * x).sum() / mask.sum(), (mask * y).sum() / mask.sum(), mask.sum()

    x, y, area = middle_and_area()
    wide = middle_and_area(scale=20)
    assert wide[2] / area == pytest.approx(1.44, rel=0.05)
    assert wide[:2] == pytest.approx((x, y), abs=0.5)
    moved = middle_and_area(shift_x=10, shift_y=-5)
    assert moved[0] - x == pytest.approx(0.1 * SIZE * 1.2, abs=0.6)
    assert moved[1] - y == pytest.approx(-0.05 * SIZE * 1.2, abs=0.6)
    assert middle_and_area(rotation=90)[2] / area == pytest.approx(1, rel=0.03)


def test_every_sample_of_the_mask_lies_where_the_picture_lies():
    """A bright disc in the prediction and the mask of the same disc cover the same pixels, at any mask size."""
    film = np.zeros((120, 160, 3), np.uint8)
    disc = oval()
    fine = cv2.resize(disc, (4 * SIZE, 4 * SIZE), interpolation=cv2.INTER_AREA)
    settings = MergeSettings(mask="m", color="none", feather_in=0, feather_out=0)
    seen = [
        merge_faces(film, [SwappedFace(points(), np.repeat(disc[..., None], 3, 2), {"m": m})], settings)
        for m in (disc, fine)
    ]
    y, x = np.indices(film.shape[:2])
    for merged in seen:
        for axis in (x, y):
            bright = (merged.image[..., 0].astype(float) * axis).sum() / merged.image[..., 0].sum()
            covered = (merged.mask.astype(float) * axis).sum() / merged.mask.sum()
            assert bright == pytest.approx(covered, abs=0.75)


def test_bad_input_is_refused():
    good = face()
    broken = SwappedFace(good.landmarks, np.full((SIZE, SIZE, 3), np.nan, np.float32), good.masks)
    with pytest.raises(InputError, match="not finite"):
        merge_face(frame(), broken, MergeSettings())
    with pytest.raises(InputError, match="not square"):
        merge_face(frame(), SwappedFace(good.landmarks, good.prediction[:10], good.masks), MergeSettings())
    with pytest.raises(InputError, match="8 or 16 bits"):
        merge_face(frame().astype(np.float32), good, MergeSettings())
    with pytest.raises(UsageError, match="no mask called polygons"):
        merge_face(frame(), good, MergeSettings(mask="learned_prd - polygons"))
    with pytest.raises(UsageError, match="enhanced"):
        merge_face(frame(), good, MergeSettings(super_resolution=50))
    with pytest.raises(UsageError, match="raw-predict"):
        merge_face(frame(), good, MergeSettings(mode="raw-predict"))
