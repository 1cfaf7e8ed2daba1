"""How fast a film is copied frame by frame, and with how much memory.

Prints JSON, and keeps it in benchmarks/results/video_out.json.

    python benchmarks/video_out.py [FRAMES=600] [FILM]

Without FILM a moving picture of 1280 x 720 is made. Every run is a process of its own, whose peak memory is reported
with that of the program that decodes.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

RUNS = {
    "x264 medium": {},
    "x264 medium, parts of 50 frames": {"part": 50},
    "x264 medium, one part": {"part": 1_000_000},
    "x264 veryfast": {"preset": "veryfast"},
    "x265 medium": {"codec": "hevc"},
    "svt-av1 6": {"codec": "av1"},
}
READING = "reading only"
LENGTHS = "x264 veryfast, a third of the frames"


def draw(path: Path, frames: int) -> None:
    """A photograph that moves under noise, which changes with every frame."""
    import av
    import cv2
    import numpy as np
    import skimage.data

    photo = cv2.resize(cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR), (1480, 920))
    noise = np.random.default_rng(0).normal(0, 3, (920, 1480, 3)).astype(np.float32)
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=Fraction(30000, 1001), options={"preset": "veryfast", "crf": "18"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for number in range(frames):
            x, y = int(100 + 90 * np.sin(number / 40)), int(100 + 90 * np.cos(number / 31))
            cut = photo[y : y + 720, x : x + 1280] + np.roll(noise, 37 * number, 1)[:720, :1280]
            image = np.clip(cut, 0, 255).astype(np.uint8)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        film.mux(stream.encode(None))


def copy(source: Path, name: str) -> dict:
    from core.video.film.edit import edit_film
    from core.video.film.encoders import FilmSettings
    from core.video.film.frames import read_film
    from core.video.probe import probe

    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        if name == READING:
            frames, size = sum(1 for _ in read_film(probe(source))), 0
        else:
            settings = FilmSettings(**RUNS.get(name, {"preset": "veryfast"}))
            report = edit_film(source, Path(folder) / "copy.mp4", lambda number, image: image, settings)
            frames, size = report.frames, report.path.stat().st_size
    seconds = time.perf_counter() - begun
    own, child = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "frames": frames,
        "frames/s": round(frames / seconds, 1),
        "CPU seconds": round(own.ru_utime + own.ru_stime + child.ru_utime + child.ru_stime, 1),
        "peak MB": round(own.ru_maxrss / 1e3),
        "peak MB of the decoder": round(child.ru_maxrss / 1e3),
        "megabytes written": round(size / 1e6, 2),
    }


def run(source: Path, name: str) -> dict:
    print(name, file=sys.stderr, flush=True)
    command = [sys.executable, __file__, "--child", str(source), name]
    child = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(child.stdout)


def main(arguments: list[str]) -> None:
    frames = int(next((a[7:] for a in arguments if a.startswith("FRAMES=")), 600))
    path = ROOT / "benchmarks/results/video_out.json"
    results: dict = {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load before": os.getloadavg()[0],
        }
    }
    with tempfile.TemporaryDirectory() as folder:
        given = [Path(a) for a in arguments if not a.startswith("FRAMES=")]
        source, third = given[0] if given else Path(folder) / "film.mp4", Path(folder) / "third.mp4"
        # In processes of their own: what a parent has in memory counts as its child's.
        for film, count in ((source, frames), (third, frames // 3)):
            if not film.exists():
                subprocess.run([sys.executable, __file__, "--draw", str(film), str(count)], check=True)
        for name in (READING, *RUNS):
            results[name] = run(source, name)
        results[LENGTHS] = run(third, LENGTHS)
    results["size"] = "1280 x 720" if not given else "as given"
    path.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(copy(Path(sys.argv[2]), sys.argv[3])))
    elif sys.argv[1:2] == ["--draw"]:
        draw(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main(sys.argv[1:])
