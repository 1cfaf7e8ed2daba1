"""The Masks screen in a real browser: drawing by pointer and by keys alone, saving, undo, suggestions, stages."""

import numpy as np
import pytest
from browser import opened, until, violations
from masks_page import MASKS, click, drag, in_file, polygons, saved, show_masks
from workbench_kit import FRAMES

from core.formats import labelme
from core.jobs.masks.labels import export_labels
from core.jobs.masks.report import report_masks

FACE = [(20, 15), (75, 15), (80, 60), (48, 88), (16, 60)]
HOLE = [(40, 60), (58, 60), (48, 72)]


@pytest.fixture
def workspace(bench):
    return bench[1]


def points(page, place=0):
    return np.array(polygons(page)[place]["points"])


def draw(page, corners, kind="q"):
    page.keyboard.press(kind)
    page.keyboard.press("n")
    click(page, *corners)
    page.keyboard.press("Enter")


def test_include_and_exclude_are_drawn_saved_and_read_elsewhere(masks, workspace, tmp_path):
    draw(masks, HOLE, "w")
    draw(masks, FACE)
    assert [one["include"] for one in polygons(masks)] == [False, True]
    assert points(masks, 1) == pytest.approx(np.array(FACE), abs=0.2)
    masks.keyboard.press("Control+s")
    saved(masks)
    drawn = [polygons(masks)[1], polygons(masks)[0]]
    read = in_file(workspace, masks)
    assert [one["include"] for one in read] == [True, False]
    for one, other in zip(read, drawn, strict=True):
        assert one["points"] == np.float32(other["points"]).tolist()
    export_labels(workspace, "dst", "labelme", folder=tmp_path / "labels")
    image = labelme.read(tmp_path / "labels" / masks.evaluate(f"{MASKS}.face.name.replace('.jpg', '.json')"))
    for one, other in zip(image.polygons, drawn, strict=True):
        assert one.include == other["include"] and one.points.tolist() == np.float32(other["points"]).tolist()


def test_points_are_dragged_put_on_edges_and_deleted(masks):
    draw(masks, FACE)
    drag(masks, FACE[0], (30, 25))
    assert points(masks)[0] == pytest.approx((30, 25), abs=0.3)
    drag(masks, (78, 40), (88, 40))  # an edge
    assert len(points(masks)) == 6 and points(masks)[2] == pytest.approx((88, 40), abs=0.4)
    masks.keyboard.press("Delete")
    assert len(points(masks)) == 5
    click(masks, (48, 50))  # inside: the whole polygon
    masks.keyboard.press("Delete")
    assert polygons(masks) == []


def test_every_gesture_is_undone_and_made_again(masks):
    states = [polygons(masks)]
    draw(masks, FACE)
    states.append(polygons(masks))
    drag(masks, FACE[1], (70, 25))
    states.append(polygons(masks))
    masks.keyboard.press("r")
    states.append(polygons(masks))
    for state in states[-2:0:-1]:
        masks.keyboard.press("Control+z")
        assert polygons(masks) == state
    for state in states[2:]:
        masks.keyboard.press("Control+Shift+z")
        assert polygons(masks) == state
    assert len({str(state) for state in states}) == 4


def test_leaving_a_face_saves_it_and_undo_works_the_next_day(browser, bench, masks, workspace):
    name = masks.evaluate(f"{MASKS}.face.name")
    draw(masks, FACE)
    masks.keyboard.press("n")
    click(masks, *HOLE)  # not closed: leaving does it
    masks.keyboard.press("d")
    until(masks, f"{MASKS}.ready && {MASKS}.place === 1")
    assert len(in_file(workspace, masks, name)) == 2
    with opened(browser, bench[0]) as later:
        show_masks(later, bench[0])
        assert len(polygons(later)) == 2
        later.keyboard.press("Control+z")
        until(later, f"{MASKS}.ready && {MASKS}.sketch.polygons.length === 0")
        assert in_file(workspace, later, name) == []
        later.keyboard.press("Control+Shift+z")
        until(later, f"{MASKS}.ready && {MASKS}.sketch.polygons.length === 2")
        assert len(in_file(workspace, later, name)) == 2


def test_leaving_the_screen_saves(masks, workspace):
    name = masks.evaluate(f"{MASKS}.face.name")
    draw(masks, FACE)
    masks.get_by_role("link", name="Jobs", exact=True).click()
    until(masks, f"{MASKS}.saving === 0 && {MASKS}.closed")
    assert len(in_file(workspace, masks, name)) == 1


def test_by_keyboard_alone(masks, workspace):
    press = masks.keyboard.press
    press("w")
    press("n")
    for way in ("Left", "Up", "Right", "Down"):
        for _ in range(2):
            press(f"Shift+Arrow{way}")
        press("Space")
    press("Enter")
    assert polygons(masks) == [{"include": False, "points": [[28, 48], [28, 28], [48, 28], [48, 48]]}]
    press(".")
    press("ArrowLeft")
    press("Control+ArrowUp")
    assert polygons(masks)[0]["points"][0] == [27, 47.9]
    press("i")
    press("r")
    assert polygons(masks)[0]["include"] and len(points(masks)) == 5
    press("Control+s")
    saved(masks)
    assert in_file(workspace, masks) == [
        {"include": True, "points": np.float32(points(masks)).tolist()},
    ]
    press("f")
    until(masks, f"{MASKS}.ready && {MASKS}.filter === 'uncertain' && {MASKS}.ids.length === {FRAMES - 1}")


def test_a_suggestion_follows_the_tolerance_and_is_one_step(masks):
    masks.keyboard.press("s")
    until(masks, f"{MASKS}.sketch.polygons.length > 0")
    fine = sum(len(one["points"]) for one in polygons(masks))
    masks.locator("input[type=range]").focus()
    masks.keyboard.press("End")
    until(masks, f"{MASKS}.sketch.polygons.reduce((sum, one) => sum + one.points.length, 0) < {fine}")
    masks.keyboard.press("o")
    assert masks.evaluate(f"{MASKS}.overlay") == "stored"


def test_what_somebody_else_has_drawn_is_shown_below_ones_own(browser, bench, masks, workspace):
    with opened(browser, bench[0]) as other:
        show_masks(other, bench[0])
        draw(other, HOLE, "w")
        other.keyboard.press("Control+s")
        saved(other)
    draw(masks, FACE)
    masks.keyboard.press("Control+s")
    until(masks, f"{MASKS}.saving === 0 && {MASKS}.sketch.past.length === 1")
    masks.watch.forgive()  # the browser notes the refusal
    assert [one["include"] for one in polygons(masks)] == [True]
    masks.keyboard.press("Control+z")
    assert [one["include"] for one in polygons(masks)] == [False]
    assert in_file(workspace, masks) == polygons(masks)


def test_stages_are_started_without_leaving(masks):
    draw(masks, FACE)
    masks.get_by_role("button", name="Mask report").click()
    masks.get_by_role("button", name="Start", exact=True).click()
    until(masks, "window.forge.state().jobs.some(job => job.stage === 'mask-report')")
    assert "#/masks/dst" in masks.url
    until(masks, "window.forge.state().jobs.every(job => job.state === 'done')", 60)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_used_by_everybody(browser, bench, scheme):
    with opened(browser, bench[0], color_scheme=scheme) as page:
        show_masks(page, bench[0])
        draw(page, FACE)
        assert violations(page) == []


def test_the_report_is_shown_in_the_page(masks, workspace):
    assert masks.get_by_role("button", name="Show the worst masks").count() == 0
    report_masks(workspace, "dst", rows=1)
    masks.reload()
    until(masks, f"{MASKS}?.report > 0", 30)
    masks.get_by_role("button", name="Show the worst masks").click()
    until(masks, "document.querySelector('dialog img')?.naturalWidth > 100", 30)
    assert violations(masks) == []
