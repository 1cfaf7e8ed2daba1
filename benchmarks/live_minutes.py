"""The live player for minutes: pictures a second, their age and the memory, minute by minute.

Prints JSON, and keeps it in benchmarks/results/live_minutes.json.

    python benchmarks/live_minutes.py [MINUTES=10] [FILM=clip.mp4] [SIZE=64] [RUNTIME=cpu]

FILM is played at its own speed, again and again; without it a moving portrait of 640 x 480. SIZE: pixels of the model,
as in live.py, whose numbers are explained there. RUNTIME: what it computes on.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support"), str(ROOT / "benchmarks")]
import live  # noqa: E402

from core.export.dfm import build_dfm, describe  # noqa: E402
from core.jobs.merge.model import open_swapper  # noqa: E402
from core.live.outlet import Outlet  # noqa: E402
from core.live.play import LiveChoices, live_settings, new_follower  # noqa: E402
from core.live.player import Player  # noqa: E402
from core.live.sources import Capture, Film  # noqa: E402
from core.networks import archs  # noqa: E402
from core.networks.weights import initial_weights  # noqa: E402
from core.workspace import Workspace  # noqa: E402

WARM_UP = 5.0  # seconds


def main(arguments: list[str]) -> None:
    given = dict(item.split("=", 1) for item in arguments)
    config = next(model for model in live.MODELS if model.resolution == int(given.get("SIZE", 64)))
    weights = {name: initial_weights(name, network, 0) for name, network in archs.networks(config).items()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = Path(given["FILM"]) if "FILM" in given else folder / "film.mp4"
        if "FILM" not in given:
            live.write_film(film)
        model = folder / "model.dfm"
        model.write_bytes(build_dfm(weights, config, describe(config, {})))
        source = Film(film)
        runtime, minutes = given.get("RUNTIME", "cpu"), int(given.get("MINUTES", 10))
        rows = played(model, source, Workspace(folder / "workspace", folder / "assets"), runtime, minutes)
    width, height = source.size
    report = {
        "model": f"{config.archi} {config.resolution} px",
        "runtime": runtime,
        "film": f"{width} x {height}",
        "cores": len(os.sched_getaffinity(0)),
        "memory growth MiB": round(rows[-1]["memory MiB"] - rows[0]["memory MiB"], 1),
        "minutes": rows,
    }
    text = json.dumps(report, indent=1)
    print(text)
    (ROOT / "benchmarks/results/live_minutes.json").write_text(text + "\n")


def played(model: Path, source: Film, workspace: Workspace, runtime: str, minutes: int) -> list[dict]:
    player = Player(
        workspace,
        open_swapper(workspace, model, None, live_settings(workspace, runtime)),
        new_follower(LiveChoices(), workspace),
    )
    outlet = Outlet()
    outlet.viewers = 1
    player.outputs.append(outlet)
    rows = []
    with player, Capture(source, player.put, player.fail):
        time.sleep(WARM_UP)
        for _ in range(minutes):
            frames, used, start = player.measured.frames, time.process_time(), time.monotonic()
            time.sleep(60)
            shown, status = player.measured.frames - frames, player.status()
            rows.append(
                {
                    "frames/s": round(shown / (time.monotonic() - start), 1),
                    "ms from capture to output": status["latency_ms"],
                    "95 % within ms": status["latency_p95_ms"],
                    "processor ms a picture": round(1000 * (time.process_time() - used) / max(shown, 1), 1),
                    "memory MiB": round(live._memory(), 1),
                    "other load": round(os.getloadavg()[0], 1),
                }
            )
            print(rows[-1], file=sys.stderr)
    assert player.failure is None, player.failure
    return rows


if __name__ == "__main__":
    main(sys.argv[1:])
