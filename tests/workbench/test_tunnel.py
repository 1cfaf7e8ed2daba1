"""The page over a bad line: 150 ms late each way, 2 Mbit/s, cut for a while. Edits arrive in order, none is lost."""

import time
from contextlib import contextmanager

import numpy as np
import pytest
from browser import opened, show, until, violations
from frames_kit import planted_workspace
from frames_page import FRAMES, faces, saved, show_frames
from tunnel import tunnelled
from workbench_kit import served, small_workspace, wait_until
from workbench_page import Page

from core.faceset.database.connection import open_database

READY = "window.forge.faces?.ready && window.forge.faces.side === 'dst'"
LENGTHS = [3, pytest.param(30, marks=pytest.mark.slow)]  # seconds
WAYS = ["cut", "silence"]


@contextmanager
def distant(browser, workspace):
    """(page, tunnel, bench, keys)"""
    with tunnelled() as tunnel, served(workspace, through=tunnel) as (keys, bench), opened(browser, keys) as page:
        yield page, tunnel, bench, keys
        page.watch.forgive()  # the browser notes every connection that fails


@contextmanager
def broken(tunnel, way, seconds):
    """The line is down for a while, and for as long as what is done meanwhile takes."""
    begun = time.monotonic()
    getattr(tunnel, way)()
    yield
    time.sleep(max(0.0, seconds - (time.monotonic() - begun)))
    tunnel.mend()


def edited(side):
    """The faces of each change with what they had before, oldest first."""
    with open_database(side.database) as connection:
        return [face for (face,) in connection.execute("SELECT face FROM edits ORDER BY edit")]


def marks(bench):
    """Face -> mark, as the server has it."""
    table = bench.sides["dst"].table()[1]
    codes, words = table.words["mark"]
    return {f"{int(face):016x}": words[code] for face, code in zip(table.ids, codes, strict=True) if code}


@pytest.mark.parametrize("seconds", LENGTHS)
@pytest.mark.parametrize("way", WAYS)
def test_marks_are_not_lost(browser, tmp_path, way, seconds):
    workspace = small_workspace(tmp_path / "work", trained=False)
    with distant(browser, workspace) as (page, tunnel, bench, keys):
        show(page, keys.port, "faces/dst")
        until(page, READY)
        ids = page.evaluate("window.forge.faces.ids()")
        page.locator("#faces-grid").focus()
        page.keyboard.press("Home")
        for key in "xku":
            page.keyboard.press(key)
        with broken(tunnel, way, seconds):
            for key in "xkx":
                page.keyboard.press(key)
            # What is marked is seen at once.
            assert (
                page.evaluate("window.forge.faces.marks().slice(0, 6).join()") == "trash,keep,unsure,trash,keep,trash"
            )
            # Meanwhile somebody else says who a face is.
            operation = {"op": "set_person", "faces": [ids[8]], "person": "Ada"}
            assert Page(bench).edit("dst", operation).status_code == 200
            if way == "cut":
                page.get_by_text("connecting again").wait_for()
                assert violations(page) == []
        wanted = dict(zip(ids, ("trash", "keep", "unsure", "trash", "keep", "trash"), strict=False))
        wait_until(lambda: marks(bench) == wanted)
        assert [face for face in edited(workspace.side("dst")) if face != ids[8]] == ids[:6]
        until(page, "window.forge.state().connected")
        revision = bench.sides["dst"].revision()
        until(page, f"window.forge.state().revisions.dst === '{revision}'")
        until(page, "window.forge.faces.grid.view.words.person.includes('Ada')")
        page.get_by_role("button", name="Apply 5 marks").wait_for()


@pytest.mark.parametrize("seconds", LENGTHS)
@pytest.mark.parametrize("way", WAYS)
def test_points_are_where_they_were_moved_last(browser, tmp_path, way, seconds):
    workspace = planted_workspace(tmp_path / "work")
    planted = edited(workspace.side("dst"))
    with distant(browser, workspace) as (page, tunnel, bench, keys):
        show_frames(page, keys, tool="points")
        (before,) = faces(page, 1)
        page.keyboard.press("Period")  # the first point
        page.keyboard.press("ArrowRight")
        saved(page)
        with broken(tunnel, way, seconds):
            page.keyboard.press("ArrowRight")
            page.evaluate(f"{FRAMES}.moves.flush()")  # not with the one before: two changes of the same face
            page.keyboard.press("ArrowDown")
            page.evaluate(f"{FRAMES}.moves.flush()")
            page.keyboard.press("d")  # and on to the next frame, whose picture cannot come yet
        until(page, f"{FRAMES}.shown?.number === 1 && !!{FRAMES}.shown.picture")
        saved(page)
        assert page.evaluate(f"{FRAMES}.moves.conflict") is None
        (after,) = faces(page, 1)
        moved = np.subtract(after["points"], before["points"])
        assert moved[0] == pytest.approx((2, 1), abs=0.01) and np.abs(moved[1:]).max() < 0.001
        assert edited(workspace.side("dst")) == [*planted, *[before["id"]] * 3]
        until(page, f"window.forge.state().revisions.dst === '{bench.sides['dst'].revision()}'")
