"""What a person and a program see of an order before it is put into effect."""

import json

import pytest
from facekit import write_faces

from core.faceset.gallery import open_gallery
from core.faceset.sorting.order import Order
from core.faceset.sorting.views import _header, _score, write_views
from core.imaging.codec import read_image


def test_the_views_of_an_order(tmp_path):
    write_faces(tmp_path / "aligned", 3)
    with open_gallery(tmp_path / "aligned") as gallery:
        order = Order("yaw", gallery.names, (0.5, 0.0, float("nan")), angles=True)
        listing, sheet = write_views(tmp_path / "views", gallery, order)
        empty = write_views(tmp_path / "views", gallery, Order("none", ()))[1]
    faces = json.loads(listing.read_text())["faces"]
    assert [face.get("score") for face in faces] == [pytest.approx(28.648, abs=1e-3), 0, None]
    assert read_image(sheet).shape[1] == 14 * 120 and empty.is_file()


@pytest.mark.parametrize(
    ("score", "angle", "said"),
    [
        (-23.44, True, "-23.4 degrees"),
        (0.012345, False, "0.0123"),
        (123456.7, False, "123,457"),
        (float("nan"), False, "unknown"),
        (float("nan"), True, "unknown"),
    ],
)
def test_scores_are_written_for_people(score, angle, said):
    assert _score(score, angle) == said


def test_the_header_says_what_the_order_is():
    assert _header(Order("contrast", ())) == "contrast: Contrast inside the face, strongest first."
    assert _header(Order("person_00", ())) == "person_00"
