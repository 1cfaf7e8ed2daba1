"""A person at the Frames screen: real pointer and key events, and what the page and the server then say."""

import json

from browser import until
from workbench_kit import wait_until

FRAMES = "window.forge.frames"


def show_frames(page, keys, frame=1, tool=None):
    """The Frames screen at a frame (from 1), with its picture."""
    page.goto(f"http://127.0.0.1:{keys.port}/#/frames/dst?frame={frame}")
    until(page, f"{FRAMES}?.shown?.number === {frame - 1} && !!{FRAMES}.shown.picture")
    page.locator(".stage canvas").focus()
    if tool:
        page.keyboard.press({"view": "1", "box": "2", "square": "3", "points": "4"}[tool])


def go_to(page, frame):
    """By the page's own means, where the way is not what is tested."""
    page.evaluate(f"{FRAMES}.go({frame - 1})")
    until(page, f"{FRAMES}.shown.number === {frame - 1}")
    in_step(page)


def in_step(page):
    """The page shows the faces as the server has them."""
    wait_until(lambda: page.evaluate(f"{FRAMES}.frame?.faces") == faces(page, page.evaluate(f"{FRAMES}.number") + 1))


def saved(page):
    """Everything that was done is with the server."""
    page.evaluate(f"{FRAMES}.moves.settled()")
    until(page, f"{FRAMES}.moves.saving === 0 && {FRAMES}.moves.drafts.size === 0")


def faces(page, frame):
    """The faces of a frame as the server has them."""
    address = f"/api/v1/dst/placed?from={frame - 1}"
    return json.loads(page.evaluate(f"fetch('{address}').then(answer => answer.text())"))["frames"][0]["faces"]


def zoom_to(page, scale):
    """CSS pixels for a pixel of the frame, with the chosen face in the middle."""
    page.evaluate(f"{FRAMES}.stage.zoomTo({scale})")
    page.evaluate(
        f"(() => {{ const [a, b, c, d] = {FRAMES}.face.box; {FRAMES}.stage.center([(a + c) / 2, (b + d) / 2]); }})()"
    )


def on_screen(page, point):
    """Where a point of the frame is on the screen, CSS pixels of the page."""
    x, y = page.evaluate(f"{FRAMES}.stage.toScreen({json.dumps(list(map(float, point)))})")
    box = page.locator(".stage canvas").bounding_box()
    return box["x"] + x, box["y"] + y


def drag(page, start, end, steps=6):
    """From one point of the frame to another, with the mouse."""
    (a, b), (c, d) = on_screen(page, start), on_screen(page, end)
    page.mouse.move(a, b)
    page.mouse.down()
    page.mouse.move(c, d, steps=steps)
    page.mouse.up()


def said(page):
    """What the page has said last."""
    return page.evaluate(f"{FRAMES}.said")
