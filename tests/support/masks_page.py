"""A person at the Masks screen: real pointer and key events, and what the page and the files then say."""

import json

from browser import until

from core.formats import dfl_image

MASKS = "window.forge.masks"


def show_masks(page, keys, query="filter=all", side="dst"):
    """The Masks screen with a face on it."""
    page.goto(f"http://127.0.0.1:{keys.port}/#/masks/{side}?{query}")
    until(page, f"{MASKS}?.ready && !!{MASKS}.sketch && !!{MASKS}.picture")
    page.locator(".stage canvas").focus()


def on_screen(page, point):
    """Where a point of the file is on the screen, CSS pixels of the page."""
    x, y = page.evaluate(f"{MASKS}.stage.toScreen([{point[0] - 0.5}, {point[1] - 0.5}])")
    box = page.locator(".stage canvas").bounding_box()
    return box["x"] + x, box["y"] + y


def click(page, *points):
    for point in points:
        page.mouse.click(*on_screen(page, point))


def drag(page, start, end):
    """From one point of the picture to another."""
    page.mouse.move(*on_screen(page, start))
    page.mouse.down()
    page.mouse.move(*on_screen(page, end), steps=4)
    page.mouse.up()


def polygons(page):
    """What is drawn in the page."""
    return json.loads(page.evaluate(f"JSON.stringify({MASKS}.sketch.polygons)"))


def saved(page):
    """Everything that was drawn is with the server."""
    until(page, f"{MASKS}.ready && !{MASKS}.sketch.dirty")


def in_file(workspace, page, name=None):
    """The polygons in the file of the present face, or of one with this name."""
    path = workspace.side("dst").aligned / (name or page.evaluate(f"{MASKS}.face.name"))
    return [{"include": one.include, "points": one.points.tolist()} for one in dfl_image.read(path).polygons]
