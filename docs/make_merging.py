"""Make the picture of docs/merging.md, both ways on one frame: ``python docs/make_merging.py WORKSPACE``.

WORKSPACE is what ``bash scripts/demo.sh`` has made (workspace/demo). The faces in it are fictional.
"""

import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.faceset.database import faces  # noqa: E402
from core.faceset.database.connection import open_database  # noqa: E402
from core.formats.provenance import write_synthetic_image  # noqa: E402
from core.geometry.align import FaceType, face_matrix, transform_points  # noqa: E402
from core.imaging.sheets import titled_sheet  # noqa: E402
from core.imaging.warp import warp_face  # noqa: E402
from core.jobs.merge.choices import MergeChoices  # noqa: E402
from core.jobs.merge.merge import merge  # noqa: E402
from core.merge.dfl.settings import DflSettings  # noqa: E402
from core.video.film.encoders import FilmSettings  # noqa: E402
from core.video.film.frames import read_film  # noqa: E402
from core.video.find import find_film  # noqa: E402
from core.video.probe import probe  # noqa: E402
from core.workspace import Workspace  # noqa: E402

PICTURE = ROOT / "docs" / "workflow" / "merging.jpg"
FRAME = 30
SIDE, CLOSE = 328, 82  # pixels of a picture, and of the frame in the close one
JAW = 5  # landmark in the middle of the close picture, where the mask ends
LOSSLESS = FilmSettings(codec="ffv1")


def main(folder: str) -> None:
    workspace = Workspace(Path(folder).resolve())
    film = image_of(find_film(workspace.side("dst")))
    columns = [
        ("the film", film),
        ("--exact: as DeepFaceLab merges", merged(workspace, MergeChoices(exact=DflSettings()))),
        ("our way", merged(workspace, MergeChoices())),
    ]
    points = landmarks(workspace)
    shown = [(title, np.stack(looks(image, points))) for title, image in columns]
    header = "One frame of the demo, and the edge of its mask four times as large"
    PICTURE.parent.mkdir(exist_ok=True)
    write_synthetic_image(PICTURE, titled_sheet(shown, header, smallest=SIDE, widest=3 * SIDE))


def merged(workspace: Workspace, choices: MergeChoices) -> np.ndarray:
    """The frame as it is merged."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "merged.mkv"
        known = {"exact": choices.exact, "output": output, "film": LOSSLESS}
        merge(workspace, "dst", MergeChoices(**known))
        return image_of(output)


def image_of(path: Path) -> np.ndarray:
    return next(np.asarray(frame.image, np.uint8) for frame in read_film(probe(path), first=FRAME))


def landmarks(workspace: Workspace) -> np.ndarray:
    with open_database(workspace.side("dst").database) as connection:
        return next(face.landmarks for face in faces.faces(connection) if face.frame == f"{FRAME:05d}.png")


def looks(image: np.ndarray, points: np.ndarray) -> list[np.ndarray]:
    """The face, and a part of its edge enlarged."""
    matrix = face_matrix(points, SIDE, FaceType.WHOLE_FACE)
    x, y = transform_points(points[[JAW]], np.eye(2, 3))[0].round().astype(int)
    top, left = (int(np.clip(at - CLOSE // 2, 0, size - CLOSE)) for at, size in zip((y, x), image.shape, strict=False))
    close = image[top : top + CLOSE, left : left + CLOSE]
    return [warp_face(image, matrix, SIDE), cv2.resize(close, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)]


if __name__ == "__main__":
    main(sys.argv[1])
