"""The screen of the faces in a real browser, by real pointer and key events; what is on disk afterwards."""

import pytest
from browser import opened, show, until, violations
from workbench_kit import FRAMES, OTHER_PERSON, served, small_workspace
from workbench_page import with_vectors

READY = "window.forge.faces?.ready && window.forge.faces.side === 'dst'"


@pytest.fixture
def own_workspace(tmp_path):
    return small_workspace(tmp_path / "work", trained=False)


@pytest.fixture
def faces(browser, own_workspace):
    """The page with the target faces; ``page.side`` is that side, ``page.port`` the server's."""
    with served(own_workspace) as (keys, _), opened(browser, keys, viewport={"width": 1400, "height": 800}) as page:
        page.side, page.port = own_workspace.side("dst"), keys.port
        go(page)
        yield page


def go(page, query=""):
    show(page, page.port, f"faces/dst{query}")
    until(page, READY)


def state(page, what):
    return page.evaluate(f"window.forge.faces.{what}")


def corner(page, place):
    """Where a cell is on the screen: {x, y, size}."""
    script = """place => {
      const {grid} = window.forge.faces;
      const box = document.querySelector('#faces-grid canvas').getBoundingClientRect();
      const {x, y} = grid.layout.place(place);
      return {x: box.left + x, y: box.top + y - grid.top, size: grid.layout.cell};
    }"""
    return page.evaluate(script, place)


def click(page, place, *modifiers):
    at = corner(page, place)
    for key in modifiers:
        page.keyboard.down(key)
    page.mouse.click(at["x"] + at["size"] / 2, at["y"] + at["size"] / 2)
    for key in modifiers:
        page.keyboard.up(key)


def drag(page, points, *modifiers):
    for key in modifiers:
        page.keyboard.down(key)
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()
    for key in modifiers:
        page.keyboard.up(key)


def names_in(side, folder):
    path = side.frames / folder
    return {entry.name for entry in path.iterdir() if entry.suffix == ".jpg"} if path.is_dir() else set()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("tab", ["Face", "Poses", "Review"])
def test_everybody_can_use_it(browser, server, scheme, tab):
    with opened(browser, server[0], color_scheme=scheme) as page:
        show(page, server[0].port, "faces/dst")
        until(page, READY)
        page.get_by_role("tab", name=tab).click()
        page.get_by_role("button", name="Filter").click()
        page.wait_for_timeout(300)
        assert violations(page) == []


def test_choosing_with_the_mouse(faces):
    ids = state(faces, "ids()")
    click(faces, 2)
    assert state(faces, "chosen()") == [ids[2]]
    click(faces, 5, "Shift")
    assert state(faces, "chosen()") == ids[2:6]
    click(faces, 3, "Control")
    assert state(faces, "chosen()") == [ids[2], *ids[4:6]]
    faces.keyboard.press("Escape")
    assert state(faces, "chosen()") == []


def test_rubber_band_and_lasso(faces):
    ids = state(faces, "ids()")
    first, last = corner(faces, 0), corner(faces, 2)
    begin = (first["x"] - 4, first["y"] - 4)
    middle = last["y"] + last["size"] / 2
    drag(faces, [begin, (last["x"] + 5, middle)])
    assert state(faces, "chosen()") == ids[:3]
    # Around the middles of the first and the second one only.
    second = corner(faces, 1)
    right = second["x"] + second["size"] * 0.7
    drag(faces, [begin, (right, first["y"] - 4), (right, middle + 20), (first["x"] - 4, middle + 20)], "Alt")
    assert state(faces, "chosen()") == ids[:2]


def test_choosing_with_the_keyboard(faces):
    ids = state(faces, "ids()")
    faces.locator("#faces-grid").focus()
    faces.keyboard.press("Home")
    faces.keyboard.press("ArrowRight")
    for _ in range(3):
        faces.keyboard.press("Shift+ArrowRight")
    assert state(faces, "chosen()") == ids[1:5] and state(faces, "focus()") == ids[4]
    assert "Face 5 of 12" in faces.locator("#focused-face").inner_text()
    faces.keyboard.press("Space")
    assert state(faces, "chosen()") == ids[1:4]
    columns = state(faces, "grid.layout.columns")
    faces.keyboard.press("Home")
    faces.keyboard.press("ArrowDown")
    assert state(faces, "focus()") == ids[columns]
    faces.keyboard.press("End")
    assert state(faces, "focus()") == ids[-1]
    faces.keyboard.press("PageUp")
    assert state(faces, "focus()") == ids[(FRAMES - 1) % columns]
    faces.keyboard.press("Control+a")
    assert state(faces, "chosen()") == ids
    assert f"{FRAMES} chosen" in faces.locator(".counts").inner_text()


def test_marks_apply_and_undo_by_keyboard(faces):
    before = names_in(faces.side, "aligned")
    ids = state(faces, "ids()")
    faces.locator("#faces-grid").focus()
    faces.keyboard.press("Home")
    for key in ("x", "k", "u", "x"):  # each goes on to the next face
        faces.keyboard.press(key)
    until(faces, "window.forge.faces.marks().slice(0, 4).join() === 'trash,keep,unsure,trash'")
    faces.get_by_role("button", name="Apply 3 marks").wait_for()
    faces.keyboard.press("Control+Enter")
    faces.get_by_role("button", name="Apply", exact=True).last.wait_for()
    assert "2 faces go to the trash" in faces.locator("dialog").inner_text()
    faces.locator("dialog .main").click()
    until(faces, f"window.forge.faces.ids().length === {FRAMES - 2}")
    gone = before - names_in(faces.side, "aligned")
    assert len(gone) == 2 and names_in(faces.side, "aligned_trash") == gone
    faces.locator("#faces-grid").focus()
    faces.keyboard.press("End")
    faces.keyboard.press("Control+z")
    until(faces, f"window.forge.faces.ids().length === {FRAMES}")
    assert names_in(faces.side, "aligned") == before and not names_in(faces.side, "aligned_trash")
    # It went to where the change was.
    until(faces, f"window.forge.faces.focus() === '{ids[0]}'")
    faces.keyboard.press("Control+Shift+z")
    until(faces, f"window.forge.faces.ids().length === {FRAMES - 2}")
    assert names_in(faces.side, "aligned") == before - gone


def test_undo_shows_what_a_filter_hides(faces):
    ids = state(faces, "ids()")
    click(faces, 1)
    faces.keyboard.press("x")
    faces.get_by_role("button", name="Apply 1 mark").click()
    faces.locator("dialog .main").click()
    until(faces, f"window.forge.faces.ids().length === {FRAMES - 1}")
    go(faces, "?frame=7..9")
    until(faces, "window.forge.faces.ids().length === 3")
    faces.keyboard.press("Control+z")
    until(faces, f"window.forge.faces.focus() === '{ids[1]}'")
    assert "status=any" in faces.url


def test_filter_sort_and_group_are_in_the_address(faces):
    faces.get_by_role("button", name="Filter").click()
    low = faces.get_by_label("Frame: at least", exact=True)
    low.fill("3")
    low.press("Enter")
    until(faces, "window.forge.faces.grid.view.columns.frame?.every(frame => frame >= 2)")
    assert "frame=2.." in faces.url
    faces.get_by_label("Sort").select_option("size")
    until(faces, "location.hash.includes('sort=size')")
    until(faces, READY)
    sizes = faces.evaluate("[...window.forge.faces.grid.view.columns.size]")
    assert sizes == sorted(sizes)
    faces.get_by_label("Turn the order round").click()
    until(faces, "location.hash.includes('sort=-size') && window.forge.faces.ready")
    assert faces.evaluate("[...window.forge.faces.grid.view.columns.size]") == sizes[::-1]
    faces.get_by_label("Group").select_option("frame")
    until(faces, "window.forge.faces.grid.view.groups.length === 9 && window.forge.faces.ready")
    faces.get_by_role("button", name="Clear all").wait_for(state="detached")
    faces.locator(".chip").click()
    until(faces, f"window.forge.faces.ids().length === {FRAMES}")


def test_a_method_that_has_to_be_computed(faces):
    faces.get_by_label("Sort").select_option("by.brightness")
    until(faces, "location.hash.includes('by.brightness') && window.forge.faces.ready", 30)
    until(faces, "window.forge.faces.grid.view.columns['score.brightness']")
    values = faces.evaluate("[...window.forge.faces.grid.view.columns['score.brightness']]")
    assert values == sorted(values, reverse=True)


def test_persons_and_those_who_are_alike(faces):
    ids = with_vectors(faces.side)
    go(faces)
    shown = state(faces, "ids()")
    click(faces, shown.index(ids[0]))
    faces.keyboard.press("s")
    until(faces, f"window.forge.faces.chosen().length === {FRAMES // 2}")
    assert sorted(state(faces, "chosen()")) == ids[::2]
    faces.locator("#faces-grid").focus()
    faces.keyboard.press("p")
    faces.get_by_label("Name", exact=True).fill("Grace")
    faces.keyboard.press("Enter")
    faces.locator("dialog").wait_for(state="detached")
    go(faces, "?person=Grace")
    until(faces, f"window.forge.faces.ids().length === {FRAMES // 2}")
    assert sorted(state(faces, "ids()")) == ids[::2]


def test_a_group_is_chosen_as_a_whole(faces):
    with_vectors(faces.side)
    click(faces, 2)
    faces.keyboard.press("k")
    go(faces, "?group=mark")
    heads = "window.forge.faces.grid.layout"
    until(faces, f"{heads}.names.length === 2")
    kept = state(faces, "grid.layout.names").index("keep")
    grid = faces.locator("#faces-grid canvas").bounding_box()
    faces.mouse.click(grid["x"] + 60, grid["y"] + faces.evaluate(f"{heads}.tops[{kept}]") + 12)
    assert state(faces, "chosen()") == [state(faces, "focus()")]
    faces.keyboard.press("Home" if kept else "End")
    faces.get_by_role("button", name="Select group").click()
    assert len(state(faces, "chosen()")) == len(state(faces, "ids()")) - 1


def test_who_is_alike_is_computed_where_nobody_knows(faces):
    click(faces, 0)
    faces.get_by_role("button", name="Select similar").click()
    until(faces, "window.forge.faces.chosen().length > 5", 40)
    faces.get_by_role("button", name="Sort by likeness").click()
    until(faces, "location.hash.includes('sort=-like.') && window.forge.faces.ready")
    frames = faces.evaluate("[...window.forge.faces.grid.view.columns.frame]")
    assert frames[0] == 0 and OTHER_PERSON - 1 in frames[-3:]


def test_the_queue_of_verdicts_by_keyboard(faces):
    faces.get_by_role("tab", name="Review").click()
    faces.get_by_role("button", name="Judge all faces").click()
    faces.get_by_role("button", name="All that were found").wait_for(timeout=40_000)
    faces.locator(".verdict", has_text="another person").click()
    until(faces, "location.hash.includes('verdict.another-person') && window.forge.faces.ready")
    # The one that is upside down is like nobody, too.
    assert OTHER_PERSON - 1 in faces.evaluate("[...window.forge.faces.grid.view.columns.frame]")
    faces.locator(".verdict-list", has_text="like the person that most faces show").wait_for()
    first, second = state(faces, "ids()")
    faces.locator("#faces-grid").focus()
    faces.keyboard.press("Home")
    faces.keyboard.press("x")
    faces.keyboard.press("k")
    faces.get_by_text("2 of 2 decided").wait_for()
    go(faces, "?mark=trash")
    until(faces, f"window.forge.faces.ids().join() === '{first}'")
    go(faces, "?mark=keep")
    until(faces, f"window.forge.faces.ids().join() === '{second}'")


def judged(page):
    page.get_by_role("tab", name="Review").click()
    page.get_by_role("button", name="Judge all faces").click()
    page.get_by_role("button", name="All that were found").wait_for(timeout=40_000)


def test_what_was_rejected_stays_rejected(faces):
    """Also after the marks were applied and all faces judged again; it can be looked at, and be proposed again."""
    judged(faces)
    faces.locator(".verdict", has_text="obstructed").click()
    until(faces, "location.hash.includes('verdict.obstructed') && window.forge.faces.ready")
    (face,) = state(faces, "ids()")
    faces.locator("#faces-grid").focus()
    faces.keyboard.press("k")
    faces.get_by_text("1 of 1 decided").wait_for()
    faces.get_by_role("button", name="Apply 1 mark").click()
    faces.locator("dialog .main").click()
    until(faces, "window.forge.faces.ready && window.forge.faces.ids().length === 0")
    faces.get_by_role("button", name="Look again").last.click()
    faces.get_by_role("button", name="1 rejected").click()
    until(faces, f"location.hash.includes('rejected.obstructed') && window.forge.faces.ids().join() === '{face}'")
    faces.get_by_text("1 face is kept anyway, and not proposed again").wait_for()
    faces.locator(".verdict-list", has_text="obstructed: rejected").wait_for()
    assert violations(faces) == []
    faces.locator("#faces-grid").focus()
    faces.keyboard.press("r")
    faces.locator(".verdict", has_text="1 open").filter(has_text="obstructed").click()
    until(faces, f"location.hash.includes('verdict.obstructed') && window.forge.faces.ids().join() === '{face}'")
    faces.keyboard.press("Control+z")  # that it is proposed again
    faces.get_by_role("button", name="1 rejected").wait_for()
    until(faces, f"window.forge.faces.focus() === '{face}'")


def test_every_verdict_of_a_face_is_rejected_at_once(faces):
    judged(faces)
    faces.get_by_role("button", name="All that were found").click()
    until(faces, "location.hash.includes('verdicts=1') && window.forge.faces.ready")
    number = len(state(faces, "ids()"))
    faces.locator("#faces-grid").focus()
    faces.keyboard.press("Control+a")
    faces.keyboard.press("k")
    faces.get_by_text(f"{number} of {number} decided").wait_for()
    go(faces, "?verdicts=1..")
    until(faces, "window.forge.faces.ids().length === 0")
    faces.keyboard.press("Control+z")
    until(faces, f"window.forge.faces.ids().length === {number}")


def test_a_cell_of_the_poses_is_a_filter(faces):
    faces.get_by_role("tab", name="Poses").click()
    for place in (0, -1):
        faces.get_by_role("button", name="Measure").nth(place).click()
    faces.get_by_role("button", name="Measure").first.wait_for(state="detached", timeout=40_000)
    cell = faces.locator(".pose-map button", has_text=str(FRAMES)).first
    words = cell.get_attribute("title")
    cell.click()
    until(faces, "location.hash.includes('yaw=') && window.forge.faces.ready")
    number = int(words.rpartition("target ")[2].split(",")[0])
    until(faces, f"window.forge.faces.ids().length === {number}")


def test_a_side_without_faces_says_so(browser, tmp_path):
    from core.workspace import Workspace

    with served(Workspace(tmp_path / "work").create()) as (keys, _), opened(browser, keys) as page:
        show(page, keys.port, "faces/src")
        page.get_by_text("No source faces yet").wait_for()
        page.watch.forgive()  # the browser notes that there is no view
