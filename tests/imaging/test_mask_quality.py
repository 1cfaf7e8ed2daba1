"""Numbers about masks."""

import cv2
import numpy as np
import pytest

from core.imaging.mask_quality import measure, uncertainty


def disc(radius: int, centre=(64, 64)) -> np.ndarray:
    mask = np.zeros((128, 128, 1), np.float32)
    cv2.circle(mask, centre, radius, 1, -1)
    return mask


def test_a_good_mask_has_nothing_odd():
    quality = measure(disc(42), disc(40), before=disc(42))
    assert quality.hull_ratio == pytest.approx(42**2 / 40**2, rel=0.03)
    assert (quality.holes, quality.pieces, quality.change) == (0, 1, 0.0)
    assert quality.reason == "" and quality.score < 0.05


def test_holes_pieces_and_changes_are_counted():
    broken = disc(40)
    cv2.circle(broken, (64, 64), 10, 0, -1)
    cv2.circle(broken, (12, 12), 6, 1, -1)
    quality = measure(broken, disc(40), before=disc(20))
    assert (quality.holes, quality.pieces) == (1, 2)
    assert quality.change > 0.5
    assert "a hole" in quality.reason and "2 pieces" in quality.reason
    assert quality.score > measure(disc(40), disc(40), before=disc(40)).score + 1


def test_a_bay_at_the_border_is_no_hole():
    mask = np.ones((64, 64, 1), np.float32)
    mask[:30, 20:40] = 0
    assert measure(mask, mask).holes == 0


def test_an_empty_mask_is_the_worst():
    assert measure(disc(0) * 0, disc(40)).score > measure(disc(20), disc(40)).score
    assert measure(disc(0) * 0, disc(40)).reason.startswith("empty")


def test_uncertainty_of_known_masks():
    assert uncertainty(disc(40)) == 0
    assert uncertainty(np.full((16, 16), 0.5)) == pytest.approx(1)
    blurred = cv2.GaussianBlur(disc(40)[..., 0], (0, 0), 2)
    assert 0 < uncertainty(blurred) < uncertainty(cv2.GaussianBlur(disc(40)[..., 0], (0, 0), 8))
