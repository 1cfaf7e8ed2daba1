"""Make the pictures of docs/extraction-workflow.md from the built-in demo: ``python docs/make_workflow.py``.

It takes about two minutes on two cores. The faces on the pictures are fictional.
"""

import sys
import tempfile
from pathlib import Path

import cv2

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from make_screens import shell  # noqa: E402

from core.formats.provenance import write_synthetic_image  # noqa: E402
from core.imaging.codec import decode_image  # noqa: E402

PICTURES = ROOT / "docs" / "workflow"
WIDEST = 1000  # pixels
COMMANDS = (
    "bash scripts/1_extract_src_video.sh",
    "bash scripts/3_extract_src_faces.sh --overlay",
    "bash scripts/3.1.3_tracks_src.sh",
    "bash scripts/alignments.sh smooth src",
    "bash scripts/3.1.5_reextract_src.sh",
    "bash scripts/3.2_apply_xseg_src.sh --masker whole",
    '"$FORGE_PYTHON" -P -m core mask-output src --what combined',
)
# Picture in the workspace -> its name beside the page.
SHOWN = {
    "data_src/aligned_views/tracks.jpg": "tracks",
    "data_src/aligned_views/smoothing.png": "smoothing",
    "data_src/aligned_masks/combined/00048_0.png": "mask",
}


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "workspace"
        shell('"$FORGE_PYTHON" -P -m core demo-media', workspace)
        for command in COMMANDS:
            shell(command, workspace)
        for path, name in SHOWN.items():
            keep(decode_image((workspace / path).read_bytes(), path), name)
        film = cv2.VideoCapture(str(workspace / "data_src/overlay.mp4"))
        film.set(cv2.CAP_PROP_POS_FRAMES, 47)
        keep(film.read()[1], "overlay")


def keep(image, name: str) -> None:
    """A smaller copy beside the page."""
    scale = min(1.0, WIDEST / image.shape[1])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    write_synthetic_image(PICTURES / f"{name}.jpg", small)


if __name__ == "__main__":
    main()
