"""Landmark masks: golden pictures, and what must hold for any face."""

import cv2
import numpy as np
import pytest
from golden_files import golden_json, golden_path
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.geometry.align import FaceType, face_matrix, transform_points
from core.geometry.centring import crop_matrix
from core.geometry.landmarks import MEAN_51
from core.imaging.landmark_masks import components_mask, draw, extended_mask, whole_face_mask
from core.imaging.masks import hull_mask


def face_landmarks(size=256, seed=0) -> np.ndarray:
    """68 points of an average face in a whole-face picture."""
    jaw_x = np.linspace(-0.12, 1.1, 17)
    jaw = np.stack([jaw_x, 0.25 + 1.05 * np.sqrt(np.clip(1 - ((jaw_x - 0.49) / 0.62) ** 2, 0, 1))], axis=1)
    points = np.concatenate([jaw, MEAN_51]) * 200 + 300
    points += np.random.default_rng(seed).normal(0, 1.0, points.shape)
    return transform_points(points, face_matrix(points, size, FaceType.WHOLE_FACE))


@pytest.mark.parametrize("centring,size", [("face", 256), ("legacy", 256), ("head", 512)])
@pytest.mark.parametrize("kind,prefix", [("components", "face"), ("extended", "face_extended")])
def test_equal_to_the_golden_masks(centring, size, kind, prefix):
    landmarks = golden_json("faceswap/landmarks.json")
    expected = golden_json("faceswap/newest/expected_geometry.json")
    for name, geometry in expected.items():
        image, index = name.split(":")
        points = np.array(landmarks[image][int(index)])
        matrix = crop_matrix(points, size, centring)
        if size == 512:
            assert (
                np.abs(
                    transform_points(points, matrix) - transform_points(points, geometry[centring]["adjusted"])
                ).max()
                < 5e-3
            )
        mask = draw(kind, (size, size), transform_points(points, matrix))
        path = golden_path(f"faceswap/newest/lmmask_{prefix}_{centring}_{size}_{image[:-4]}_{index}.png")
        golden = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert np.array_equal((mask[..., 0] * 255).round().astype(np.uint8), golden)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([96, 160, 256]))
def test_masks_contain_each_other(seed, size):
    points = face_landmarks(size, seed)
    shape = (size, size, 3)
    components, extended, whole = (draw(kind, shape, points) for kind in ("components", "extended", "whole"))
    assert components.shape == (size, size, 1) and components.dtype == np.float32
    assert whole.min() >= 0 and whole.max() <= 1
    assert (extended >= components).mean() > 0.995
    hull = hull_mask(shape, points)
    assert (whole[hull > 0] > 0.5).mean() > 0.97
    assert (whole > 0.5).sum() > 1.1 * (hull > 0.5).sum()


def test_the_whole_face_covers_the_forehead_and_no_more():
    points = face_landmarks(256)
    mask = whole_face_mask((256, 256), points)[..., 0]
    brow, nose = points[17:27].mean(0), points[33]
    inside, above = brow + 0.6 * (brow - nose), brow + 1.2 * (brow - nose)
    assert mask[int(inside[1]), int(inside[0])] == 1
    assert above[1] < 0 or mask[int(above[1]), int(above[0])] == 0
    assert cv2.connectedComponents((mask > 0.5).astype(np.uint8))[0] == 2


def test_the_outline_is_smooth_and_soft_edges_are_wider():
    points = face_landmarks(256)
    sharp, soft = whole_face_mask((256, 256), points), whole_face_mask((256, 256), points, softness=0.05)
    assert ((sharp > 0.01) & (sharp < 0.99)).sum() < ((soft > 0.01) & (soft < 0.99)).sum() / 4
    contour = cv2.findContours((sharp[..., 0] > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0]
    hull_area = cv2.contourArea(cv2.convexHull(contour))
    assert cv2.contourArea(contour) > 0.98 * hull_area


def test_a_turned_face_is_still_covered():
    points = face_landmarks(256)
    turned = transform_points(points, cv2.getRotationMatrix2D((128, 128), 40, 0.8))
    a = whole_face_mask((256, 256), points)[..., 0]
    b = whole_face_mask((256, 256), turned)[..., 0]
    back = cv2.warpAffine(b, cv2.invertAffineTransform(cv2.getRotationMatrix2D((128, 128), 40, 0.8)), (256, 256))
    inside = (
        cv2.warpAffine(np.ones((256, 256), np.float32), cv2.getRotationMatrix2D((128, 128), 0, 0.8), (256, 256)) > 0
    )
    union, both = ((a > 0.5) | (back > 0.5)) & inside, (a > 0.5) & (back > 0.5) & inside
    assert both.sum() / union.sum() > 0.97


def test_wrong_landmarks_are_refused():
    for function in (components_mask, extended_mask, whole_face_mask):
        with pytest.raises(InputError):
            function((64, 64), np.zeros((5, 2)))
        with pytest.raises(InputError):
            function((64, 64), np.full((68, 2), np.nan))


def test_points_far_outside_do_no_harm():
    points = face_landmarks(64) + (5000, -7000)
    for kind in ("hull", "components", "extended", "whole"):
        assert draw(kind, (64, 64), points).sum() == 0
