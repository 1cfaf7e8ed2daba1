"""Write the pictures of docs/workbench.md, the screens on the built-in demo: ``python docs/make_workbench.py``.

A real browser looks at a workspace in which a short demo was trained, which takes about ten minutes on two cores.
``python docs/make_workbench.py WORKSPACE`` looks at one that is there. The faces on the pictures are fictional.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

from browser import chromium, opened, show, until  # noqa: E402
from masks_page import MASKS, drag  # noqa: E402
from workbench_kit import served  # noqa: E402

from core.formats.provenance import write_synthetic_image  # noqa: E402
from core.workspace import Workspace  # noqa: E402

FOLDER = ROOT / "docs" / "screens"
WIDEST = 1100  # pixels of a picture
QUALITY = 82
# Each stage in turn, as it is typed.
STAGES = (
    "demo-media",
    "frames src",
    "frames dst",
    "faces src",
    "faces dst",
    "mask src",
    "mask dst",
    "train 200 --model demo --preset quick --held-out 12 --preview-every 40",
    "model backup --name early",
    "train 400 --model demo --preview-every 40",
    "quality --compare early demo --faces 12",
    "export",
)
# The pictures: screen, width, height, colours.
SHOTS = (
    ("overview", 1280, 800, "light"),
    ("frames/dst", 1280, 800, "dark"),
    ("faces/src", 1920, 1080, "light"),
    ("masks/dst", 1280, 800, "light"),
    ("training", 1920, 1300, "dark"),
    ("merge", 1280, 800, "light"),
)
LOADED = """document.querySelector("main h1") && document.getAnimations().length === 0
  && ![...document.querySelectorAll("main [role=status]")].some(said => said.textContent.startsWith("Loading"))
  && [...document.images].every(image => image.complete)"""
READY = {
    "frames/dst": "!!window.forge.frames?.shown?.picture && !!window.forge.frames.face",
    "faces/src": "window.forge.faces?.ready && !window.forge.faces.grid.blank",
    "masks/dst": f"{MASKS}?.ready && !!{MASKS}.picture",
    "training": "document.querySelectorAll('.triptych img').length > 0",
    "merge": "window.forge.merge?.shown?.number === window.forge.merge.number && !window.forge.merge.busy",
}


def main() -> None:
    if len(sys.argv) > 1:
        take_pictures(Workspace(Path(sys.argv[1])))
        return
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "demo").create()
        for stage in STAGES:
            command = [sys.executable, "-m", "core", *stage.split()]
            subprocess.run(command, cwd=ROOT, env=os.environ | {"WORKSPACE": str(workspace.root)}, check=True)
        take_pictures(workspace)


def take_pictures(workspace: Workspace, folder: Path = FOLDER) -> None:
    with served(workspace) as (keys, _), chromium() as browser:
        for screen, width, height, scheme in SHOTS:
            size = {"width": width, "height": height}
            with opened(browser, keys, viewport=size, color_scheme=scheme) as page:
                show(page, keys.port, screen)
                until(page, LOADED, 120)
                until(page, READY.get(screen, "true"), 240)
                if screen == "masks/dst":
                    paint(page)
                page.wait_for_timeout(2000)  # thumbs that are made behind everything else
                image = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
                page.watch.said.clear()
            scale = min(1.0, WIDEST / width)
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            name = screen.partition("/")[0]
            write_synthetic_image(folder / f"workbench_{name}.jpg", image, QUALITY)


def paint(page) -> None:
    """A suggestion, from which the brush and the eraser take and give a little."""
    page.keyboard.press("s")
    until(page, f"{MASKS}.sketch.polygons.length > 0", 60)
    side = page.evaluate(f"{MASKS}.face.size[0]")
    page.keyboard.press("b")
    drag(page, (0.35 * side, 0.2 * side), (0.6 * side, 0.2 * side))
    page.keyboard.press("e")
    drag(page, (0.4 * side, 0.72 * side), (0.6 * side, 0.72 * side))


if __name__ == "__main__":
    main()
