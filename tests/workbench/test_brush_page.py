"""Brush and eraser of the Masks screen in a real browser: what strokes make of polygons, by pointer and by keys."""

import cv2
import numpy as np
from masks_page import MASKS, drag, in_file, on_screen, polygons, saved

from core.imaging.masks import mask_iou, polygon_mask
from core.types import Polygon

SIDE = 96
PAINT = """async ([polygons, stroke, size]) => {
  const {painted} = await import("/static/masks/brush.js");
  return painted(polygons, stroke, size);
}"""


def filled(found, side=SIDE):
    """What polygons of the page draw, as every reader of the file sees it, four times as fine."""
    shapes = tuple(Polygon(one["include"], 4 * np.array(one["points"], np.float32)) for one in found)
    return polygon_mask((4 * side, 4 * side), shapes)[..., 0] > 0.5


def covered(path, radius, side=SIDE):
    """What a stroke covers, four times as fine."""
    mask = np.zeros((4 * side, 4 * side), np.uint8)
    ends = np.round(64 * (np.array(path, float) - 0.125)).astype(np.int32)
    cv2.polylines(mask, [ends], False, 255, max(1, round(8 * radius)), shift=4)
    for x, y in ends:
        cv2.circle(mask, (int(x), int(y)), round(64 * radius), 255, -1, shift=4)
    return mask > 0


def edges(mask):
    """Within a pixel of the picture from the edge of a mask."""
    ring = np.ones((9, 9), np.uint8)
    return (cv2.dilate(mask.astype(np.uint8), ring) - cv2.erode(mask.astype(np.uint8), ring)) > 0


def test_strokes_add_and_take_away_what_they_cover(page):
    rng = np.random.default_rng(5)
    found, before = [], np.zeros((4 * SIDE, 4 * SIDE), bool)
    ring = [[48 + 22 * np.cos(angle), 48 + 22 * np.sin(angle)] for angle in np.linspace(0, 2 * np.pi, 24)]
    strokes = [([[48, 48]], 30, False), (ring, 4, True), ([[48, 48]], 6, True), ([[20, 48], [48, 48]], 5, False)]
    for number in range(10):
        path = rng.uniform(5, SIDE - 5, (int(rng.integers(1, 5)), 2)).tolist()
        strokes.append((path, float(rng.uniform(3, 12)), number % 2 == 1))
    for path, radius, erase in strokes:
        stroke = {"points": path, "radius": radius, "erase": erase}
        found = page.evaluate(PAINT, [found, stroke, [SIDE, SIDE]])
        expected = before & ~covered(path, radius) if erase else before | covered(path, radius)
        before = filled(found)
        # Slivers of a few pixels are dropped.
        assert (before ^ expected)[~edges(expected)].sum() < 3 * 4 * 4
    assert len(found) < 40 and sum(len(one["points"]) for one in found) < 800
    assert {one["include"] for one in found} == {True, False}


def test_what_a_stroke_does_not_touch_stays_as_it_is(page):
    include = {"include": True, "points": [[10, 10], [30, 10], [30, 30], [10, 30]]}
    exclude = {"include": False, "points": [[12, 12], [20, 12], [12, 20]]}
    for erase in (False, True):
        stroke = {"points": [[70, 70]], "radius": 8, "erase": erase}
        assert page.evaluate(PAINT, [[include, exclude], stroke, [SIDE, SIDE]])[:2] == [include, exclude]
    inside = {"points": [[25, 25]], "radius": 3, "erase": False}
    assert page.evaluate(PAINT, [[include, exclude], inside, [SIDE, SIDE]]) == [include, exclude]


def test_a_mask_is_painted_by_pointer_saved_and_undone_stroke_by_stroke(masks, bench):
    masks.keyboard.press("b")
    drag(masks, (30, 40), (66, 40))
    drag(masks, (48, 40), (48, 70))
    assert [one["include"] for one in polygons(masks)] == [True]
    radius = masks.evaluate(f"{MASKS}.radius")
    one = covered([[30, 40], [66, 40]], radius)
    assert mask_iou(filled(polygons(masks)), one | covered([[48, 40], [48, 70]], radius)) > 0.95
    masks.keyboard.press("e")
    masks.mouse.click(*on_screen(masks, (48, 40)))
    assert [one["include"] for one in polygons(masks)].count(False) == 0
    assert not filled(polygons(masks))[4 * 40, 4 * 48]
    masks.keyboard.press("Control+z")
    masks.keyboard.press("Control+z")
    assert mask_iou(filled(polygons(masks)), one) > 0.95
    masks.keyboard.press("Control+Shift+z")
    masks.keyboard.press("Control+s")
    saved(masks)
    read = in_file(bench[1], masks)
    assert [one["include"] for one in read] == [True]
    assert read[0]["points"] == np.float32(polygons(masks)[0]["points"]).tolist()


def test_a_hole_is_an_exclude_that_the_brush_closes(masks):
    masks.keyboard.press("b")
    for _ in range(7):
        masks.keyboard.press("]")
    masks.mouse.click(*on_screen(masks, (48, 48)))
    masks.keyboard.press("e")
    for _ in range(7):
        masks.keyboard.press("[")
    masks.mouse.click(*on_screen(masks, (48, 48)))
    assert [one["include"] for one in polygons(masks)] == [True, False]
    masks.keyboard.press("b")
    masks.keyboard.press("]")
    masks.keyboard.press("]")
    masks.mouse.click(*on_screen(masks, (48, 48)))
    assert [one["include"] for one in polygons(masks)] == [True]


def test_brush_and_eraser_by_keyboard_alone(masks):
    press = masks.keyboard.press
    press("b")
    press("Space")
    press("Shift+ArrowRight")
    press("Shift+ArrowDown")
    assert polygons(masks) == []
    press("Space")
    radius = masks.evaluate(f"{MASKS}.radius")
    painted = covered([[48, 48], [58, 48], [58, 58]], radius)
    assert mask_iou(filled(polygons(masks)), painted) > 0.95
    press("e")
    press("Space")
    press("Enter")
    assert mask_iou(filled(polygons(masks)), painted & ~covered([[58, 58]], radius)) > 0.93
    press("Space")
    press("Escape")  # drops the stroke
    press("Escape")  # lays the eraser aside
    assert masks.evaluate(f"{MASKS}.brush") is None and len(masks.evaluate(f"{MASKS}.sketch.past")) == 2
    press("n")
    assert masks.evaluate(f"!!{MASKS}.sketch.drawing")


def test_a_stroke_that_is_under_way_is_saved_when_the_face_is_left(masks, bench):
    name = masks.evaluate(f"{MASKS}.face.name")
    masks.keyboard.press("b")
    masks.keyboard.press("Space")
    masks.keyboard.press("d")
    saved(masks)
    assert len(in_file(bench[1], masks, name)) == 1
