"""How quick the server of the workbench is with 60,000 faces, and a film.

Prints JSON, and keeps it in benchmarks/results/workbench.json. Medians and 95th percentiles are in milliseconds.

    python benchmarks/workbench.py [faces film page frames brush lanes] [FACES=60000]
"""

import json
import os
import platform
import sys
import tempfile
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]
import numpy as np  # noqa: E402
from starlette.testclient import TestClient  # noqa: E402

HOME = "http://127.0.0.1:8600"
FILM_FRAMES = 1000


def main() -> None:
    parts = [name for name in sys.argv[1:] if "=" not in name] or list(PARTS)
    sizes = dict(argument.split("=") for argument in sys.argv[1:] if "=" in argument)
    path = ROOT / "benchmarks" / "results" / "workbench.json"
    results = json.loads(path.read_text()) if path.is_file() else {}
    results["machine"] = (
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in parts:
            own = Path(folder) / name
            own.mkdir()
            results[name] = PARTS[name](own, int(sizes.get("FACES", 60_000)))
    text = json.dumps(results, indent=1)
    path.write_text(text + "\n")
    print(text)


def _client(workspace):
    from core import stages
    from core.workbench.app import new_keys, workbench_app
    from core.workbench.bench import Bench
    from core.workbench.serve import collect_rarely

    collect_rarely()
    keys = new_keys(8600)
    bench = Bench(workspace, stages, 0)
    client = TestClient(workbench_app(bench, keys), base_url=HOME, headers={"origin": HOME})
    client.post("/enter", content=keys.token)
    return client, bench


def _times(work, count: int) -> dict[str, float]:
    taken = []
    for number in range(count):
        start = time.perf_counter()
        work(number)
        taken.append(1000 * (time.perf_counter() - start))
    return {"median": round(float(np.median(taken)), 1), "p95": round(float(np.percentile(taken, 95)), 1)}


def _once(work) -> float:
    start = time.perf_counter()
    work()
    return round(1000 * (time.perf_counter() - start), 1)


def faces(folder: Path, count: int) -> dict:
    """A side with so many faces whose pictures are links to a hundred."""
    workspace = _many_faces(folder, count)
    client, bench = _client(workspace)
    found: dict = {"faces": count}

    def ok(answer):
        assert answer.status_code in (200, 304), answer.text
        return answer

    def edit(ids, mark):
        operation = {"op": "set_mark", "faces": ids, "mark": mark}
        ok(client.post("/api/v1/src/edits", json={"id": str(uuid.uuid4()), "operations": [operation]}))

    view = "/api/v1/src/view?columns=frame,size,yaw,pitch,mark&sort=-size"
    found["first view"] = _once(lambda: ok(client.get(view)))
    found["view again"] = _times(lambda number: ok(client.get(f"{view}&size={number}..")), 20)
    found["bytes of a view"] = len(client.get(view).content)
    ids = [f"{int(number):016x}" for number in bench.sides["src"].table()[1].ids]
    batches = [ids[start : start + 96] for start in range(0, 96 * 20, 96)]
    thumbs = [f"/api/v1/src/thumbs?ids={','.join(batch)}" for batch in batches]
    found["96 thumbs, made"] = _times(lambda number: ok(client.get(thumbs[number])), 20)
    found["96 thumbs, kept"] = _times(lambda number: ok(client.get(thumbs[number])), 20)
    found["mark one face"] = _times(lambda number: edit([ids[number]], "trash"), 30)
    found["view after a mark"] = _times(lambda number: [edit([ids[number]], "keep"), ok(client.get(view))], 5)
    found["mark 5,000 faces"] = _once(lambda: edit(ids[:5000], "trash"))
    found["apply 5,000 marks"] = _once(lambda: ok(client.post("/api/v1/src/apply", json={})))
    found["undo that"] = _once(lambda: ok(client.post("/api/v1/src/undo", json={})))
    found["state"] = _times(lambda number: ok(client.get("/api/v1/state")), 5)
    return found


def _many_faces(folder: Path, count: int):
    from found_faces import face_at
    from portraits import face

    from core.faceset.database import faces as rows
    from core.faceset.database.connection import open_database
    from core.faceset.database.faces import FaceRow
    from core.faceset.database.frames import FrameRow
    from core.faceset.database.images import ImageRow
    from core.faceset.identity import geometry_of
    from core.formats import dfl_image
    from core.imaging.codec import encode_jpeg
    from core.workspace import Workspace

    # Made once for all parts.
    root = folder.parent / "many faces"
    if root.exists():
        return Workspace(root)
    workspace = Workspace(root).create()
    side = workspace.side("src")
    pictures = []
    for seed in range(100):
        image, record = face(seed % 2, seed, 256)
        path = folder / f"{seed}.jpg"
        dfl_image.write(path, encode_jpeg(image), record)
        pictures.append(path)
    rng = np.random.default_rng(0)
    found = []
    for number in range(count):
        frame = f"{number + 1:06d}.png"
        made = face_at(frame, 200 + float(rng.uniform(0, 100)))
        name = f"{number + 1:06d}_0.jpg"
        os.link(pictures[number % 100], side.aligned / name)
        status = (side.aligned / name).stat()
        geometry = geometry_of(frame, made.landmarks)
        image = ImageRow(
            made.id, "aligned", name, name, "whole_face", 256, "", "", status.st_size, status.st_mtime_ns, geometry
        )
        scores = {"yaw": float(rng.normal()), "pitch": float(rng.normal()), "sharpness": float(rng.uniform())}
        found.append((FrameRow(frame), [FaceRow(made, image, scores)]))
    with open_database(side.database, create=True) as connection:
        rows.add(connection, found)
    return workspace


def film(folder: Path, count: int) -> dict:
    """A film of 1280 x 720 with a key frame every ten seconds: the worst that encoders make."""
    from core.workbench.sides.film import Film
    from core.workspace import Workspace

    workspace = Workspace(folder / "work").create()
    path = workspace.root / "data_dst.mp4"
    _write_film(path)
    start = time.perf_counter()
    shown = Film(path)
    opening = round(1000 * (time.perf_counter() - start), 1)
    places = np.random.default_rng(1).permutation(len(shown))[:20]
    found = {
        "open and index 1,000 frames": opening,
        "next frame": _times(shown.frame, 50),
        "any frame": _times(lambda number: shown.frame(int(places[number])), 20),
    }
    shown.close()
    return found | _film_in_the_page(workspace)


def _film_in_the_page(workspace) -> dict:
    """From the step to the picture on the Frames screen; any frame: from the small film, which is made beforehand."""
    from browser import chromium, opened
    from found_faces import SETTINGS, face_at
    from frames_page import show_frames
    from workbench_kit import served

    from core.faceset.database import extraction, faces
    from core.faceset.database.connection import open_database
    from core.faceset.database.faces import FaceRow
    from core.faceset.database.frames import FrameRow

    with open_database(workspace.side("dst").database, create=True) as connection:
        extraction.write_settings(connection, SETTINGS | {"source": {}, "from_video": True})
        names = [f"{number:05d}.png" for number in range(1, FILM_FRAMES + 1)]
        rows = [(FrameRow(name, width=1280, height=720), [FaceRow(face_at(name, 600, 300))]) for name in names]
        faces.add(connection, rows)
    found: dict = {}
    with served(workspace) as (keys, bench):
        start = time.perf_counter()
        bench.sides["dst"].make_small_film(lambda: False)
        found["small film of 1,000 frames, made, s"] = round(time.perf_counter() - start, 1)
        with chromium() as browser, opened(browser, keys) as page:
            show_frames(page, keys, 1)
            found["next frame, in the page"] = _summed(page.evaluate(NEXT, number) for number in range(1, 60))
            places = np.random.default_rng(2).permutation(np.arange(100, FILM_FRAMES))[:30]
            found["any frame, in the page"] = _summed(page.evaluate(NEXT, int(number)) for number in places)
    return found


def _write_film(path: Path) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "250", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        noise = np.random.default_rng(0).integers(0, 255, (72, 128, 3), dtype=np.uint8)
        for number in range(FILM_FRAMES):
            image = np.kron(np.roll(noise, number, axis=1), np.ones((10, 10, 1), np.uint8))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))


def page(folder: Path, count: int) -> dict:
    """The page in a browser without a window, beside a small workspace: five fresh starts."""
    from browser import chromium, opened, show, until
    from workbench_kit import served, small_workspace

    found: dict = {}
    with served(small_workspace(folder / "work")) as (keys, bench), chromium() as browser:
        starts = []
        for _ in range(5):
            with opened(browser, keys) as shown:
                begun = time.perf_counter()
                shown.goto(f"{HOME.replace('8600', str(keys.port))}/")
                until(shown, "window.forge?.state().server && document.querySelector('.steps')")
                usable = 1000 * (time.perf_counter() - begun)
                paint = shown.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
                starts.append((paint or usable, usable))
        found["first paint"], found["usable"] = (
            round(float(np.median(column)), 1) for column in zip(*starts, strict=True)
        )
        with opened(browser, keys) as shown:
            show(shown, keys.port, "training")
            until(shown, "document.querySelector('.uplot canvas')")
            code = """async face => {
              const {edit} = await import("/static/lib/undo.js");
              const start = performance.now();
              await edit("src", [{op: "set_mark", faces: [face], mark: Math.random() < 0.5 ? "keep" : "unsure"}]);
              return performance.now() - start;
            }"""
            face = f"{int(bench.sides['src'].table()[1].ids[0]):016x}"
            taken = [shown.evaluate(code, face) for _ in range(30)]
        found["edit durable, from the page"] = {
            "median": round(float(np.median(taken)), 1),
            "p95": round(float(np.percentile(taken, 95)), 1),
        }
    return found


# In the page, of the frames screen.
WATCH_DRAG = """() => {
  window.taken = [];
  const canvas = document.querySelector(".stage canvas");
  canvas.addEventListener("pointermove", event => {
    requestAnimationFrame(() => taken.push(performance.now() - event.timeStamp));
  });
}"""
RELEASE = """async by => {
  const session = forge.frames, face = session.face, moves = session.moves;
  const draft = moves.begin(face, "box");
  moves.update(draft, {box: draft.box.map(side => side + by)});
  const start = performance.now();
  await moves.findPoints(draft);
  const landmarks = performance.now() - start;
  moves.drop(draft);
  return landmarks;
}"""
EDIT_POINTS = """async by => {
  const {edit} = await import("/static/lib/undo.js");
  const session = forge.frames, face = session.face;
  const points = face.points.map(([x, y]) => [x + by, y]);
  const start = performance.now();
  await edit("dst", [{op: "move_points", face: face.id, base: face.base, points}]);
  const taken = performance.now() - start;
  await session.load(session.number);
  return taken;
}"""
NEXT = """number => new Promise(done => {
  const session = forge.frames, start = performance.now();
  session.listeners.add(function look() {
    if (session.shown.number !== number) return;
    session.listeners.delete(look);
    done(performance.now() - start);
  });
  session.go(number);
})"""


def _dragged(shown, start: tuple[float, float]) -> dict:
    """What lies at a place of the screen is dragged by 60 moves of the pointer, and left by Esc."""
    shown.evaluate(WATCH_DRAG)
    x, y = start
    shown.mouse.move(x, y)
    shown.mouse.down()
    for step in range(60):
        shown.mouse.move(x + step / 3, y + step / 5)
    shown.keyboard.press("Escape")
    shown.mouse.up()
    return _summed(shown.evaluate("taken"))


def frames(folder: Path, count: int) -> dict:
    """The Frames screen in a browser, 1280 x 720: loose frames, then a film with a key frame every ten seconds."""
    from browser import chromium, opened
    from frames_kit import planted_workspace
    from frames_page import FRAMES, on_screen, show_frames
    from workbench_kit import served

    workspace = planted_workspace(folder / "work")
    found: dict = {}
    with served(workspace) as (keys, _), chromium() as browser, opened(browser, keys) as shown:
        show_frames(shown, keys, 1, "points")
        middle = on_screen(shown, shown.evaluate(f"{FRAMES}.face.points[30]"))
        found["drag of a point, event to drawn"] = _dragged(shown, middle)
        shown.keyboard.press("3")
        middle = on_screen(shown, np.mean(shown.evaluate(f"{FRAMES}.face.points"), axis=0))
        found["drag of 68 points, event to drawn"] = _dragged(shown, middle)
        found["edit durable, from the page"] = _summed(shown.evaluate(EDIT_POINTS, k % 2 or -1) for k in range(30))
        shown.evaluate(RELEASE, 1)  # starts the vision process
        found["landmarks after the box is let go"] = _summed(shown.evaluate(RELEASE, k % 5) for k in range(20))
        order = np.random.default_rng(0).permutation(12)
        found["next frame, loose"] = _summed(shown.evaluate(NEXT, int(k)) for k in order if k)
    return found


WATCH_FRAMES = """(() => {
  window.taken = [];
  let last = performance.now();
  const tick = now => {
    taken.push(now - last);
    last = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
})()"""


def brush(folder: Path, count: int) -> dict:
    """Strokes on a face of 512 pixels, on what was painted before: how long each frame of the screen takes."""
    from browser import chromium, opened
    from masks_page import MASKS, on_screen, show_masks
    from portraits import write_face
    from workbench_kit import served

    from core.faceset.register import open_known
    from core.workspace import Workspace

    workspace = Workspace(folder / "work").create()
    side = workspace.side("dst")
    write_face(side.aligned, "00001_0.jpg", 1, 1, 512)
    with open_known(side):
        pass
    with served(workspace) as (keys, _), chromium() as browser, opened(browser, keys) as page:
        show_masks(page, keys)
        page.keyboard.press("b")
        page.evaluate(WATCH_FRAMES)
        page.evaluate("taken.length = 0")
        for stroke in range(8):
            for step in range(60):
                angle = 2 * np.pi * step / 60
                point = (256 + (40 + 15 * stroke) * np.cos(angle), 256 + (40 + 15 * stroke) * np.sin(angle))
                page.mouse.move(*on_screen(page, point))
                if step == 0:
                    page.mouse.down()
            page.mouse.up()
        page.wait_for_timeout(100)
        polygons = page.evaluate(f"{MASKS}.sketch.polygons.length")
        assert polygons, "nothing was painted"
        taken = page.evaluate("taken")
    return {"frame": _summed(taken), "longest frame": round(max(taken), 1), "polygons": polygons}


def _summed(taken) -> dict[str, float]:
    values = list(taken)
    return {"median": round(float(np.median(values)), 1), "p95": round(float(np.percentile(values, 95)), 1)}


def lanes(folder: Path, count: int) -> dict:
    """The timeline of a side with so many faces."""
    client, bench = _client(_many_faces(folder, count))
    found: dict = {"faces": count, "first": _once(lambda: client.get("/api/v1/src/lanes"))}
    found["other limits"] = _times(lambda number: client.get(f"/api/v1/src/lanes?small={number + 1}"), 5)

    def edit(number):
        face = client.get(f"/api/v1/src/placed?from={number}").json()["frames"][0]["faces"][0]
        points = [[x + 1, y] for x, y in face["points"]]
        operation = {"op": "move_points", "face": face["id"], "base": face["base"], "points": points}
        body = {"id": str(uuid.uuid4()), "operations": [operation]}
        assert client.post("/api/v1/src/edits", json=body).status_code == 200

    found["move points"] = _times(edit, 10)
    found["after a move"] = _times(lambda number: [edit(number), client.get("/api/v1/src/lanes")], 5)
    bench.vision.close()
    return found


PARTS = {"faces": faces, "film": film, "page": page, "frames": frames, "brush": brush, "lanes": lanes}

if __name__ == "__main__":
    main()
