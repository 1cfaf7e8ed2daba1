"""Samples for the mask network."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_faces import draw, landmarks, write_face, write_faces

from core.data.occluders import draw_occluder, occlude
from core.data.xseg_augment import augment
from core.data.xseg_labels import choose, label_mask, label_origin
from core.data.xseg_samples import XSegSamples, XSegSettings, prepare
from core.errors import InputError
from core.faceset.store import open_faceset
from core.geometry.align import FaceType, face_matrix, transform_points
from core.imaging.masks import decode_mask, encode_mask, hull_mask, mask_iou, polygon_mask
from core.types import FaceRecord, Polygon

SQUARE = Polygon(True, np.array([(20, 20), (70, 20), (70, 70), (20, 70)], np.float32))
SETTINGS = XSegSettings(64, FaceType.WHOLE_FACE, 3, seed=1)


def stored(size=256, value=1.0) -> bytes:
    mask = np.zeros((size, size), np.float32)
    mask[size // 4 : size // 2, size // 4 : size // 2] = value
    return encode_mask(mask)


def records():
    points = landmarks(96)
    plain = FaceRecord("a.jpg", (96, 96), points, "whole_face")
    labelled = FaceRecord("b.jpg", (96, 96), points, "whole_face", polygons=(SQUARE,))
    return [plain, labelled, FaceRecord("c.jpg", (96, 96), points, "whole_face", xseg_mask=stored())]


def test_which_faces_are_chosen():
    found = records()
    assert choose(found, "auto") == [1]
    assert choose([found[0], found[2]], "auto") == [1]
    assert choose(found, "masks") == [2] and choose(found, "both") == [1, 2] and choose(found, "landmarks") == [0, 1, 2]
    assert choose(found[:1], "auto") == []


def test_what_is_drawn_from_landmarks_is_no_label_and_landmarks_are_no_answer_of_a_network():
    mask = decode_mask(stored())
    drawn, seen = (replace(records()[0], xseg_mask=encode_mask(mask, maker)) for maker in ("whole", "xseg"))
    assert choose([drawn, seen], "masks") == choose([drawn, seen], "auto") == [1]
    assert label_origin(drawn) == label_origin(seen, "landmarks") == "landmarks" and label_origin(seen) == "xseg"
    assert np.array_equal(label_mask(seen, "landmarks"), label_mask(records()[0], "landmarks"))


def test_polygons_come_before_the_stored_mask_before_landmarks():
    both = FaceRecord("d.jpg", (96, 96), landmarks(96), "whole_face", polygons=(SQUARE,), xseg_mask=stored())
    assert np.array_equal(label_mask(both), polygon_mask((96, 96), (SQUARE,)))
    assert label_mask(both, "masks")[30, 30] == 1 and label_mask(both, "masks")[60, 60] == 0
    assert (
        label_origin(both) == "polygons"
        and label_origin(both, "masks") == "xseg"
        and label_origin(records()[0]) == "landmarks"
    )
    assert mask_iou(label_mask(records()[0], "landmarks"), hull_mask((96, 96), landmarks(96))) > 0.6


def test_a_stored_mask_keeps_its_place_when_the_face_type_changes():
    """A mask of 256 px on an image of 96 px is first brought to the image."""
    points = landmarks(96)
    record = FaceRecord("a.jpg", (96, 96), points, "whole_face", xseg_mask=stored())
    mask = prepare(record, draw(96, points), label_mask(record), 64, FaceType.FULL).mask
    corners = np.array([(24, 24), (48, 24), (48, 48), (24, 48)], float)
    moved = transform_points(corners, face_matrix(points, 64, FaceType.FULL))
    expected = cv2.fillPoly(np.zeros((64, 64), np.uint8), [np.rint(moved).astype(np.int32)], 1)
    assert mask_iou(mask[..., 0], expected) > 0.85


def test_batches_are_functions_of_their_number(tmp_path):
    write_faces(tmp_path / "a", 4, polygons=(SQUARE,))
    faces = open_faceset(tmp_path / "a")
    one, other = (XSegSamples([faces], SETTINGS) for _ in range(2))
    for number in (5, 2, 5):
        a, b = one.batch(number), other.batch(number)
        assert np.array_equal(a.image, b.image) and np.array_equal(a.target, b.target)
    assert not np.array_equal(one.batch(2).image, one.batch(3).image)
    a = one.batch(7)
    assert a.image.shape == (3, 64, 64, 3) and a.image.dtype == np.float32 and a.image.min() >= 0 and a.image.max() <= 1
    assert a.target.shape == (3, 64, 64, 1) and set(np.unique(a.target)) == {0.0, 1.0}


@pytest.mark.parametrize("room", [64 * 64 * 7, 10**8])
def test_a_cache_of_any_size_changes_nothing(tmp_path, room):
    """Also where faces are made smaller, so that pixels lie between whole numbers. The first room is for one face."""
    write_faces(tmp_path / "a", 4, polygons=(SQUARE,))
    faces = open_faceset(tmp_path / "a")
    plain, cached = (XSegSamples([faces], replace(SETTINGS, cache_bytes=size)) for size in (0, room))
    for number in (2, 3, 2):
        assert np.array_equal(cached.batch(number).image, plain.batch(number).image)
        assert np.array_equal(cached.batch(number).target, plain.batch(number).target)


def test_an_unreadable_face_is_named_and_replaced(tmp_path):
    paths = write_faces(tmp_path / "a", 3, polygons=(SQUARE,))
    faces = open_faceset(tmp_path / "a")
    paths[1].write_bytes(b"broken")
    samples = XSegSamples([faces], SETTINGS)
    named = [name for number in range(3) for name in samples.batch(number).skipped]
    assert named and len(samples.batch(0).image) == 3


def test_no_labels_is_an_error_with_a_hint(tmp_path):
    write_face(tmp_path / "a", "1.jpg")
    faces = open_faceset(tmp_path / "a")
    with pytest.raises(InputError, match="no labelled") as error:
        XSegSamples([faces], SETTINGS)
    assert "landmarks" in error.value.hint
    assert len(XSegSamples([faces], SETTINGS, "landmarks")) == 1
    grey = XSegSamples([faces], XSegSettings(64, FaceType.WHOLE_FACE, 2, pretrain=True)).batch(0)
    assert np.allclose(grey.target[1, ..., 0], cv2.cvtColor(grey.image[1], cv2.COLOR_BGR2GRAY), atol=1e-5)


def test_image_and_mask_move_together():
    """With an image that is its own mask, both stay equal through the movement."""
    mask = np.zeros((64, 64, 1), np.float32)
    cv2.circle(mask, (30, 34), 18, 1, -1)
    agreed = []
    for seed in range(12):
        image, moved = augment(
            np.repeat(mask, 3, axis=2) * 0.8 + 0.1,
            mask,
            np.random.RandomState(seed),
            lambda: (np.zeros((64, 64, 3), np.float32), mask * 0),
        )
        middle = (image[moved[..., 0] > 0].mean() + image[moved[..., 0] == 0].mean()) / 2
        bright = image.mean(2) > middle
        agreed.append(max(mask_iou(bright, moved[..., 0]), mask_iou(~bright, moved[..., 0])))
    assert np.median(agreed) > 0.85


def test_occluders_cut_the_mask_and_change_only_what_they_cover():
    points = landmarks(96)
    image = draw(96, points).astype(np.float32) / 255
    mask = hull_mask(image.shape, points)
    shares = []
    for seed in range(40):
        thing = draw_occluder(image, mask, np.random.RandomState(seed))
        changed, cut = occlude(image, mask, np.random.RandomState(seed))
        assert np.array_equal(changed[thing.cover[..., 0] == 0], image[thing.cover[..., 0] == 0])
        assert np.array_equal(cut > 0, (mask > 0) & (thing.cover < 0.5))
        assert changed.min() >= 0 and changed.max() <= 1
        shares.append(1 - cut.sum() / mask.sum())
    assert np.mean(np.array(shares) > 0.01) > 0.8 and 0.05 < np.mean(shares) < 0.5
