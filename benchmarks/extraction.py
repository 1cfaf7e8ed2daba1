"""How long face extraction takes, where its time goes, and how it grows with workers.

usage: python benchmarks/extraction.py [--against FOLDER] [--video FILM] [--frames 40] [--pairs 3]

Without a film a still with one face is used (skimage's astronaut, NASA, in a 1280 x 720 frame). Milliseconds are
processor time, medians, so that other jobs on the machine disturb them less than wall time: two idle cores work through
2000 / that many frames a second at best. ``--against`` is another checkout, measured in turn. Prints JSON; keeps it in
benchmarks/results/extraction.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--against", type=Path)
    parser.add_argument("--video", type=Path)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    checkouts = {"after": ROOT} | ({"before": given.against} if given.against else {})
    found: dict[str, list[dict]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory() as folder:
        film = given.video.resolve() if given.video else still(Path(folder) / "still.mp4", given.frames)
        for _ in range(given.pairs):
            for name, checkout in checkouts.items():
                found[name].append(child(checkout, film, given.frames))
    result: dict = {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1), "frames": given.frames}
    for name, many in found.items():
        result[name] = {kind: round(statistics.median(one[kind] for one in many), 1) for kind in many[0]}
    text = json.dumps(result, indent=1)
    (ROOT / "benchmarks/results/extraction.json").write_text(text + "\n")
    print(text)


def child(checkout: Path, film: Path, frames: int) -> dict:
    environment = {**os.environ, "PYTHONPATH": str(checkout.resolve())}
    command = [sys.executable, __file__, "--child", str(film), str(frames)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, cwd=checkout)
    return json.loads(done.stdout.strip().splitlines()[-1])


def still(path: Path, count: int) -> Path:
    """A film of one picture with one face."""
    import av
    import numpy as np
    import skimage.data

    canvas = np.full((720, 1280, 3), 90, np.uint8)
    canvas[100:612, 300:812] = skimage.data.astronaut()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for _ in range(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(canvas, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def measured(film: Path, count: int) -> dict:
    """Milliseconds a frame, and of each step for one frame or one face."""
    from core.faces.extractor import one_opencv_thread
    from core.imaging.codec import encode_png, read_frame
    from core.video.decode import read_frames
    from core.video.probe import probe

    with one_opencv_thread(), tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        frames = [frame for _, frame in zip(range(count), read_frames(probe(film)), strict=False)]
        decode = 1000 * (time.process_time() - start) / len(frames)
        path = Path(folder) / "frame.png"
        path.write_bytes(encode_png(frames[0]))
        png = statistics.median(cpu_ms(lambda: read_frame(path)) for _ in range(10))
        known, nobody = (extraction(frames, embedder) for embedder in ("sface", "none"))
        rows = {
            "png_frame": known + png,
            "film_frame": known + decode,
            "png_frame_without_identity": nobody + png,
            "read_png": png,
            "decode_film": decode,
        }
        return {name: round(value, 2) for name, value in (rows | steps(frames)).items()}


def extraction(frames: list, embedder: str) -> float:
    """All that is done with a frame which has been read, as the step does it: milliseconds, the median."""
    from core.jobs.extract.networks import open_extractor
    from core.jobs.extract.settings import ExtractSettings

    settings = replace(ExtractSettings(), embedder=embedder, detect_size=640)
    extractor, _ = open_extractor(settings, ROOT / "assets")
    extractor.extract("warm.png", lambda: frames[0])
    times = []
    for number, frame in enumerate(frames):
        times.append(cpu_ms(lambda number=number, frame=frame: extractor.extract(f"{number:05d}.png", lambda: frame)))
    return statistics.median(times)


def steps(frames: list) -> dict[str, float]:
    from core import plugins
    from core.faces.contract import DetectorSettings
    from core.geometry.align import FaceType, face_matrix
    from core.imaging.codec import encode_jpeg
    from core.imaging.warp import warp_face

    detector = plugins.load("detectors", "yunet").create(DetectorSettings(size=640))
    landmarker, embedder = plugins.load("landmarkers", "facemesh").create(), plugins.load("embedders", "sface").create()
    image = frames[0]
    face = detector.detect(image)[0]
    points, _ = landmarker.landmarks(image, face)
    matrix = face_matrix(points, 512, FaceType.WHOLE_FACE)
    aligned = warp_face(image, matrix, 512)
    work = {
        "detect_and_orient": lambda: detector.detect(image),
        "landmarks": lambda: landmarker.landmarks(image, face),
        "align": lambda: warp_face(image, matrix, 512),
        "encode_jpeg": lambda: encode_jpeg(aligned, 90),
        "identity": lambda: embedder.embed(image, points),
    }
    return {name: statistics.median(cpu_ms(call) for _ in range(20)) for name, call in work.items()}


def cpu_ms(call) -> float:
    start = time.process_time()
    call()
    return 1000 * (time.process_time() - start)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(measured(Path(sys.argv[2]), int(sys.argv[3]))))
    else:
        main()
