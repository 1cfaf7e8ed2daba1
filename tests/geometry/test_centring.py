"""Pose-centred crops against golden geometry."""

import numpy as np
import pytest
from drawn_faces import landmarks
from golden_files import golden_json

from core.errors import InputError
from core.geometry.align import transform_points
from core.geometry.centring import crop_matrix


@pytest.mark.parametrize("centring", ["legacy", "face", "head"])
def test_equal_to_golden(centring):
    points = golden_json("faceswap/landmarks.json")
    for name, expected in golden_json("faceswap/newest/expected_geometry.json").items():
        image, index = name.split(":")
        frame = np.array(points[image][int(index)])
        made = transform_points(frame, crop_matrix(frame, 512, centring))
        assert np.abs(made - transform_points(frame, expected[centring]["adjusted"])).max() < 0.01


def test_crops_follow_the_face():
    points = landmarks(256)
    for centring, share in (("legacy", 0.625), ("face", 0.5), ("head", 0.375)):
        crop = transform_points(points, crop_matrix(points, 200, centring))
        moved = transform_points(points * 2 + 30, crop_matrix(points * 2 + 30, 200, centring))
        assert np.abs(crop - moved).max() < 0.05
        assert np.ptp(crop[17:, 0]) == pytest.approx(200 * share, rel=0.1)
    with pytest.raises(InputError):
        crop_matrix(np.zeros((68, 2)), 256, "face")
