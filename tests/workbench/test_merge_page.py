"""The Merge screen in a real browser: the wipe, options, cues, the film; each by real pointer and key events."""

import json

import pytest
from browser import opened, show, until, violations
from merge_page import CUT, TWO_FACES, merge_workspace
from workbench_kit import served, wait_until

from core.jobs.merge.cues import FaceSettings, read_cues
from core.video.probe import probe

MERGE = "window.forge.merge"
DRAWN = f"{MERGE}?.shown?.number === {MERGE}.number && !{MERGE}.busy"
# Of the merged picture: its sum, and that of the left half of what the screen shows.
SUM = f"""(() => {{ const {{merged}} = {MERGE}.shown; const sheet = new OffscreenCanvas(merged.width, merged.height);
  const context = sheet.getContext("2d"); context.drawImage(merged, 0, 0);
  return context.getImageData(0, 0, merged.width, merged.height).data.reduce((sum, one) => sum + one, 0); }})()"""
ON_SCREEN = """(() => { const canvas = document.querySelector(".stage canvas"); const context = canvas.getContext("2d");
  return context.getImageData(0, 0, canvas.width, canvas.height).data.reduce((sum, one) => sum + one, 0); })()"""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with served(merge_workspace(tmp_path_factory.mktemp("merge") / "work")) as found:
        yield found


@pytest.fixture
def screen(browser, running):
    """The screen at the first frame, as it is in the beginning; no cues are left behind."""
    keys, bench = running
    with opened(browser, keys) as page:
        show(page, keys.port, "merge")
        until(page, DRAWN, 120)
        yield page
    for path in bench.workspace.root.glob("convert.toml*"):
        path.unlink()


def go_to(page, number):
    page.evaluate(f"{MERGE}.go({number - 1})")
    until(page, DRAWN)


def changed(page, act, what=SUM):
    """Whether the picture is another one once ``act`` is done."""
    before = page.evaluate(what)
    act()
    wait_until(lambda: page.evaluate(f"!!({DRAWN})") and page.evaluate(what) != before)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_used_by_everybody(browser, running, scheme):
    with opened(browser, running[0], color_scheme=scheme) as page:
        show(page, running[0].port, "merge")
        until(page, DRAWN, 120)
        assert violations(page) == []
        page.get_by_role("button", name="Frames", exact=True).click()
        assert violations(page) == []


def test_nothing_is_scrolled_sideways_at_twice_the_size(browser, running):
    with opened(browser, running[0], viewport={"width": 640, "height": 400}, device_scale_factor=2) as page:
        show(page, running[0].port, "merge")
        until(page, DRAWN, 120)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth")
        edge = "document.querySelector('{}').getBoundingClientRect().{}"
        assert page.evaluate(edge.format(".merge .heading > .buttons", "bottom")) <= page.evaluate(
            edge.format(".stage", "top")
        )


def test_an_option_changes_the_picture_and_is_reset(screen):
    erode = screen.get_by_label("erode", exact=True)
    erode.focus()
    changed(screen, lambda: screen.keyboard.press("PageUp"))
    assert screen.evaluate(f"{MERGE}.values.erode") > 0
    assert "erode" in screen.inner_text(".differences")
    first = screen.evaluate(SUM)
    changed(screen, lambda: screen.get_by_label("mode", exact=True).select_option("seamless"))
    changed(screen, lambda: screen.get_by_role("button", name="mode: back to").click())
    wait_until(lambda: screen.evaluate(SUM) == first)
    changed(screen, lambda: screen.get_by_role("button", name="Reset", exact=True).click())
    assert screen.evaluate(f"{MERGE}.values") == {}
    assert "All options as usual" in screen.inner_text(".differences")


def test_what_an_option_cannot_be_is_said_and_the_picture_stays(screen):
    mask = screen.get_by_label("mask", exact=True)
    mask.fill("hull +")
    mask.press("Enter")
    screen.get_by_text("cannot read a mask expression").wait_for()
    assert screen.evaluate(f"!!{MERGE}.shown.merged")
    changed(screen, lambda: (mask.fill("hull"), mask.press("Enter")))
    assert not screen.get_by_text("cannot read a mask expression").is_visible()
    screen.get_by_role("button", name="Reset", exact=True).click()
    screen.watch.forgive()  # the browser itself notes an answer of 422


def test_the_wipe_by_pointer_and_by_keys(screen):
    handle = screen.get_by_role("slider", name="Wipe")
    stage = screen.locator(".stage").bounding_box()

    def drag():
        screen.mouse.move(stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
        screen.mouse.down()
        screen.mouse.move(stage["x"] + stage["width"] * 0.9, stage["y"] + 40, steps=4)
        screen.mouse.up()

    changed(screen, drag, ON_SCREEN)
    assert handle.get_attribute("aria-valuenow") == "90"
    handle.focus()
    changed(screen, lambda: screen.keyboard.press("Home"), ON_SCREEN)
    assert handle.get_attribute("aria-valuenow") == "0"
    for _ in range(3):
        screen.keyboard.press("ArrowRight")
    screen.keyboard.press("PageUp")
    assert handle.get_attribute("aria-valuenow") == "13"
    assert screen.evaluate(f"{MERGE}.number") == 0, "Home was for the wipe alone"


def test_frames_and_views_by_keys(screen):
    screen.locator(".stage canvas").focus()
    screen.keyboard.press("d")
    until(screen, f"{MERGE}.number === 1 && {DRAWN}")
    screen.keyboard.press("Shift+D")
    screen.keyboard.press("a")
    until(screen, f"{MERGE}.number === 10 && {DRAWN}")
    assert "shot 2" in screen.inner_text(".where")
    screen.keyboard.press("Home")
    until(screen, f"{MERGE}.number === 0 && {DRAWN}")
    seen = []
    for key in "12345":
        screen.keyboard.press(key)
        screen.wait_for_timeout(80)
        seen.append(screen.evaluate(ON_SCREEN))
    assert len(set(seen)) == 5
    assert screen.get_by_role("button", name="Faces", exact=True).get_attribute("aria-pressed") == "true"
    screen.keyboard.press("1")
    screen.keyboard.press("Space")
    until(screen, f"{MERGE}.number === 11 && {DRAWN} && !{MERGE}.player.playing", 30)
    slider = screen.get_by_label("Frame", exact=True)
    slider.focus()
    screen.keyboard.press("ArrowLeft")
    until(screen, f"{MERGE}.number === 10 && {DRAWN}")


def test_only_the_newest_of_many_changes_is_drawn(screen):
    asked = []
    screen.on("request", lambda request: asked.append(request) if "preview" in request.url else None)
    erode = screen.get_by_label("erode", exact=True)
    # At once: between the keys of a slow machine there may be a pause long enough to ask.
    step = "element.stepUp(); element.dispatchEvent(new Event('input', {bubbles: true}));"
    erode.evaluate(f"element => {{ for (let k = 0; k < 30; k++) {{ {step} }} }}")
    until(screen, f"{DRAWN} && {MERGE}.values.erode === 15")
    screen.evaluate("0")  # what was asked for before has been told when this is answered
    assert 0 < len(asked) < 30 and json.loads(asked[-1].post_data)["values"]["erode"] == 15
    screen.get_by_role("button", name="Reset", exact=True).click()


def test_a_cue_for_a_shot_and_one_for_a_person_and_the_film(screen, running):
    """Tried, written, seen, taken out and back; then the film is made with it."""
    workspace = running[1].workspace
    file = workspace.root / "convert.toml"
    go_to(screen, CUT)
    screen.get_by_role("button", name="This shot").click()
    changed(screen, lambda: screen.get_by_label("opacity", exact=True).press("Home"))
    screen.get_by_role("button", name="Add the cue").click()
    screen.get_by_text("1. scene 2").wait_for()
    assert screen.locator(".cues .badge").inner_text() == "in this frame"
    go_to(screen, TWO_FACES)
    assert not screen.locator(".cues .badge").is_visible()
    screen.get_by_role("button", name="This person").click()
    screen.get_by_label("Person").select_option("bob")
    changed(screen, lambda: screen.get_by_label("Leave the face as it is").check())
    screen.get_by_role("button", name="Add the cue").click()
    screen.get_by_text("2. person bob").wait_for()
    assert violations(screen) == []
    cues = read_cues(file, FaceSettings())
    assert [(cue.scene, cue.person, dict(cue.changes)) for cue in cues] == [
        (2, "", {"opacity": 0.0}),
        (None, "bob", {"swap": False}),
    ]
    screen.get_by_role("button", name="Take out cue 1").click()
    wait_until(lambda: len(read_cues(file, FaceSettings())) == 1)
    screen.get_by_role("button", name="Take back the last change of convert.toml").click()
    screen.get_by_text("1. scene 2").wait_for()
    screen.get_by_role("button", name="Render", exact=True).click()
    link = screen.get_by_role("link", name="result.mp4")
    link.wait_for(timeout=90_000)
    job = running[1].jobs.jobs()[0]
    assert job["state"] == "done" and "2 of" in str(running[1].jobs.log(job["id"], 0)).replace("\\n", " ")
    assert probe(workspace.root / "result.mp4").frames == 12
    with screen.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == "result.mp4"
    assert screen.get_by_role("button", name="Compare").is_visible()


def test_a_cue_by_hand_is_seen_at_once_and_a_wrong_one_is_named(screen, running):
    file = running[1].workspace.root / "convert.toml"
    file.write_text("[[cue]]\nopacty = 1\n")
    screen.watch.forgive()  # whenever a frame is asked for
    screen.reload()
    screen.get_by_text("unknown setting opacty").first.wait_for()
    assert file.read_text() == "[[cue]]\nopacty = 1\n"


def test_without_a_model_the_next_step_is_named(browser, tmp_path):
    workspace = merge_workspace(tmp_path / "work", model=False)
    with served(workspace) as (keys, _), opened(browser, keys) as page:
        show(page, keys.port, "merge")
        page.get_by_text("No model to merge yet").wait_for()
        assert violations(page) == []
        page.get_by_role("link", name="To the next step").click()
        page.get_by_role("heading", name="Overview").wait_for()
