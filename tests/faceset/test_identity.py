"""Which face a file shows, whatever happens to it."""

from dataclasses import replace

import facekit
import numpy as np
import pytest

from core.faceset.identity import birth_id, face_id, geometry_of, identified, record_geometry
from core.faceset.transform import resized_record
from core.formats import dfl_image


def test_a_file_says_whose_it_is():
    record = facekit.record(face_id="0123456789abcdef")
    read = dfl_image.parse(dfl_image.embed(facekit.jpeg(), record), record.name)
    assert read.face_id == face_id(read) == "0123456789abcdef"


def test_a_file_that_does_not_is_of_the_face_in_its_frame():
    record = facekit.record()
    assert face_id(record) == birth_id(record.source_filename, record.source_landmarks)
    assert face_id(replace(record, name="another name.jpg", person="anna", xseg_mask=b"1")) == face_id(record)
    others = [
        replace(record, source_filename="00002.png"),
        replace(record, source_landmarks=record.source_landmarks + 0.01),
    ]
    assert len({face_id(record), *map(face_id, others)}) == 3


def test_points_come_back_from_files_of_less_precision():
    points = facekit.source_points() / 3
    assert birth_id("a.png", points) == birth_id("a.png", points.astype(np.float32))


def test_a_file_without_source_is_known_by_its_own_points_until_it_is_written():
    record = facekit.record(source_landmarks=None, image_to_face_mat=None)
    resized = resized_record(record, (128, 128))
    assert face_id(resized) == face_id(record)
    assert identified(resized) is resized


@pytest.mark.parametrize("value", ["", "0123", "0123456789ABCDEF", "../../etc/passwd", 7, None])
def test_what_has_no_form_of_an_id_is_not_believed(value):
    data = dfl_image.embed(facekit.jpeg(), facekit.record(extra={"forge_face": value}))
    read = dfl_image.parse(data, "00001_0.jpg")
    assert read.face_id == ""
    assert face_id(read) == face_id(facekit.record())


def test_geometry_changes_with_the_points_and_nothing_else():
    record = facekit.record()
    assert record_geometry(record) == geometry_of(record.source_filename, record.source_landmarks)
    assert record_geometry(replace(record, face_id="f" * 16, name="x.jpg")) == record_geometry(record)
    assert record_geometry(replace(record, source_landmarks=record.source_landmarks + 1)) != record_geometry(record)
    assert record_geometry(record) != face_id(record)


def test_twins_are_two():
    points = facekit.source_points()
    assert birth_id("a.png", points, 1) != birth_id("a.png", points)
