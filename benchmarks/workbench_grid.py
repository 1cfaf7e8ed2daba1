"""How quick the grid of the workbench is with many faces: a real browser, a server of its own, generated faces.
CPU times and memory are of the server alone; where other programs run beside, they say more than the others.

Prints JSON, and keeps it in benchmarks/results/workbench_grid.json; parts that are not asked for keep their numbers.

    python benchmarks/workbench_grid.py [paint index scroll similar mark apply memory million] [FACES=60000]
    ... [MILLION=1000000]
"""

import json
import os
import platform
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]
import numpy as np  # noqa: E402

RESULTS = ROOT / "benchmarks/results/workbench_grid.json"
READY = "window.forge?.faces?.ready"
_KINDS = 64  # different pictures


def many_faces(root: Path, count: int, pictures: int):
    """A workspace whose source has so many faces; so many of them have a picture, with a thumb of it."""
    from core.faceset.database.connection import open_database
    from core.workspace import Workspace

    workspace = Workspace(root).create()
    side = workspace.side("src")
    rng = np.random.default_rng(0)
    ids = [f"{number:016x}" for number in rng.integers(2**62, size=count)]
    with open_database(side.database, create=True) as connection, connection:
        connection.execute("INSERT INTO sources (source, path, kind) VALUES (1, '', 'folder')")
        _frames(connection, count)
        _faces(connection, ids, rng)
        _pictures(connection, side, ids[:pictures])
        vectors = rng.normal(size=(min(count, 60_000), 128)).astype("<f4")
        rows = ((face, "sface", "g", vector.tobytes()) for face, vector in zip(ids, vectors, strict=False))
        connection.executemany("INSERT INTO vectors VALUES (?, ?, ?, ?)", rows)
    _thumbs(workspace, side, ids[:pictures])
    return workspace


def _frames(connection, count: int) -> None:
    rows = ((number, f"{number:07d}.jpg", number) for number in range(1, count + 1))
    connection.executemany(
        "INSERT INTO frames (frame, source, name, number, status, error) VALUES (?, 1, ?, ?, 'done', '')", rows
    )


def _faces(connection, ids: list[str], rng) -> None:
    query = """
    INSERT INTO faces (face, frame, "left", top, "right", bottom, confidence, origin, status, reason, person, geometry)
    VALUES (?, ?, 100, 100, ?, 300, 0.9, 'yunet', 'kept', '', '', 'g')
    """
    right = rng.uniform(150, 500, len(ids)).round(1).tolist()
    connection.executemany(query, zip(ids, range(1, len(ids) + 1), right, strict=True))
    angles = rng.normal(0, 0.4, (2, len(ids))).tolist()
    for name, values in zip(("yaw", "pitch"), angles, strict=True):
        connection.executemany(
            "INSERT INTO scores VALUES (?, ?, 'g', ?)",
            ((face, name, value) for face, value in zip(ids, values, strict=True)),
        )


def _pictures(connection, side, ids: list[str]) -> None:
    """Files of a few kinds under many names."""
    from portraits import write_face

    kinds = [write_face(side.frames / "kinds", f"{k}.jpg", k % 2, k, 128) for k in range(_KINDS)]
    side.aligned.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, face in enumerate(ids):
        kind, name = kinds[number % _KINDS], f"{number + 1:07d}_0.jpg"
        os.link(kind, side.aligned / name)
        status = kind.stat()
        rows.append((face, "aligned", name, name, "whole_face", 128, "", "", status.st_size, status.st_mtime_ns, "g"))
    places = ", ".join("?" * 11)
    columns = "face, folder, name, extracted_name, face_type, size, image_digest, sha256, bytes, mtime_ns, geometry"
    connection.executemany(f"INSERT INTO images ({columns}) VALUES ({places})", rows)


def _thumbs(workspace, side, ids: list[str]) -> None:
    """As the background makes them: each kind once."""
    from core.workbench.sides.thumbs import Shown, ThumbStore

    store = ThumbStore(workspace.thumbs / f"{side.name}.db")
    kinds = [side.frames / "kinds" / f"{k}.jpg" for k in range(_KINDS)]
    keys = [f"{path.stat().st_size} {path.stat().st_mtime_ns}" for path in kinds]
    made = store.get({str(k): Shown(keys[k], path.read_bytes) for k, path in enumerate(kinds)})
    colors = store.colors()
    rows = [(face, keys[n % _KINDS], made[str(n % _KINDS)], colors[str(n % _KINDS)]) for n, face in enumerate(ids)]
    with store._opened() as connection, connection:
        connection.executemany("INSERT OR REPLACE INTO thumbs VALUES (?, ?, ?, ?)", rows)


@contextmanager
def page_on(workspace) -> Iterator[tuple[Any, int]]:
    """(page that shows the source faces, process of its server)."""
    from browser import chromium, opened
    from workbench_kit import wait_until
    from workbench_server import Server

    server = Server(workspace, "--port", "0")
    keys = SimpleNamespace(port=int(server.link[1]), link=server.link[0])
    wait_until(lambda: _listens(keys.port))
    try:
        with chromium() as browser, opened(browser, keys) as page:
            page.port = keys.port
            yield page, server.process.pid
            page.watch.said.clear()  # these faces have no frames, which the browser notes
    finally:
        server.end()


def _listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def cpu(server: int) -> float:
    """Seconds of processor time of the server, without the processes that it started."""
    fields = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(page, server) -> dict:
    """Of the server now, and at most."""
    lines = Path(f"/proc/{server}/status").read_text().splitlines()
    sizes = {line.split()[0]: int(line.split()[1]) for line in lines if line.startswith("Vm")}
    return {"MB": round(sizes["VmRSS:"] / 1000), "MB at most": round(sizes["VmHWM:"] / 1000)}


def open_faces(page, query: str = "") -> float:
    """Go to the source faces; seconds until the grid shows them."""
    from browser import until

    begin = time.perf_counter()
    page.goto(f"http://127.0.0.1:{page.port}/#/faces/src{query}")
    until(page, READY, 120)
    return time.perf_counter() - begin


def paint(page, server) -> dict:
    """A page that is opened anew."""
    from browser import until

    open_faces(page)
    page.reload()
    begin = time.perf_counter()
    until(page, READY, 120)
    usable = time.perf_counter() - begin
    first = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    return {"first contentful paint, ms": round(first or 0), "grid usable after the load, s": round(usable, 2)}


def index(page, server) -> dict:
    """The list of faces as the page loads it."""
    seconds = open_faces(page, "?status=any")
    script = "performance.getEntriesByType('resource').filter(one => one.name.includes('/view?')).at(-1)"
    entry = page.evaluate(f"(() => {{ const one = {script}; return [one.encodedBodySize, one.duration]; }})()")
    return {"seconds": round(seconds, 2), "megabytes": round(entry[0] / 1e6, 2), "request, ms": round(entry[1])}


_SCROLL = """async ([pixels, frames]) => {
  const {grid} = window.forge.faces;
  grid.scrollTo(0);
  await new Promise(done => setTimeout(done, 1500));
  const times = [];
  let blank = 0, cells = 0, last = performance.now();
  for (let number = 0; number < frames; number++) {
    grid.scrollBy(pixels);
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last);
    last = now;
    blank += grid.blank;
    cells += grid.layout.columns * Math.ceil(grid.size.height / grid.layout.pitch);
  }
  const stopped = performance.now();
  while (grid.blank && performance.now() - stopped < 10000) await new Promise(done => setTimeout(done, 10));
  return {times, blank, cells, filled: performance.now() - stopped};
}"""


def scroll(page, server) -> dict:
    """Through the grid at several speeds; a frame each time the browser draws one."""
    open_faces(page)
    found = {}
    for speed in (1200, 3000, 12000):
        said = page.evaluate(_SCROLL, [speed / 60, 240])
        times = np.array(said["times"][2:])
        found[f"{speed} px/s"] = {
            "frame, ms, median": round(float(np.median(times)), 1),
            "frame, ms, p95": round(float(np.percentile(times, 95)), 1),
            "blank cells, %": round(100 * said["blank"] / max(said["cells"], 1), 2),
            "filled after stopping, ms": round(said["filled"]),
        }
    return found


def similar(page, server) -> dict:
    """Faces that are like one: the request, first and again."""
    open_faces(page)
    script = """async id => {
      const begin = performance.now();
      const body = JSON.stringify({faces: [id]});
      const answer = await fetch("/api/v1/src/similar", {method: "POST", body});
      await answer.arrayBuffer();
      return performance.now() - begin;
    }"""
    face = page.evaluate("window.forge.faces.focus()")
    first = page.evaluate(script, face)
    before = cpu(server)
    times = [page.evaluate(script, face) for _ in range(10)]
    used = 1000 * (cpu(server) - before) / len(times)
    return {
        "first, ms": round(first),
        "again, ms, median": round(float(np.median(times))),
        "again, CPU, ms": round(used),
    }


def mark(page, server) -> dict:
    """Marks by keyboard, one face after another: until the server has each, durable."""
    from browser import until

    open_faces(page)
    page.locator("#faces-grid").focus()
    page.keyboard.press("Home")
    page.evaluate("performance.clearResourceTimings()")  # a full list takes no more of them
    sent = "performance.getEntriesByType('resource').filter(one => one.name.endsWith('/edits'))"
    for number in range(1, 31):
        page.keyboard.press("k")
        until(page, f"{sent}.length === {number}", 30)
    times = page.evaluate(f"{sent}.map(one => one.duration)")
    return {"ms, median": round(float(np.median(times))), "ms, p95": round(float(np.percentile(times, 95)))}


def apply(page, server) -> dict:
    """5,000 trash marks: marking, applying, undoing."""
    from browser import until

    open_faces(page)
    chosen = "for (let place = 0; place < 5000; place++) window.forge.faces.grid.selection.set(place, true);"
    page.evaluate(f"(() => {{ {chosen} }})()")
    total = page.evaluate("window.forge.faces.ids().length")
    found, before = {}, time.perf_counter()
    page.keyboard.press("x")
    until(page, "document.body.textContent.includes('Apply 5,0')", 60)
    found["mark, s"] = round(time.perf_counter() - before, 2)
    times = {}
    for word in ("apply", "undo"):
        before, used = time.perf_counter(), cpu(server)
        page.evaluate(f'fetch("/api/v1/src/{word}", {{method: "POST", body: "{{}}"}}).then(answer => answer.json())')
        times[f"{word}, s"] = round(time.perf_counter() - before, 2)
        times[f"{word}, CPU, s"] = round(cpu(server) - used, 2)
        until(page, f"window.forge.faces.ids().length === {total - 5000 if word == 'apply' else total}", 60)
        times[f"{word} until the page shows it, s"] = round(time.perf_counter() - before, 2)
    return {**found, **times}


def million(count: int) -> dict:
    """A million faces, of which the first ones have pictures."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = many_faces(Path(folder) / "work", count, min(count, 20_000))
        with page_on(workspace) as (page, server):
            return {
                "faces": count,
                "index": index(page, server),
                "server, CPU until then, s": round(cpu(server), 1),
                "scroll": scroll(page, server),
                "memory of the server": memory(page, server),
            }


PARTS = {
    "paint": paint,
    "index": index,
    "scroll": scroll,
    "similar": similar,
    "mark": mark,
    "apply": apply,
    "memory": memory,
}


def main(arguments: list[str]) -> None:
    sizes = {"FACES": 60_000, "MILLION": 1_000_000}
    sizes |= {name: int(value) for name, _, value in (text.partition("=") for text in arguments) if value}
    count = sizes["FACES"]
    wanted = [text for text in arguments if text in PARTS or text == "million"] or [*PARTS, "million"]
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results["machine"] = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load before": round(os.getloadavg()[0], 1),
    }
    if "million" in wanted:
        wanted.remove("million")
        results["million"] = million(sizes["MILLION"])
    with tempfile.TemporaryDirectory() as folder:
        if wanted:
            workspace = many_faces(Path(folder) / "work", count, count)
            with page_on(workspace) as (page, server):
                results |= {part: {"faces": count, **PARTS[part](page, server)} for part in wanted}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
