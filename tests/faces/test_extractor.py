"""Filters, and what a finished face holds."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from jpegs import samplings

from core.errors import CorruptFileError
from core.faces import filters
from core.faces.contract import DetectorSettings
from core.faces.cropping import CropSettings, sharpness
from core.faces.detectors import yunet
from core.faces.embedders import sface
from core.faces.extractor import Extractor, FrameFaces
from core.faces.filters import Extent, Limits
from core.faces.finding import Finder
from core.faces.landmarkers import facemesh
from core.faceset.identity import face_id
from core.formats import dfl_image
from core.geometry.align import FaceType, face_matrix, transform_points
from core.geometry.landmarks import MEAN_51
from core.types import Face


def candidate(x=100.0, y=100.0, size=100.0, confidence=0.9, landmark_confidence=1.0, stretch=1.0):
    """A mean face in a box; only the inner points matter."""
    points = np.zeros((68, 2), np.float32)
    points[17:] = MEAN_51 * size * stretch + (x, y)
    points[:17] = points[17]
    box = np.array([x - 0.1 * size, y - 0.1 * size, x + 1.1 * size, y + 1.1 * size], np.float32)
    return Face(box, confidence, landmarks=points.astype(np.float64), landmark_confidence=landmark_confidence)


def test_each_filter_has_its_name():
    wanted, odd, outside = candidate(), candidate(x=400, stretch=8), candidate(x=-80, y=300)
    unlikely, twice = candidate(x=600, landmark_confidence=0.2), candidate(x=103, confidence=0.8)
    kept, others = filters.sift([twice, odd, unlikely, outside, wanted], 900, 900, Limits())
    assert kept == [wanted]
    assert {face.status for face in others} == {"filtered"}
    assert sorted(face.reason for face in others) == sorted(
        [filters.ODD, filters.OUTSIDE, filters.NO_FACE, filters.TWICE]
    )


def test_sizes_in_pixels_and_in_per_cent():
    faces = [candidate(x=100 * i, size=20 + 10 * i) for i in range(1, 5)]
    limits = Limits(min_size=Extent(1.2 * 40), max_size=Extent(5, percent=True))
    kept, others = filters.sift(faces, 1000, 1200, limits)
    assert kept == [faces[1]]
    assert {(face.box[0].round(), face.reason) for face in others} == {
        (round(faces[0].box[0]), filters.SMALL),
        (round(faces[2].box[0]), filters.LARGE),
        (round(faces[3].box[0]), filters.LARGE),
    }


@pytest.mark.parametrize(("text", "pixels"), [("40", 40), ("40px", 40), ("5%", 50), ("2.5 %", 25), ("0", 0)])
def test_a_size_is_read(text, pixels):
    assert Extent.parse(text).pixels(1000, 1200) == pixels


@pytest.mark.parametrize("text", ["", "5 %%", "large", "-3", "nan", "inf"])
def test_what_is_no_size(text):
    with pytest.raises(ValueError):
        Extent.parse(text)


def extractor(crop, **limits):
    finder = Finder(yunet.create(DetectorSettings()), facemesh.create(), Limits(**limits))
    return Extractor(finder, sface.create(), crop)


def test_a_finished_face_follows_the_format(admiral):
    result = extractor(CropSettings(size=256, debug=True)).extract("00007.png", lambda: admiral)
    (face,) = result.faces
    record = dfl_image.parse(face.data, "00007_0.jpg")
    assert (record.face_type, record.source_filename, record.shape, face.record.name) == (
        "whole_face",
        "00007.png",
        (256, 256),
        "00007_0.jpg",
    )
    np.testing.assert_allclose(
        transform_points(record.source_landmarks, record.image_to_face_mat), record.landmarks, atol=1e-9
    )
    np.testing.assert_array_equal(
        record.image_to_face_mat, face_matrix(record.source_landmarks, 256, FaceType.WHOLE_FACE)
    )
    assert record.source_rect == tuple(int(value) for value in face.face.box)
    eyes, mouth = record.landmarks[36:48].mean(axis=0), record.landmarks[48:68].mean(axis=0)
    np.testing.assert_allclose((eyes[0], mouth[0]), 128, atol=16)
    assert 90 < eyes[1] < 130 < mouth[1] < 200
    assert abs(face.scores["yaw"]) < 0.6 and abs(face.scores["roll"]) < 0.3 and face.scores["sharpness"] > 20
    assert record.face_id == face.face.id == face_id(replace(record, face_id=""))
    assert (face.face.frame, face.face.origin, face.face.status) == ("00007.png", "detector", "kept")
    assert cv2.imdecode(np.frombuffer(result.drawing, np.uint8), cv2.IMREAD_COLOR).shape == admiral.shape


def test_exact_cut_has_half_colour_resolution(admiral):
    exact = extractor(CropSettings(size=128, exact=True)).extract("a.png", lambda: admiral).faces[0]
    plain = extractor(CropSettings(size=128)).extract("a.png", lambda: admiral).faces[0]
    assert samplings(exact.data) == [(2, 2), (1, 1), (1, 1)]
    assert samplings(plain.data) == [(1, 1)] * 3


def test_small_faces_keep_their_landmarks(admiral):
    result = extractor(CropSettings(size=128), min_size=Extent(400)).extract("a.png", lambda: admiral)
    assert result.faces == ()
    (found,) = result.filtered
    assert (found.face.status, found.face.reason, found.face.frame) == ("filtered", filters.SMALL, "a.png")
    assert len(found.face.id) == 16 and found.face.landmarks.shape == (68, 2) and found.data is None


def test_a_corrupt_frame_is_a_result_and_other_errors_are_not():
    def corrupt():
        raise CorruptFileError("cannot decode an image", why="cut short")

    assert extractor(CropSettings()).extract("a.png", corrupt) == FrameFaces(
        "a.png", error="cannot decode an image: cut short"
    )

    def broke():
        raise MemoryError

    with pytest.raises(MemoryError):
        extractor(CropSettings()).extract("a.png", broke)


def test_sharpness_falls_with_blur_and_does_not_depend_on_size(admiral):
    blurred = cv2.GaussianBlur(admiral, (0, 0), 4)
    assert sharpness(admiral) > 4 * sharpness(blurred)
    double = cv2.resize(admiral, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert sharpness(double) == pytest.approx(sharpness(admiral), rel=0.3)
