"""Face geometry against known numbers, identities and the original's own results."""

import numpy as np
import pytest
from facekit import source_points
from golden_files import GoldenArrays

from core.errors import InputError, UsageError
from core.geometry import align, many_poses, pose
from core.geometry import landmarks as lm
from core.geometry.align import FaceType
from core.geometry.polygons import polygon_area


def test_face_types_have_the_names_and_numbers_of_files():
    assert {kind.file_name: int(kind) for kind in FaceType} == {
        "half_face": 0,
        "midfull_face": 1,
        "full_face": 2,
        "full_face_no_align": 3,
        "whole_face": 4,
        "head": 10,
        "head_no_align": 20,
        "mark_only": 100,
    }
    assert [FaceType.parse(text) for text in ("h", "mf", "F", "wf", "head", " Whole_Face ")] == [
        FaceType.HALF,
        FaceType.MID_FULL,
        FaceType.FULL,
        FaceType.WHOLE_FACE,
        FaceType.HEAD,
        FaceType.WHOLE_FACE,
    ]
    with pytest.raises(InputError, match="unknown face type"):
        FaceType.parse("nose")


@pytest.mark.parametrize("angle", [0.0, 0.7, 3.1])
def test_fit_finds_a_known_similarity(angle):
    src = np.random.default_rng(0).normal(size=(20, 2))
    expected = (
        np.array([[np.cos(angle), -np.sin(angle), 3], [np.sin(angle), np.cos(angle), -4]])
        * [[2.5, 2.5, 1]]
        * np.ones((2, 3))
    )
    assert np.allclose(align.similarity_fit(src, align.transform_points(src, expected)), expected)


def test_fit_is_never_a_reflection():
    src = np.random.default_rng(0).normal(size=(20, 2))
    assert np.linalg.det(align.similarity_fit(src, src * [-1, 1])[:, :2]) > 0


@pytest.mark.parametrize(
    "points", [np.ones((68, 2)), np.full((68, 2), np.nan), np.zeros((5, 2)), np.ones((68, 2)) + 1e-12]
)
def test_degenerate_landmarks_are_an_error(points):
    with pytest.raises(InputError):
        align.face_matrix(points, 256, FaceType.FULL)


@pytest.mark.parametrize("kind", [k for k in FaceType if k is not FaceType.MARK_ONLY])
@pytest.mark.parametrize("scale", [0.8, 1.0, 1.3])
def test_face_matrix_identities(kind, scale):
    """A similarity; twice the size is twice the matrix; moving the face moves the cut; closer cuts are larger."""
    points = source_points(1)
    m = align.face_matrix(points, 256, kind, scale)
    a = m[:, :2]
    assert np.allclose(a @ a.T, np.eye(2) * np.linalg.det(a), atol=1e-4)
    assert np.allclose(align.face_matrix(points, 512, kind, scale), 2 * m, atol=1e-6)
    moved = align.transform_points(points + [31, -17], align.face_matrix(points + [31, -17], 256, kind, scale))
    assert np.abs(moved - align.transform_points(points, m)).max() < 0.01
    assert np.linalg.det(a) == pytest.approx(
        np.linalg.det(align.face_matrix(points, 256, kind)[:, :2]) * scale**2, rel=1e-4
    )
    assert kind.rotated or abs(a[0, 1]) < 1e-6


def test_sizes_of_the_cuts():
    """The side of the cut is 1 + 2 sqrt(2) padding unit face squares."""
    kinds = (FaceType.HALF, FaceType.FULL, FaceType.WHOLE_FACE, FaceType.HEAD)
    sides = [np.sqrt(1 / np.linalg.det(align.face_matrix(source_points(), 1, kind)[:, :2])) for kind in kinds]
    assert np.array(sides) / sides[0] == pytest.approx([1, 1.596621, 2.131371, 2.979899], rel=1e-4)


def test_mark_only_has_no_matrix():
    with pytest.raises(UsageError):
        align.face_matrix(source_points(), 256, FaceType.MARK_ONLY)


def test_invert_and_compose():
    m = align.face_matrix(source_points(), 256, FaceType.HEAD)
    assert np.allclose(align.compose(m, align.invert(m)), np.eye(2, 3), atol=1e-9)
    with pytest.raises(InputError):
        align.invert(np.zeros((2, 3)))


def test_mirror_twice_is_nothing():
    points = source_points(3)
    assert np.allclose(lm.mirror(lm.mirror(points, 640), 640), points)
    assert lm.mirror(points, 640)[36, 0] == pytest.approx(639 - points[45, 0])


def test_mirrored_face_looks_the_other_way():
    x, y, z = lm.HEAD_3D.T.astype(np.float64)
    depth = z * np.cos(0.5) - x * np.sin(0.5) + 500
    points = np.stack([256 * (x * np.cos(0.5) + z * np.sin(0.5)) / depth + 128, 256 * y / depth + 128], 1)
    pitch, yaw, _ = pose.pitch_yaw_roll(points, 256)
    assert abs(yaw) == pytest.approx(0.5, abs=0.01)
    assert yaw > 0, "the nose, which has the most negative z, goes to the left of the image"
    mirrored = pose.pitch_yaw_roll(lm.mirror(points, 256), 256)
    assert mirrored[1] == pytest.approx(-yaw, abs=0.06)
    assert mirrored[0] == pytest.approx(pitch, abs=0.06)


def test_eyebrows_move_up():
    points = source_points(2)
    low, high = lm.expand_eyebrows(points, 1.0), lm.expand_eyebrows(points, 2.5)
    assert low.dtype == np.int64
    assert (high[17:27, 1] < low[17:27, 1]).all()
    assert np.array_equal(low[27:], points[27:].astype(int))
    with pytest.raises(InputError):
        lm.expand_eyebrows(points[:67])


def test_area():
    assert polygon_area([(0, 0), (4, 0), (4, 3), (0, 3)]) == 12.0


@pytest.fixture(scope="module")
def ref():
    return GoldenArrays("dfl-faceset/ref.npz")


@pytest.mark.parametrize("kind", [k for k in FaceType if k is not FaceType.MARK_ONLY])
@pytest.mark.parametrize("size", [256, 512])
@pytest.mark.parametrize("scale", [1.0, 0.8, 1.2])
def test_golden_matrices(ref, kind, size, scale):
    for points, expected in zip(ref["lms"], ref[f"mat_{int(kind)}_{size}_{scale}"], strict=True):
        ours = align.face_matrix(points, size, kind, scale)
        assert np.abs(align.transform_points(points, ours) - align.transform_points(points, expected)).max() < 0.002


def test_golden_points(ref):
    for i, points in enumerate(ref["lms"]):
        aligned = ref["al"][i]
        assert np.abs(np.array(align.landmarks_rect(points)) - ref["rect"][i]).max() < 5e-4
        assert np.array_equal(lm.expand_eyebrows(points, 1.0), ref["expand1"][i])
        assert np.array_equal(lm.expand_eyebrows(points, 2.5), ref["expand2"][i])
        assert np.abs(lm.mirror(aligned, 256) - ref["mirror"][i]).max() < 1e-9
        assert lm.averaged_yaw(aligned) == pytest.approx(ref["avgyaw"][i], abs=1e-9)
        assert np.abs(np.array(pose.pitch_yaw_roll(aligned, 256)) - ref["pyr"][i]).max() < 1e-4
    assert np.abs(lm.from_98(ref["l98"]) - ref["l98to68"]).max() < 1e-9


def test_poses_of_many_faces_are_those_of_the_solver(ref):
    """Also where the head is turned over, as it is for about half of noisy points."""
    assert np.abs(many_poses.pitches_yaws_rolls(ref["al"], 256) - ref["pyr"]).max() < 1e-4
    rng = np.random.default_rng(0)
    points = ref["al"][rng.integers(0, len(ref["al"]), 700)] + rng.normal(0, 2, (700, 68, 2))
    wanted = [pose.pitch_yaw_roll(face, 256) for face in points]
    assert np.abs(many_poses.pitches_yaws_rolls(points, 256) - wanted).max() < 5e-4
    # Exactly where a camera sees the points of the head.
    turned = lm.HEAD_3D @ np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]]) + (0.2, -0.1, 6)
    seen = turned[None, :, :2] / turned[None, :, 2:] * 256 + 128
    assert np.abs(many_poses.pitches_yaws_rolls(seen, 256)[0] - pose.pitch_yaw_roll(seen[0], 256)).max() < 5e-4
    points[1], points[2, 0] = 7.0, np.nan
    found = many_poses.pitches_yaws_rolls(points[:4], 256)
    assert np.isnan(found).all(axis=1).tolist() == [False, True, True, False]
    assert many_poses.pitches_yaws_rolls(points[:0], 256).shape == (0, 3)


def test_whole_face_crops_of_many_faces(ref):
    ours = align.whole_face_points(ref["lms"], 256)
    for points, found in zip(ref["lms"], ours, strict=True):
        matrix = align.face_matrix(points, 256, FaceType.WHOLE_FACE)
        assert np.abs(align.transform_points(points, matrix) - found).max() < 0.002
    assert np.isnan(align.whole_face_points(np.full((1, 68, 2), 5.0), 256)).all()
