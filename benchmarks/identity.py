"""How well --keep-id tells two people of one film apart, at which threshold, and what poor pictures change.

Prints JSON, and keeps it in benchmarks/results/identity.json.

    python benchmarks/identity.py CLIP [CLIP ...]

Each clip shows two people side by side, one in each half, in all frames: that is the truth. Three pictures of each,
from the beginning, the middle and the end, are the references; every frame is then judged, as it is and made worse.
"""

import json
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]
import cv2  # noqa: E402
import numpy as np  # noqa: E402

from core.faces.wanted import LIKENESS_WANTED  # noqa: E402
from core.faceset.database import faces, measured  # noqa: E402
from core.faceset.database.connection import open_database  # noqa: E402
from core.imaging.codec import encode_png  # noqa: E402
from core.jobs.extract.settings import DEFAULT_THRESHOLD, ExtractSettings  # noqa: E402
from core.jobs.extract_faces import extract_faces  # noqa: E402
from core.video.decode import read_frames  # noqa: E402
from core.video.probe import probe  # noqa: E402
from core.workspace import Workspace  # noqa: E402

Image = np.ndarray
REFERENCES = (0.05, 0.5, 0.95)  # of the film
THRESHOLDS = (0.25, 0.3, 0.35, 0.363, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
WORSE: dict[str, Callable[[Image], Image]] = {
    "as it is": lambda image: image,
    "blurred": lambda image: cv2.GaussianBlur(image, (0, 0), image.shape[0] / 100),
    "small": lambda image: cv2.resize(image, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA),
    "dark": lambda image: (image * 0.2).astype(np.uint8),
    "JPEG at quality 15": lambda image: cv2.imdecode(
        cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 15])[1], cv2.IMREAD_COLOR
    ),
}


def judged(clip: Path, half: int, worse: str, every: int, folder: Path) -> list[tuple[float, bool]]:
    """(likeness to the references, whether it is the wanted person) of the faces of a clip.

    half: of the wanted person, 0 is left.
    """
    frames = list(read_frames(probe(clip)))
    people, space = folder / "people", Workspace(folder / "workspace").create()
    people.mkdir()
    for part in REFERENCES:
        image = frames[int(part * (len(frames) - 1))]
        middle = image.shape[1] // 2
        (people / f"{part}.png").write_bytes(encode_png(image[:, middle:] if half else image[:, :middle]))
    for number, image in enumerate(frames[::every], start=1):
        (space.side("src").frames / f"{number:05d}.png").write_bytes(encode_png(WORSE[worse](image)))
    width = WORSE[worse](frames[0]).shape[1]
    settings = ExtractSettings(keep_id=people, min_face_size="20", no_faces=True)
    extract_faces(space, "src", settings)
    with open_database(space.side("src").database) as connection:
        likeness = measured.scores(connection, LIKENESS_WANTED)
        found = [face for status in ("kept", "filtered") for face in faces.faces(connection, status)]
    return [
        (likeness[face.id], (float(face.box[0] + face.box[2]) / 2 >= width / 2) == bool(half))
        for face in found
        if face.id in likeness
    ]


def measured_at(values: list[tuple[float, bool]]) -> dict[str, object]:
    """What each threshold keeps and drops."""
    right = np.array([likeness for likeness, is_right in values if is_right])
    other = np.array([likeness for likeness, is_right in values if not is_right])
    return {
        "right faces": len(right),
        "other faces": len(other),
        "likeness of right faces": [round(float(value), 3) for value in np.percentile(right, (0, 1, 50, 100))],
        "likeness of others": [round(float(value), 3) for value in np.percentile(other, (0, 50, 99, 100))],
        "kept of right, dropped of others, per cent": {
            f"{threshold:g}": [
                round(100 * float((right >= threshold).mean()), 1),
                round(100 * float((other < threshold).mean()), 1),
            ]
            for threshold in THRESHOLDS
        },
    }


def main() -> None:
    result: dict[str, object] = {
        "machine": f"{platform.machine()}, {platform.system()}",
        "embedder": "sface",
        "default threshold": DEFAULT_THRESHOLD,
    }
    for clip in map(Path, sys.argv[1:]):
        for worse in WORSE:
            both: list[tuple[float, bool]] = []
            for half in (0, 1):
                with tempfile.TemporaryDirectory() as folder:
                    both += judged(clip, half, worse, 1 if worse == "as it is" else 8, Path(folder))
            result[f"{clip.stem}, {worse}"] = measured_at(both)
    text = json.dumps(result, indent=1)
    (ROOT / "benchmarks/results/identity.json").write_text(text + "\n")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
