"""How many pictures a second the live player shows, and how old they are: a film of 640 x 480, one face, models of
64 to 128 pixels with untrained weights, which take as long as trained ones, the largest also in 8 bits.

Prints JSON, and keeps it in benchmarks/results/live.json, each runtime for itself.

    python benchmarks/live.py [SECONDS=12] [RUNTIME=cpu]

On a loaded machine "processor ms a picture" tells most: two idle cores show 2000 / that many pictures a second at best.
The film comes at 30 frames a second, so that no player can show more. A picture is encoded for a viewer, as with a
page that is open; the way to the page is not in the numbers.
"""

import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]
import av  # noqa: E402
import cv2  # noqa: E402
import numpy as np  # noqa: E402
from portraits import person  # noqa: E402

from core.export.dfm import build_dfm, describe  # noqa: E402
from core.export.int8 import FEWEST_FACES, export_int8  # noqa: E402
from core.jobs.merge.model import open_swapper  # noqa: E402
from core.live.outlet import Outlet  # noqa: E402
from core.live.play import LiveChoices, live_settings, new_follower  # noqa: E402
from core.live.player import Player  # noqa: E402
from core.live.sources import Capture, Film  # noqa: E402
from core.networks import archs  # noqa: E402
from core.networks.config import ModelConfig  # noqa: E402
from core.networks.weights import initial_weights  # noqa: E402
from core.workspace import Workspace  # noqa: E402

MODELS = (
    ModelConfig(64, "wf", "liae-ud", 128, 32, 32, 16),
    ModelConfig(96, "wf", "liae-ud", 128, 48, 48, 16),
    ModelConfig(128, "wf", "df-ud", 128, 48, 48, 16),
)
WIDTH, HEIGHT, RATE = 640, 480, 30


def main(arguments: list[str]) -> None:
    given = dict(item.split("=") for item in arguments)
    seconds, runtime = float(given.get("SECONDS", 12)), given.get("RUNTIME", "cpu")
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        write_film(film)
        rows = [measure(config, film, Path(folder), seconds, runtime) for config in MODELS]
        rows.append(measure(MODELS[-1], film, Path(folder), seconds, runtime, int8=True))
    machine = {"cores": len(os.sched_getaffinity(0)), "processor": _processor(), "python": platform.python_version()}
    results = ROOT / "benchmarks/results/live.json"
    report = json.loads(results.read_text()) if results.exists() else {}
    report[runtime] = {"machine": machine, "film": f"{WIDTH} x {HEIGHT}, {RATE} frames/s", "models": rows}
    text = json.dumps(report, indent=1)
    print(text)
    results.write_text(text + "\n")


def measure(config: ModelConfig, film: Path, folder: Path, seconds: float, runtime: str, *, int8: bool = False) -> dict:
    """What the player says of itself, after a warm-up."""
    weights = {name: initial_weights(name, network, 0) for name, network in archs.networks(config).items()}
    path = folder / f"{config.resolution}.dfm"
    path.write_bytes(build_dfm(weights, config, describe(config, {})))
    if int8:
        path = in_8_bits(path, config)
    workspace = Workspace(folder / "workspace", folder / "assets")
    swapper = open_swapper(workspace, path, None, live_settings(workspace, runtime))
    outlet = Outlet()
    outlet.viewers = 1
    player = Player(workspace, swapper, new_follower(LiveChoices(), workspace))
    player.outputs.append(outlet)
    with player, Capture(Film(film), player.put, player.fail):
        time.sleep(3)
        before = {**player.status(), "memory": _memory(), "used": time.process_time()}
        time.sleep(seconds)
        after = {**player.status(), "memory": _memory(), "used": time.process_time()}
    assert player.failure is None, player.failure
    frames = after["frames"] - before["frames"]
    return {
        "model": f"{config.archi} {config.resolution} px {config.ae_dims}/{config.e_dims}/{config.d_dims}",
        "precision": "int8" if int8 else "float32",
        "device": swapper.dfm.session.device,
        "frames/s": round(frames / seconds, 1),
        "ms from capture to output": after["latency_ms"],
        "95 % within ms": after["latency_p95_ms"],
        "with a swapped face": round((after["with_faces"] - before["with_faces"]) / frames, 3),
        "processor ms a picture": round(1000 * (after["used"] - before["used"]) / frames, 1),
        "dropped a second": round((after["dropped"] - before["dropped"]) / seconds, 1),
        "stages, ms": after["stages"],
        "memory MiB": round(after["memory"]),
        "memory growth MiB": round(after["memory"] - before["memory"], 1),
        "other load": round(os.getloadavg()[0], 1),
    }


def in_8_bits(exported: Path, config: ModelConfig) -> Path:
    face = cv2.resize(person(0)[0], (config.resolution, config.resolution)).astype(np.float32) / 255
    path = exported.with_name("int8.dfm")
    faces = np.stack([face * np.float32(shade) for shade in np.linspace(0.5, 1, FEWEST_FACES)])
    export_int8(exported, path, config, faces)
    return path


def write_film(path: Path) -> None:
    """A portrait that moves and turns its head a little in the picture plane, four seconds."""
    image, points = person(0)
    middle = points.mean(axis=0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(4 * RATE):
            phase = 2 * np.pi * number / (4 * RATE)
            matrix = cv2.getRotationMatrix2D(tuple(middle), 8 * np.sin(phase), 1.3)
            matrix[:, 2] += (WIDTH / 2 - middle[0] + 60 * np.sin(2 * phase), HEIGHT / 2 - middle[1])
            frame = cv2.warpAffine(image, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        container.mux(stream.encode(None))


def _memory() -> float:
    """MiB that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main(sys.argv[1:])
