"""Where the time of face extraction goes, and how it grows with workers.

Prints JSON; keeps it in benchmarks/results/extraction.json.

    python benchmarks/extraction.py [VIDEO] [FRAMES=60]

Without a video a still with one face is used (skimage's astronaut, NASA, in a 1280 x 720 frame). Milliseconds are
processor time of one thread, medians, so that other jobs on the machine disturb them less than wall time.
"""

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
import cv2  # noqa: E402
import numpy as np  # noqa: E402
import skimage.data  # noqa: E402

from core import parallel, plugins  # noqa: E402
from core.faces.contract import DetectorSettings  # noqa: E402
from core.faces.cropping import CropSettings  # noqa: E402
from core.faces.extractor import Extractor, one_opencv_thread  # noqa: E402
from core.faces.filters import Limits  # noqa: E402
from core.faces.finding import Finder  # noqa: E402
from core.geometry.align import FaceType, face_matrix  # noqa: E402
from core.imaging.codec import encode_jpeg, encode_png, read_image  # noqa: E402
from core.imaging.warp import warp_face  # noqa: E402
from core.video.decode import read_frames  # noqa: E402
from core.video.probe import count_frames, probe  # noqa: E402


def load(video: str | None, count: int) -> list[np.ndarray]:
    """Frames spread over a video, or the still."""
    if video is None:
        canvas = np.full((720, 1280, 3), 90, np.uint8)
        canvas[100:612, 300:812] = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
        return [canvas] * count
    info = probe(Path(video))
    step = max(count_frames(info) // count, 1)
    return [frame for i, frame in enumerate(read_frames(info)) if i % step == 0][:count]


def steps(frames: list[np.ndarray], folder: Path) -> dict[str, float]:
    """Median processor milliseconds of each step, for one frame or one face."""
    detector, landmarker = (
        plugins.load("detectors", "yunet").create(DetectorSettings()),
        plugins.load("landmarkers", "facemesh").create(),
    )
    embedder = plugins.load("embedders", "sface").create()
    times: dict[str, list[float]] = {}

    def timed(name, function, *arguments):
        start = time.thread_time()
        result = function(*arguments)
        times.setdefault(name, []).append((time.thread_time() - start) * 1e3)
        return result

    for image in frames[:20]:
        path = folder / "frame.png"
        path.write_bytes(encode_png(image))
        timed("read a PNG frame", read_image, path)
        for face in timed("detect and orient (frame)", detector.detect, image)[:1]:
            points, _ = timed("68 landmarks (face)", landmarker.landmarks, image, face)
            aligned = timed("align to 512 (face)", warp_face, image, face_matrix(points, 512, FaceType.WHOLE_FACE), 512)
            timed("encode JPEG (face)", encode_jpeg, aligned, 90)
            timed("identity (face)", embedder.embed, image, points)
    return {name: round(statistics.median(values), 1) for name, values in times.items()}


def rate(frames: list[np.ndarray], workers: int, embedder: str | None) -> dict[str, float]:
    """Frames a second from memory: by the clock, and by the processor time that was used."""
    finder = Finder(
        plugins.load("detectors", "yunet").create(DetectorSettings()),
        plugins.load("landmarkers", "facemesh").create(),
        Limits(),
    )
    extractor = Extractor(finder, plugins.load("embedders", embedder).create() if embedder else None, CropSettings())
    extractor.extract("warm.png", lambda: frames[0])
    start, cpu = time.perf_counter(), time.process_time()
    items = [(f"{i:05d}.png", lambda image=image: image) for i, image in enumerate(frames)]
    results = parallel.in_threads(lambda item: extractor.extract(*item), items, workers)
    faces = sum(len(result.faces) for result in results)
    wall, used = time.perf_counter() - start, time.process_time() - cpu
    return {
        "workers": workers,
        "identity": embedder is not None,
        "faces": faces,
        "frames_per_s": round(len(frames) / wall, 2),
        "frames_per_cpu_s": round(len(frames) / used, 2),
    }


def main() -> None:
    arguments = sys.argv[1:]
    count = int(arguments.pop()) if arguments and arguments[-1].isdigit() else 60
    frames = load(arguments[0] if arguments else None, count)
    cores = parallel.cores()
    with one_opencv_thread(), tempfile.TemporaryDirectory() as folder:
        result = {
            "machine": {
                "processor": platform.processor() or platform.machine(),
                "cores": cores,
                "load_before": round(os.getloadavg()[0], 1),
            },
            "frames": {"count": len(frames), "width": frames[0].shape[1], "height": frames[0].shape[0]},
            "cpu_ms": steps(frames, Path(folder)),
            "rates": [rate(frames, workers, "sface") for workers in sorted({1, cores, 2 * cores})]
            + [rate(frames, cores, None)],
        }
    text = json.dumps(result, indent=1)
    print(text)
    target = ROOT / "benchmarks" / "results" / "extraction.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(text + "\n")


if __name__ == "__main__":
    main()
