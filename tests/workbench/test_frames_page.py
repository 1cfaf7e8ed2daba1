"""The Frames screen in a real browser: each tool by pointer, everything by keyboard, conflicts, crashes."""

import numpy as np
import pytest
from browser import opened, until, violations
from frames_kit import BOX, MISALIGNED, POINTS, copied, planted_workspace
from frames_page import FRAMES, drag, faces, go_to, in_step, on_screen, said, saved, show_frames, zoom_to
from workbench_kit import NO_FACE, TWO_FACES, served

ZOOMS = [0.5, 1.7, 6.0]
# At which the whole square can be seen.
WHOLE = [0.4, 0.7, 1.0]


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return planted_workspace(tmp_path_factory.mktemp("frames") / "work")


@pytest.fixture(scope="module")
def keys(planted):
    """Of a server that several tests change the faces of."""
    with served(planted) as (found, _):
        yield found


@pytest.fixture(scope="module", params=[1, 2])
def frames(request, browser, keys):
    """A page at the Frames screen, on screens with one and with four pixels for a CSS pixel."""
    with opened(browser, keys, device_scale_factor=request.param) as page:
        show_frames(page, keys)
        yield page


def corners(face):
    left, top, right, bottom = face["box"]
    return (left, top), (right, bottom)


@pytest.mark.parametrize("zoom", ZOOMS)
def test_a_point_is_where_it_was_dropped(frames, zoom):
    go_to(frames, 1)
    frames.keyboard.press("4")
    zoom_to(frames, zoom)
    (before,) = faces(frames, 1)
    target = np.add(before["points"][30], (7.3 / zoom, -5.6 / zoom))
    drag(frames, before["points"][30], target)
    saved(frames)
    (after,) = faces(frames, 1)
    assert after["points"][30] == pytest.approx(target, abs=0.5)
    others = np.delete(np.subtract(after["points"], before["points"]), 30, axis=0)
    assert np.abs(others).max() < 0.001 and after["stale"]


@pytest.mark.parametrize("zoom", WHOLE)
def test_a_square_is_moved_turned_and_scaled(frames, zoom):
    go_to(frames, 2)
    frames.keyboard.press("3")
    zoom_to(frames, zoom)
    (before,) = faces(frames, 2)
    middle = np.mean(before["square"], axis=0)
    drag(frames, middle, middle + (9, -4))
    saved(frames)
    (moved,) = faces(frames, 2)
    assert np.subtract(moved["points"], before["points"]) == pytest.approx(np.tile((9, -4), (68, 1)), abs=0.5)
    middle = np.mean(moved["square"], axis=0)
    corner = np.array(moved["square"][2])
    drag(frames, corner, middle + (corner - middle) * 0.8)
    saved(frames)
    (scaled,) = faces(frames, 2)
    assert spread(scaled) / spread(moved) == pytest.approx(0.8, abs=0.01)
    # Outside of a corner the square is turned.
    corner = np.array(scaled["square"][1])
    grip = middle + (corner - middle) * (
        1 + 22 / frames.evaluate(f"{FRAMES}.stage.scale") / np.linalg.norm(corner - middle)
    )
    turn = np.radians(12)
    target = middle + (grip - middle) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    drag(frames, grip, target)
    saved(frames)
    (turned,) = faces(frames, 2)
    assert roll(turned) - roll(scaled) == pytest.approx(12, abs=0.7)
    for _ in range(3):
        frames.keyboard.press("Control+z")
    wait_for_points(frames, 2, before)


def spread(face):
    return float(np.ptp(np.array(face["points"]), axis=0).mean())


def roll(face):
    eyes = np.mean(face["points"][42:48], axis=0) - np.mean(face["points"][36:42], axis=0)
    return float(np.degrees(np.arctan2(eyes[1], eyes[0])))


def wait_for_points(page, frame, wanted):
    """The server has the face as it was."""
    for _ in range(100):
        (now,) = faces(page, frame)
        if now["points"] == wanted["points"]:
            in_step(page)
            return
        page.wait_for_timeout(50)
    raise AssertionError("the points are others")


@pytest.mark.parametrize("zoom", ZOOMS)
def test_a_box_is_resized_and_the_points_follow(frames, zoom):
    go_to(frames, 4)
    frames.keyboard.press("2")
    zoom_to(frames, min(zoom, 1.7))
    (before,) = faces(frames, 4)
    _, corner = corners(before)
    target = np.add(corner, (6, 8))
    drag(frames, corner, target)
    saved(frames)
    (after,) = faces(frames, 4)
    assert after["box"][2:] == pytest.approx(target, abs=0.5) and after["box"][:2] == pytest.approx(
        before["box"][:2], abs=0.01
    )
    # The points are those of the network, which knows this face.
    assert np.linalg.norm(np.subtract(after["points"], POINTS), axis=1).mean() < 6


def test_rubber_band_and_arrow_keys(frames):
    go_to(frames, 5)
    frames.keyboard.press("4")
    zoom_to(frames, 1.7)
    (before,) = faces(frames, 5)
    left_eye = np.array(before["points"])[42:48]
    drag(frames, left_eye.max(axis=0) + (6, 8), left_eye.min(axis=0) - 4)
    assert frames.evaluate(f"[...{FRAMES}.points]") == list(range(42, 48)) and said(frames) == "6 points are chosen"
    for key in ("ArrowRight", "Shift+ArrowUp", "Control+ArrowRight", "Control+ArrowRight"):
        frames.keyboard.press(key)
    saved(frames)
    (after,) = faces(frames, 5)
    shift = np.subtract(after["points"], before["points"])
    assert shift[42:48] == pytest.approx(np.tile((1.2, -10), (6, 1)), abs=0.01)
    assert np.abs(shift[:42]).max() < 0.001


def test_keys_within_a_moment_are_one_change(frames):
    go_to(frames, 6)
    frames.keyboard.press("3")
    (before,) = faces(frames, 6)
    for _ in range(5):
        frames.keyboard.press("ArrowLeft")
    saved(frames)
    frames.keyboard.press("Control+z")
    wait_for_points(frames, 6, before)


def test_escape_leaves_a_drag(frames):
    go_to(frames, 10)
    frames.keyboard.press("3")
    zoom_to(frames, 0.7)
    (before,) = faces(frames, 10)
    x, y = on_screen(frames, np.mean(before["square"], axis=0))
    frames.mouse.move(x, y)
    frames.mouse.down()
    frames.mouse.move(x + 30, y, steps=3)
    frames.keyboard.press("Escape")
    frames.mouse.up()
    saved(frames)
    assert faces(frames, 10) == [before]


def test_wheel_and_drag_move_the_view_and_not_the_face(frames):
    go_to(frames, 1)
    frames.keyboard.press("1")
    frames.keyboard.press("0")
    place = on_screen(frames, POINTS[30])
    frames.mouse.move(*place)
    frames.mouse.wheel(0, -300)
    frames.wait_for_timeout(50)
    assert frames.evaluate(f"{FRAMES}.stage.fitted") is False
    # A wheel says where it is in whole pixels.
    assert on_screen(frames, POINTS[30]) == pytest.approx(place, abs=1)
    place = on_screen(frames, POINTS[30])
    frames.mouse.move(*place)
    (before,) = faces(frames, 1)
    frames.mouse.down()
    frames.mouse.move(place[0] + 40, place[1] + 25, steps=4)
    frames.mouse.up()
    assert on_screen(frames, POINTS[30]) == pytest.approx((place[0] + 40, place[1] + 25), abs=0.1)
    saved(frames)
    assert faces(frames, 1) == [before]


def test_two_fingers_zoom_and_move(frames):
    go_to(frames, 1)
    frames.keyboard.press("1")
    frames.keyboard.press("0")
    box = frames.locator(".stage canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fingers = frames.context.new_cdp_session(frames)
    before = frames.evaluate(f"{FRAMES}.stage.scale")
    under = frames.evaluate(f"{FRAMES}.stage.toPicture([{box['width'] / 2}, {box['height'] / 2}])")

    def touch(kind, apart):
        places = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}] if apart else []
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", 50)
    for apart in (70, 100):
        touch("touchMove", apart)
    touch("touchEnd", 0)
    until(frames, f"{FRAMES}.stage.pointers.size === 0")
    assert frames.evaluate(f"{FRAMES}.stage.scale") == pytest.approx(2 * before, rel=0.02)
    assert on_screen(frames, under) == pytest.approx((x, y), abs=2)


def test_filters_and_steps(frames):
    frames.keyboard.press("Home")
    frames.get_by_label("Filter").select_option("none")
    until(frames, f"{FRAMES}.shown.number === {NO_FACE - 1}")
    frames.locator(".stage canvas").focus()
    frames.keyboard.press("d")
    assert said(frames) == "This is the last one"
    frames.get_by_label("Filter").select_option("some")
    assert NO_FACE - 1 not in frames.evaluate(f"{FRAMES}.matches") and frames.evaluate(f"{FRAMES}.number") == NO_FACE
    frames.get_by_label("Filter").select_option("all")
    frames.locator(".stage canvas").focus()
    frames.keyboard.press("End")
    until(frames, f"{FRAMES}.shown.number === 11")
    frames.keyboard.press("Shift+a")
    until(frames, f"{FRAMES}.shown.number === 1")
    frames.keyboard.press("f")
    assert said(frames) == "No face: 1 frame"
    frames.keyboard.press("Shift+f")


def test_the_view_is_magnified_and_follows_the_face(frames):
    go_to(frames, 1)
    frames.locator(".stage canvas").focus()
    frames.keyboard.press("0")
    whole = frames.evaluate(f"{FRAMES}.stage.scale")
    frames.keyboard.press("m")
    assert frames.evaluate(f"{FRAMES}.stage.scale") > whole
    frames.keyboard.press("l")
    frames.evaluate(f"{FRAMES}.stage.pan(150, 80)")
    go_to(frames, 2)
    box = frames.evaluate(f"{FRAMES}.face.box")
    middle = frames.evaluate(f"{FRAMES}.stage.toScreen([{(box[0] + box[2]) / 2}, {(box[1] + box[3]) / 2}])")
    size = frames.evaluate(f"[{FRAMES}.stage.viewWidth, {FRAMES}.stage.viewHeight]")
    assert np.abs(np.subtract(middle, np.divide(size, 2))).max() < 60
    frames.keyboard.press("l")
    frames.keyboard.press("m")
    assert frames.evaluate(f"{FRAMES}.stage.scale") == pytest.approx(whole)


def test_leaving_the_screen_says_nothing(browser, keys):
    """What was drawn on is gone, and nobody draws there any more."""
    with opened(browser, keys) as page:
        show_frames(page, keys, 1)
        page.goto(page.url.partition("#")[0] + "#/overview")
        page.get_by_role("heading", name="Overview").wait_for()
        page.set_viewport_size({"width": 1100, "height": 700})
        page.wait_for_timeout(100)


def test_it_plays(frames):
    go_to(frames, 1)
    frames.locator(".stage canvas").focus()
    frames.keyboard.press("Space")
    until(frames, f"{FRAMES}.shown.number >= 5")
    frames.keyboard.press("Space")
    number = frames.evaluate(f"{FRAMES}.number")
    frames.wait_for_timeout(150)
    assert frames.evaluate(f"{FRAMES}.number") == number


@pytest.fixture
def fresh(planted, tmp_path):
    """(keys, workspace) of a server of its own, with all faults still there."""
    workspace = copied(planted, tmp_path / "work")
    with served(workspace) as (found, _):
        yield found, workspace


def test_planted_frames_are_repaired_by_pointer(browser, fresh):
    keys, workspace = fresh
    with opened(browser, keys) as page:
        show_frames(page, keys, NO_FACE)
        page.get_by_role("button", name="Box").click()
        drag(page, BOX[:2], BOX[2:])
        saved(page)
        show_frames(page, keys, TWO_FACES)
        page.get_by_role("button", name="track 2").click()
        page.get_by_role("button", name="Delete").click()
        until(page, f"{FRAMES}.frame.faces.length === 1")
        show_frames(page, keys, MISALIGNED)
        page.get_by_role("button", name="Find points").click()
        saved(page)
        repaired(page, workspace)


def repaired(page, workspace):
    """Nothing is to be looked at any more, and the stage that cuts pictures out uses what was done."""
    (made,), (bad,) = faces(page, NO_FACE), faces(page, MISALIGNED)
    assert len(faces(page, TWO_FACES)) == 1
    for face in (made, bad):
        assert np.linalg.norm(np.subtract(face["points"], POINTS), axis=1).mean() < 6
    page.get_by_role("button", name="Cut them out anew").click()
    until(page, f"{FRAMES}.lanes.counts.stale === 0", 60)
    counts = page.evaluate(f"{FRAMES}.lanes.counts")
    assert counts["none"] == counts["several"] == counts["misaligned"] == 0
    assert all(faces(page, frame)[0]["picture"] for frame in (NO_FACE, MISALIGNED))
    assert len(list(workspace.side("dst").aligned.glob("*.jpg"))) == 12


def test_planted_frames_are_repaired_by_keyboard_alone(browser, fresh):
    keys, workspace = fresh
    with opened(browser, keys) as page:
        show_frames(page, keys)
        press = page.keyboard.press
        # The filter "no face", its frame, a new box there, moved over the face.
        press("f")
        press("d")
        until(page, f"{FRAMES}.shown.number === {NO_FACE - 1}")
        in_step(page)
        press("n")
        box = page.evaluate(f"{FRAMES}.moves.drafts.get('new').box")
        walk(page, np.subtract(BOX[:2], box[:2]))
        for _ in range(5):
            press("Period")
        assert said(page) == "bottom right corner"
        box = page.evaluate(f"{FRAMES}.moves.drafts.get('new').box")
        walk(page, np.subtract(BOX[2:], box[2:]))
        press("Enter")
        saved(page)
        # The filter "several faces": the second one goes.
        press("f")
        press("d")
        press("a")
        until(page, f"{FRAMES}.shown.number === {TWO_FACES - 1}")
        in_step(page)
        # The face goes on that was made in the next frame: the other one is too much.
        press("t")
        assert said(page).endswith("of 2") and page.evaluate(f"{FRAMES}.face.track") == 2
        press("Delete")
        until(page, f"{FRAMES}.frame.faces.length === 1")
        # The filter "misaligned": the points anew.
        press("f")
        press("d")
        press("a")
        until(page, f"{FRAMES}.shown.number === {MISALIGNED - 1}")
        in_step(page)
        press("s")
        saved(page)
        repaired(page, workspace)


def walk(page, way):
    """The arrow keys: tens, then ones."""
    for value, keys in ((way[0], ("ArrowLeft", "ArrowRight")), (way[1], ("ArrowUp", "ArrowDown"))):
        key = keys[int(value > 0)]
        tens, ones = divmod(round(abs(value)), 10)
        for press in ["Shift+" + key] * tens + [key] * ones:
            page.keyboard.press(press)


def test_copying_and_interpolating(browser, fresh):
    keys, _ = fresh
    with opened(browser, keys) as page:
        # The face that was chosen before is the one to go on with.
        show_frames(page, keys, NO_FACE - 2)
        go_to(page, NO_FACE)
        for key, origin in (("v", "hand"), ("c", "hand"), ("i", "interpolated")):
            page.keyboard.press(key)
            until(page, f"{FRAMES}.frame.faces.length === 1")
            saved(page)
            (made,) = faces(page, NO_FACE)
            assert made["origin"] == origin and made["track"] == 1
            assert np.linalg.norm(np.subtract(made["points"], POINTS), axis=1).mean() < 6
            page.keyboard.press("Control+z")
            until(page, f"{FRAMES}.frame?.faces.length === 0")


def test_a_person_and_a_range(browser, fresh):
    keys, _ = fresh
    with opened(browser, keys) as page:
        show_frames(page, keys, 1)
        page.keyboard.press("p")
        page.get_by_label("Name").wait_for()
        page.keyboard.type("Grace")  # the field has the focus
        page.keyboard.press("Enter")
        until(page, f"{FRAMES}.face?.person === 'Grace'")
        page.locator(".stage canvas").focus()
        page.keyboard.press("y")
        page.get_by_label("to", exact=True).fill("5")
        page.get_by_role("button", name="Count").click()
        page.get_by_text("5 faces, with this one").wait_for()
        page.get_by_role("button", name="Apply", exact=True).click()
        until(page, f"{FRAMES}.said.endsWith('changed')")
        assert [faces(page, frame)[0]["person"] for frame in (1, 5, 6)] == ["Grace", "Grace", ""]
        page.keyboard.press("Control+z")
        until(page, f"{FRAMES}.lanes.persons.length === 1 && {FRAMES}.frame?.faces[0].person === ''")
        assert faces(page, 5)[0]["person"] == ""


def test_two_pages_move_one_face(browser, fresh):
    keys, _ = fresh
    with opened(browser, keys) as one, opened(browser, keys) as two:
        for page in (one, two):
            show_frames(page, keys, 1, "square")
        (before,) = faces(one, 1)
        middle = np.mean(before["square"], axis=0)
        # The first page has hold of the face while the second moves it.
        one.mouse.move(*on_screen(one, middle))
        one.mouse.down()
        one.mouse.move(*on_screen(one, middle + (20, 0)), steps=3)
        drag(two, middle, middle + (0, 15))
        saved(two)
        one.mouse.up()
        one.get_by_role("alert").wait_for()
        assert all("409" in text for text in one.watch.said)
        one.watch.forgive()
        theirs = np.subtract(faces(one, 1)[0]["points"], before["points"])
        assert theirs == pytest.approx(np.tile((0, 15), (68, 1)), abs=0.5)
        assert violations(one) == []
        one.get_by_role("button", name="Use mine").click()
        until(one, f"{FRAMES}.moves.conflict === null && {FRAMES}.moves.saving === 0")
        mine = np.subtract(faces(one, 1)[0]["points"], before["points"])
        assert mine == pytest.approx(np.tile((20, 0), (68, 1)), abs=0.5)


def test_a_side_that_a_stage_works_on_stays_as_it_is(browser, fresh):
    keys, workspace = fresh
    with opened(browser, keys) as page:
        show_frames(page, keys, 1, "square")
        (before,) = faces(page, 1)
        with workspace.side("dst").locked():
            page.keyboard.press("ArrowRight")
            saved(page)
            page.get_by_text("using the dst side").wait_for()
        page.watch.forgive()
        in_step(page)
        assert faces(page, 1) == [before]
        page.keyboard.press("ArrowRight")
        saved(page)
        assert faces(page, 1) != [before]


@pytest.mark.parametrize(
    ("preset", "keys_of"), [("faceswap", ("F2", "x", "z")), ("dfl", ("t", "d", "a")), ("forge", ("2", "d", "a"))]
)
def test_presets_of_keys(browser, keys, preset, keys_of):
    with opened(browser, keys) as page:
        page.evaluate(f"localStorage.setItem('keys', '{preset}')")
        show_frames(page, keys, 1)
        first, following, previous = keys_of
        page.keyboard.press(first)
        assert said(page) == ("Face 1 of 1" if preset == "dfl" else "Tool: box")
        page.keyboard.press(following)
        until(page, f"{FRAMES}.shown.number === 1")
        page.keyboard.press(previous)
        until(page, f"{FRAMES}.shown.number === 0")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(browser, keys, scheme):
    with opened(browser, keys, color_scheme=scheme) as page:
        show_frames(page, keys, TWO_FACES, "points")
        page.get_by_text("Limits").click()
        page.wait_for_timeout(100)
        assert violations(page) == []
