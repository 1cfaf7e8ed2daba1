"""The page in a real browser: screens, forms, jobs, keys, undo, losing and finding the server again."""

import re

import pytest
from browser import opened, show, until, violations
from clips import make_clip, pattern
from tiny_dfm import write_dfm
from workbench_kit import served, small_workspace, wait_until

from core.jobs.frame_receipt import Receipt, identity, write_receipt

SCREENS = ("overview", "frames", "faces", "masks", "training", "merge", "live", "jobs")
FILM = b"\0\0\0\x20ftypisom" + bytes(100)  # one by its name, which cannot be read
# Also where a screen says all the time what was done, for those who do not see it.
SHOWN = """document.querySelector("main h1")
  && ![...document.querySelectorAll("main [role=status]")].some(said => said.textContent.startsWith("Loading"))"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_screens_can_be_used_by_everybody(browser, server, screen, scheme):
    with opened(browser, server[0], color_scheme=scheme) as page:
        show(page, server[0].port, screen)
        until(page, SHOWN, 30)
        assert violations(page) == []
        assert page.title().endswith("DFM Forge workbench")


@pytest.mark.parametrize("screen", SCREENS)
def test_screens_at_twice_the_size(browser, server, screen):
    """As with a zoom of 200 %: nothing has to be scrolled sideways."""
    with opened(browser, server[0], viewport={"width": 640, "height": 400}, device_scale_factor=2) as page:
        show(page, server[0].port, screen)
        until(page, SHOWN, 30)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth")


def test_the_token_leaves_the_address(page, server):
    assert server[0].token not in page.url and page.evaluate("document.cookie") == ""
    assert page.evaluate("performance.getEntries().every(entry => !entry.name.includes('#'))")


def test_the_next_step_and_counts(page):
    assert "Both sides have faces" in page.inner_text(".next")
    assert page.get_by_role("row", name=re.compile("^Faces")).inner_text().count("12 faces") == 2
    assert "needs an exported model" in page.get_by_role("row", name="Merge").inner_text()


LINES = """() => [...document.querySelectorAll(".there")].map(words => {
  const range = document.createRange();
  range.selectNodeContents(words);
  return range.getClientRects().length;
})"""


@pytest.mark.parametrize("width", [640, 900, 1024, 1280, 1600])
def test_what_is_there_stands_in_one_line(browser, tmp_path, width):
    workspace = small_workspace(tmp_path / "work", trained=False)
    for side in ("src", "dst"):
        (workspace.root / f"data_{side}.mp4").write_bytes(FILM)
        for number in range(13, 1100):
            (workspace.side(side).frames / f"{number:05d}.png").touch()
    with served(workspace) as (keys, _), opened(browser, keys, viewport={"width": width, "height": 800}) as page:
        page.get_by_role("button", name="Extract frames: Target frames").wait_for()
        assert page.inner_text(".there").startswith("1,099 frames")
        assert set(page.evaluate(LINES)) == {1}
        assert page.evaluate("document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth")


def test_another_film_comes_and_the_earlier_one_comes_back(browser, tmp_path):
    workspace = small_workspace(tmp_path / "work", trained=False)
    side, film = workspace.side("dst"), workspace.root / "data_dst.mp4"
    make_clip(film, *pattern(0.3))
    write_receipt(side.frames, Receipt(video=identity(film)))
    faces = sorted(path.name for path in side.aligned.glob("*.jpg"))
    make_clip(film, *pattern(0.5, "96x64"))
    with served(workspace) as (keys, bench), opened(browser, keys) as page:
        assert "another target film" in page.inner_text(".next")
        page.get_by_text("data_dst.mp4 is another film than these come from").wait_for()
        assert violations(page) == []
        start(page, "Extract frames: Target frames", "python -m core frames dst --archive")
        wait_until(lambda: [job["state"] for job in bench.jobs.jobs()] == ["done"], 60)
        assert len(list(side.frames.glob("*.png"))) == 5 and not side.has_faces()
        show(page, keys.port, "overview")
        page.get_by_text("12 frames, 12 faces").wait_for()
        assert violations(page) == []
        start(page, "Bring back data_dst.mp4 of dst", None)
        wait_until(lambda: [job["state"] for job in bench.jobs.jobs()] == ["done", "done"], 60)
        assert sorted(path.name for path in side.aligned.glob("*.jpg")) == faces
        show(page, keys.port, "overview")
        page.get_by_text("5 frames, 0 faces").wait_for()  # the other one was put away in turn


def start(page, button, command):
    """Open a form by a button, and start its stage as it is."""
    page.get_by_role("button", name=button).click()
    page.wait_for_selector(".stage-form footer")
    if command:
        assert page.locator(".command").last.inner_text() == command
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator("dialog").wait_for(state="detached")


def open_form(page, title):
    page.get_by_role("button", name=title).first.click()
    page.wait_for_selector(".stage-form footer")


def test_a_form_has_groups_help_and_defaults(page):
    open_form(page, "Find faces: Source faces")
    assert page.get_by_role("group", name="which frames").is_visible()
    every = page.get_by_label("every", exact=True)
    assert every.get_attribute("placeholder") == "1" and "every Nth frame" in page.inner_text("#field-every-help")
    assert page.get_by_label("side", exact=True).input_value() == "src"
    assert violations(page) == []
    # Every field is under its name and as wide as its column.
    wide = (
        "[...document.querySelectorAll('.field:not(.switch) :is(input, select, textarea)')].map(one => one.clientWidth)"
    )
    assert min(page.evaluate(wide)) > 200
    page.get_by_label("Find an option").fill("landmark")
    assert not every.is_visible() and page.get_by_label("landmarker", exact=True).is_visible()


def test_what_is_wrong_is_said_at_its_field(page, server):
    open_form(page, "Find faces: Target faces")
    page.get_by_label("every", exact=True).fill("0")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_selector(".fault")
    assert "greater than or equal to 1" in page.inner_text("#field-every-fault")
    assert page.evaluate("document.activeElement.id") == "field-every"
    assert violations(page) == []
    assert not server[1].jobs.running()
    page.watch.forgive()  # the browser itself notes an answer of 422


def test_a_job_by_keyboard_alone(page, server):
    """From the overview to a job that has ended, without a pointer."""
    show(page, server[0].port, "jobs")
    start = page.get_by_label("Start")
    start.focus()
    start.select_option("check-faceset")
    page.wait_for_selector(".stage-form footer")
    page.get_by_label("side", exact=True).focus()
    page.keyboard.type("dst")
    page.keyboard.press("Control+Enter")
    assert page.locator(".command").last.inner_text() == "python -m core check-faceset dst"
    page.get_by_role("button", name="Start", exact=True).focus()
    page.keyboard.press("Enter")
    until(page, "window.forge.state().jobs[0]?.state === 'done'", 60)
    page.wait_for_selector(".log")
    wait_until(lambda: "12" in page.inner_text(".log"))
    assert page.get_by_role("button", name="Again", exact=True).is_visible()
    assert violations(page) == []


def test_keys_in_three_presets(page):
    page.keyboard.press("?")
    page.wait_for_selector(".keys")
    assert violations(page) == []
    assert page.locator(".keys div", has_text="copy from the previous frame").locator("kbd").inner_text() == "V"
    page.get_by_label("Keys as in").select_option("dfl")
    assert page.locator(".keys div", has_text="copy from the previous frame").locator("kbd").inner_text() == ","
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('dialog[open]')")


def test_undo_and_redo_from_every_screen(page, server):
    side = server[1].sides["src"]
    face = f"{int(side.table()[1].ids[0]):016x}"
    operation = {"op": "set_mark", "faces": [face], "mark": "trash"}
    code = """async operation => (await import("/static/lib/undo.js")).edit("src", [operation])"""
    assert page.evaluate(code, operation)["faces"] == 1

    def mark():
        codes, words = side.table()[1].words["mark"]
        return words[codes[0]]

    assert mark() == "trash"
    page.keyboard.press("Control+z")
    wait_until(lambda: mark() == "")
    page.get_by_text("Undone: marked").wait_for()
    page.keyboard.press("Control+Shift+z")
    wait_until(lambda: mark() == "trash")
    page.get_by_role("button", name="Undo the last change").click()
    wait_until(lambda: mark() == "")
    until(page, f"window.forge.state().revisions.src === '{side.revision()}'")


def test_two_tabs_see_the_same(page, server):
    other = page.context.new_page()
    other.goto(f"http://127.0.0.1:{server[0].port}/")
    other.wait_for_selector("nav")
    until(other, "window.forge.state().server && window.forge.state().connected")
    ids = [f"{int(number):016x}" for number in server[1].sides["dst"].table()[1].ids[:2]]
    code = """async faces => {
      const {edit} = await import("/static/lib/undo.js");
      return edit("dst", [{op: "set_mark", faces, mark: "unsure"}]);
    }"""
    revision = page.evaluate(code, ids)["revision"]
    for tab in (page, other):
        until(tab, f"window.forge.state().revisions.dst === '{revision}'")


def test_colours_can_be_chosen(page):
    background = "getComputedStyle(document.body).backgroundColor"
    first = page.evaluate(background)
    page.get_by_role("button", name=re.compile("change to light")).click()
    page.get_by_role("button", name=re.compile("change to dark")).click()
    assert page.evaluate(background) != first
    page.reload()
    page.wait_for_selector("nav")
    assert page.evaluate(background) != first


def test_training_shows_previews_losses_and_phases(page, server):
    show(page, server[0].port, "training")
    page.wait_for_selector(".uplot canvas")
    assert "4,000" in page.inner_text(".numbers") and "3: gan_power 0.1" in page.inner_text(".numbers")
    slider = page.get_by_label("History of previews")
    newest = page.get_attribute(".preview img", "src")
    slider.focus()
    page.keyboard.press("Home")
    until(page, "document.querySelector('.preview img').src.includes('iteration=400')")
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('.preview img').src.includes('iteration=800')")
    page.get_by_role("button", name="Newest").click()
    assert page.get_attribute(".preview img", "src") == newest
    page.get_by_role("button", name="Logarithmic").click()
    page.wait_for_selector(".uplot canvas")


def test_a_server_that_is_gone_and_comes_again(browser, tmp_path):
    """The page says so, and knows everything when the same server answers again; a new one needs its own link."""
    workspace = small_workspace(tmp_path / "work")
    with served(workspace) as (keys, bench), opened(browser, keys) as page:
        page.context.set_offline(True)
        page.evaluate("window.forge.socket().close()")
        until(page, "!window.forge.state().connected")
        page.get_by_text("connecting again").wait_for()
        bench.events.add("faces", {"side": "src", "revision": "missed"})
        page.context.set_offline(False)
        until(page, "window.forge.state().connected && window.forge.state().revisions.src === 'missed'")
        bench_keys = keys.session
        object.__setattr__(keys, "session", "another")
        page.evaluate("window.forge.socket().close()")
        page.get_by_text("This page has lost its key").wait_for()
        object.__setattr__(keys, "session", bench_keys)
        page.evaluate("0")
        page.watch.forgive()  # of connections that failed


def test_the_live_player_is_started_and_opened(browser, tmp_path):
    """The link of the player, clicked in this page, leads into the player's own."""
    workspace = small_workspace(tmp_path / "work", trained=False)
    write_dfm(workspace.model / "tiny.dfm")
    with served(workspace) as (keys, bench), opened(browser, keys) as page:
        show(page, keys.port, "live")
        page.get_by_role("button", name="Start the player").click()
        page.wait_for_selector(".stage-form footer")
        page.get_by_label("port", exact=True).fill("0")
        page.get_by_role("button", name="Start", exact=True).click()
        link = page.get_by_role("link", name="Open the player")
        link.wait_for(timeout=60_000)
        assert violations(page) == []
        with page.context.expect_page() as opening:
            link.click()
        opening.value.get_by_text("tiny.dfm on").wait_for()
        assert opening.value.title() == "DFM Forge live"
        page.watch.foreign.clear()  # the player has a port of its own
        opening.value.close()
        page.get_by_role("button", name="Stop").click()
        wait_until(lambda: not bench.jobs.running(), 60)
        assert bench.jobs.jobs()[0]["state"] in ("done", "stopped")


def test_a_page_that_asks_elsewhere_fails_its_test(browser, server):
    with pytest.raises(AssertionError), opened(browser, server[0]) as page:
        page.evaluate("fetch('http://elsewhere.example/').catch(() => 0)")


def test_a_summary_names_no_path_and_no_film(page, server, workspace):
    page.get_by_role("button", name="Summary for a report").click()
    text = until(page, "document.querySelector('textarea.summary')?.value", 30)
    assert "DFM Forge" in text and "Steps: frames-src done" in text and "Python" in text
    for name in (str(workspace.root), workspace.root.name, "swap_SAEHD", "data_src", "/tmp", "home"):
        assert name not in text
    assert violations(page) == []
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save").click()
    assert saved.value.suggested_filename == "forge-summary.txt"
