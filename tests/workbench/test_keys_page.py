"""Each key of each preset does what it says, at the screen where it says so."""

import json
from dataclasses import dataclass

import pytest
from browser import opened, show, until
from frames_kit import planted_workspace
from frames_page import FRAMES, go_to, saved, show_frames
from masks_page import MASKS, show_masks
from workbench_kit import NO_FACE, served, wait_until
from workbench_page import Page

PRESETS = ("forge", "faceswap", "dfl")
GRID = "window.forge.faces"
# What rows look at.
STATE = {
    "frames": f"""({{number: {FRAMES}.number, filter: {FRAMES}.filter, tool: {FRAMES}.tool, locked: {FRAMES}.locked,
        magnified: !!{FRAMES}.magnified, playing: {FRAMES}.player.playing, fresh: {FRAMES}.moves.drafts.has("new"),
        faces: {FRAMES}.frame?.faces.length, place: location.hash.split("?")[0],
        dialog: !!document.querySelector("dialog[open]"),
        points: {FRAMES}.face && {FRAMES}.moves.shown({FRAMES}.face).points[0]}})""",
    "masks": f"""({{face: {MASKS}.place, filter: {MASKS}.filter, include: {MASKS}.include, brush: {MASKS}.brush,
        drawing: !!{MASKS}.sketch.drawing, breadth: {MASKS}.breadth, overlay: {MASKS}.overlay,
        polygons: {MASKS}.sketch.polygons.length}})""",
    "faces": f"""({{focus: {GRID}.grid.selection.focus, marks: {GRID}.marks(), chosen: {GRID}.grid.selection.count,
        dialog: !!document.querySelector("dialog[open]")}})""",
}
TRIANGLE = '[{"include": true, "points": [[10, 10], [40, 10], [40, 40]]}]'


@dataclass(frozen=True)
class Row:
    """keys: in forge, faceswap, dfl; empty where there is none. reached: (before, after) -> whether it was done.
    begin: a frame, from 1, or what is evaluated before. back: the key that takes it back, or UNDO: the server does.
    """

    screen: str
    does: str
    keys: tuple[str, str, str]
    reached: object
    begin: object = ""
    back: str = ""


def moved(by):
    return lambda before, after: after["number"] == before["number"] + by


def has(name, value):
    return lambda before, after: after[name] == value


def turned(name):
    return lambda before, after: after[name] != before[name]


def more(name, by=1):
    return lambda before, after: after[name] == before[name] + by


def tool(name, number):
    begin = f"{FRAMES}.setTool('{'view' if name != 'view' else 'box'}')"
    return Row("frames", f"tool {name}", (str(number), f"F{number}", ""), has("tool", name), begin)


UNDO = "undo"
ROWS = (
    Row("frames", "next", ("d", "x", "d"), moved(1), 2),
    Row("frames", "previous", ("a", "z", "a"), moved(-1), 3),
    Row("frames", "ten further", ("Shift+d", "Shift+x", "Shift+d"), moved(10), 2),
    Row("frames", "ten back", ("Shift+a", "Shift+z", "Shift+a"), moved(-10), 12),
    Row("frames", "play", ("Space", "Space", ""), has("playing", True), 2, "Space"),
    Row("frames", "first", ("Home",) * 3, has("number", 0), 5),
    Row("frames", "last", ("End",) * 3, has("number", 11), 5),
    Row("frames", "next filter", ("f", "f", ""), turned("filter"), f"{FRAMES}.setFilter('all')"),
    Row("frames", "previous filter", ("Shift+f", "", ""), turned("filter"), f"{FRAMES}.setFilter('all')"),
    tool("view", 1),
    tool("box", 2),
    tool("square", 3),
    tool("points", 4),
    Row("frames", "mask", ("5", "F5", ""), has("place", "#/masks/dst"), 1),
    Row("frames", "copy from the previous", ("v", "v", ","), more("faces"), NO_FACE, UNDO),
    Row("frames", "copy from the next", ("c", "c", ""), more("faces"), NO_FACE, UNDO),
    Row("frames", "interpolate", ("i", "", ""), more("faces"), NO_FACE, UNDO),
    Row("frames", "new face", ("n", "", ""), has("fresh", True), f"{FRAMES}.setTool('box')", "Escape"),
    Row("frames", "delete", ("Delete",) * 3, more("faces", -1), 2, UNDO),
    Row("frames", "delete by X", ("x", "", "x"), more("faces", -1), 2, UNDO),
    Row("frames", "person", ("p", "", ""), has("dialog", True), 1, "Escape"),
    Row("frames", "lock", ("l", "", "Shift"), turned("locked"), 1),
    Row("frames", "magnify", ("m", "m", "`"), turned("magnified"), 1),
    Row("frames", "suggest", ("s", "", ""), turned("points"), 1, UNDO),
    Row("masks", "next", ("d", "x", "d"), more("face"), f"{MASKS}.go(2)"),
    Row("masks", "previous", ("a", "z", "a"), more("face", -1), f"{MASKS}.go(2)"),
    Row("masks", "next filter", ("f", "f", ""), turned("filter")),
    Row("masks", "include", ("q", "", "q"), has("include", True), f"{MASKS}.include = false"),
    Row("masks", "exclude", ("w", "", "w"), has("include", False), f"{MASKS}.include = true"),
    Row("masks", "new polygon", ("n", "", ""), has("drawing", True), "", "Escape"),
    Row("masks", "brush", ("b", "d", ""), has("brush", "brush"), f"{MASKS}.takeBrush(null)"),
    Row("masks", "eraser", ("e", "e", ""), has("brush", "eraser"), f"{MASKS}.takeBrush(null)"),
    Row("masks", "smaller", ("[", "[", ""), lambda before, after: after["breadth"] < before["breadth"]),
    Row("masks", "larger", ("]", "]", ""), lambda before, after: after["breadth"] > before["breadth"]),
    Row("masks", "overlay", ("o", "", "4"), turned("overlay")),
    Row("masks", "suggest", ("s", "", ""), lambda before, after: after["polygons"] > 0, "", "Control+z"),
    Row("masks", "delete", ("Delete",) * 3, more("polygons", -1), "polygon"),
    Row("masks", "delete by X", ("x", "", "x"), more("polygons", -1), "polygon"),
    Row("faces", "next", ("d", "x", "d"), more("focus"), 2),
    Row("faces", "previous", ("a", "z", "a"), more("focus", -1), 2),
    Row("faces", "first", ("Home",) * 3, has("focus", 0), 4),
    Row("faces", "last", ("End",) * 3, has("focus", 11), 4),
    Row("faces", "trash", ("x", "Delete", "x"), lambda before, after: after["marks"][3] == "trash", 3, UNDO),
    Row("faces", "keep", ("k", "", ""), lambda before, after: after["marks"][3] == "keep", 3, UNDO),
    Row("faces", "unsure", ("u", "", ""), lambda before, after: after["marks"][3] == "unsure", 3, UNDO),
    Row("faces", "person", ("p", "", ""), has("dialog", True), 3, "Escape"),
)
PRESSED = [
    pytest.param(preset, row, id=f"{row.screen}-{preset}-{row.does}".replace(" ", "_"))
    for preset in PRESETS
    for row in ROWS
    if row.keys[PRESETS.index(preset)]
]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """(keys, bench)"""
    with served(planted_workspace(tmp_path_factory.mktemp("keys") / "work")) as found:
        yield found


@pytest.fixture(scope="module")
def keys(running):
    return running[0]


@pytest.fixture(scope="module")
def bench_page(browser, keys):
    """One page for all of it; ``page.screen``: where it is."""
    with opened(browser, keys) as page:
        page.screen = ""
        yield page


def begin(page, keys, row):
    """Where the row begins."""
    if page.screen != row.screen:
        {"frames": show_frames, "masks": show_masks, "faces": show_faces}[row.screen](page, keys)
        page.screen = row.screen
    if row.screen == "frames":
        page.evaluate(f"{FRAMES}.setFilter('all')")
        go_to(page, row.begin if isinstance(row.begin, int) else 1)
    if row.screen == "faces":
        page.evaluate(f"{GRID}.grid.selection.only({row.begin})")
    if row.screen == "masks":
        until(page, f"{MASKS}.ready && !!{MASKS}.sketch && !!{MASKS}.picture")
    if row.begin == "polygon":
        page.evaluate(f"{MASKS}.sketch.replaceAll({TRIANGLE}, ''); 0")
        page.keyboard.press("t")
    elif isinstance(row.begin, str) and row.begin:
        page.evaluate(f"{row.begin}; 0")
    if row.screen == "masks":
        until(page, f"{MASKS}.ready && !!{MASKS}.sketch && !!{MASKS}.picture")
    page.locator("#faces-grid" if row.screen == "faces" else ".stage canvas").focus()


def show_faces(page, keys):
    show(page, keys.port, "faces/dst")
    until(page, f"{GRID}?.ready && {GRID}.side === 'dst'")


def state(page, screen):
    return json.loads(page.evaluate(f"JSON.stringify({STATE[screen]})"))


@pytest.mark.parametrize(("preset", "row"), PRESSED)
def test_a_key_does_what_it_says(bench_page, running, preset, row):
    page, keys = bench_page, running[0]
    page.evaluate(f"localStorage.setItem('keys', '{preset}')")
    begin(page, keys, row)
    before = state(page, row.screen)
    page.keyboard.press(row.keys[PRESETS.index(preset)])
    wait_until(lambda: row.reached(before, state(page, row.screen)), 20)
    if row.screen == "frames" and row.does != "lock":
        assert state(page, "frames")["locked"] == before["locked"]  # a held Shift locks nothing
    if row.does == "mask":
        until(page, f"{MASKS}?.ready && !!{MASKS}.picture")
        page.screen = ""
        return
    if row.screen == "frames" and row.does != "new face":
        saved(page)
    if row.back == UNDO:
        server = Page(running[1])
        # The page shows a mark before the server has it.
        wait_until(lambda: row.screen != "faces" or len(server.json("dst/faces")["counts"]["mark"]) > 1)
        assert server.post("dst/undo").status_code == 200
    elif row.back:
        page.keyboard.press(row.back)
    if row.back:
        wait_until(lambda: not row.reached(before, state(page, row.screen)))


@pytest.mark.parametrize("preset", PRESETS)
def test_undo_and_redo_everywhere(bench_page, keys, preset):
    page = bench_page
    page.evaluate(f"localStorage.setItem('keys', '{preset}')")
    show_frames(page, keys, 3)
    page.screen = ""
    page.keyboard.press("Delete")
    for key, faces in (("", 0), ("Control+z", 1), ("Control+Shift+z", 0), ("Control+z", 1)):
        if key:
            page.keyboard.press(key)
        until(page, f"{FRAMES}.number === 2 && {FRAMES}.frame?.faces.length === {faces}")


CLASHES = """async preset => {
  const {activeActions, keysOf} = await import("/static/lib/keys.js");
  const found = {};
  for (const action of activeActions()) for (const key of keysOf(action, preset)) (found[key] ??= []).push(action);
  return Object.values(found).filter(actions => actions.length > 1);
}"""


@pytest.mark.parametrize("screen", ["frames", "masks", "faces"])
def test_no_key_means_two_things(bench_page, keys, screen):
    page = bench_page
    show(page, keys.port, "jobs")  # an address that is there already is not gone to
    {"frames": show_frames, "masks": show_masks, "faces": show_faces}[screen](page, keys)
    page.screen = screen
    for preset in PRESETS:
        assert page.evaluate(CLASHES, preset) == [], preset
