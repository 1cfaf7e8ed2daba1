"""Sheets of faces in columns, and text that fits."""

import numpy as np
import pytest

from core.imaging.drawing import text_width, wrapped
from core.imaging.masks import pasted
from core.imaging.sheets import Tile, captioned_sheet, titled_sheet


def columns(count, side, rows=2):
    return [(f"column {n}", np.full((rows, side, side, 3), 50 + n, np.uint8)) for n in range(count)]


@pytest.mark.parametrize(
    ("count", "side", "height", "width"),
    [
        (7, 64, 26 + 2 * 160, 7 * 160),  # enlarged
        (7, 256, 26 + 2 * 256, 7 * 256),
        (7, 320, 2 * 2 * (26 + 320), 4 * 320),  # two lines a face
        (10, 512, 2 * 3 * (26 + 512), 4 * 512),
        (7, 640, 2 * 2 * (26 + 520), 4 * 520),  # made smaller
        (3, 700, 26 + 2 * 693, 3 * 693),
    ],
)
def test_the_sheet_is_no_wider_than_a_screen(count, side, height, width):
    assert titled_sheet(columns(count, side)).shape == (height, width, 3)


def test_every_face_is_where_its_title_says():
    sheet = titled_sheet(columns(3, 32), "a header", smallest=48)
    assert sheet.shape == (2 * 26 + 2 * 48, 3 * 48, 3)
    assert [int(sheet[60, 48 * column + 24, 0]) for column in range(3)] == [50, 51, 52]
    assert sheet[:26].max() > 200 and sheet[26:52].max() > 200
    # A title stays in its own column.
    long = titled_sheet([("a very long title of a column", faces) for _, faces in columns(2, 48)], smallest=48)
    assert (long[:26, 44:48] == 40).all()


def test_text_is_broken_into_lines_and_nothing_is_lost():
    text = "00012_0.jpg changes by 23%, 4 pieces " + "x" * 100
    lines = wrapped(text, 150, 0.42)
    assert len(lines) > 3 and all(text_width(line, 0.42) <= 150 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert wrapped("", 50, 0.5) == [] and wrapped("wide", 1, 0.5) == list("wide")
    assert wrapped("\udcff name", 200, 0.5)


def test_a_swap_is_pasted_by_the_product_of_both_masks():
    target, face = np.zeros((1, 2, 2, 3), np.float32), np.ones((1, 2, 2, 3), np.float32)
    masks = np.array([[0, 0.5], [0.5, 1]], np.float32)[None, ..., None]
    made = pasted(target, face, masks, masks)
    assert made.dtype == np.float32 and made[0, ..., 0].tolist() == [[0, 0.25], [0.25, 1]]


def tile(level, caption="", details=""):
    return Tile(np.full((100, 100, 3), level, np.uint8), caption, details)


def test_a_caption_is_as_high_as_it_needs_to_be():
    one = captioned_sheet([tile(10, "short"), tile(20, "short")], 2)
    long = captioned_sheet([tile(10, "short"), tile(20, "64% of the face's hull, 3 pieces", "00012_0.jpg")], 2)
    assert one.shape == (100 + 16 + 6, 200, 3) and long.shape[0] > one.shape[0] + 2 * 16
    assert (long[:100, :100] == 10).all() and (long[:100, 100:] == 20).all()
    # No letter leaves its tile, and the last line is there.
    assert (long[100:, 98:100] == 40).all() and long[-20:, 100:].max() > 120


def test_sheets_with_few_tiles_and_none():
    assert captioned_sheet([tile(10)], 4).shape == (106, 400, 3)
    assert captioned_sheet([], 4).size and captioned_sheet([], 4, "nothing").size
