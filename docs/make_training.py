"""Draw docs/training/stages.jpg, the demo's model as it learns: ``python docs/make_training.py``.

It takes about five minutes on two cores. The figures of each stage are in benchmarks/results/demo_stages.json. The
faces are fictional.
"""

import json
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from make_screens import shell  # noqa: E402

from core.faceset.store import open_faceset  # noqa: E402
from core.formats.provenance import write_synthetic_image  # noqa: E402
from core.imaging.sheets import titled_sheet  # noqa: E402
from core.inference.sessions import CPU_ONLY  # noqa: E402
from core.jobs.merge.model import open_swapper  # noqa: E402
from core.jobs.models.quality import judge  # noqa: E402
from core.quality.faces import alike, read_faces, spread  # noqa: E402
from core.quality.swap import Judged, merged, swap_faces  # noqa: E402
from core.quality.words import way_to_source  # noqa: E402
from core.workspace import Workspace  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "demo_stages.json"
STAGES = (100, 300, 800, 1600)
TRAIN = "bash scripts/5_train.sh {} --model demo --preset quick"
ROWS, SIDE = 3, 160
COMMANDS = (
    "bash scripts/1_extract_src_video.sh",
    "bash scripts/2_extract_dst_video.sh",
    "bash scripts/3_extract_src_faces.sh --image-size 256",
    "bash scripts/4_extract_dst_faces.sh --image-size 256",
)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="stages.") as folder:
        root = Path(folder) / "workspace"
        shell('"$FORGE_PYTHON" -P -m core demo-media', root)
        for command in COMMANDS:
            shell(command, root)
        draw(Workspace(root))


def draw(workspace: Workspace) -> None:
    # As scripts/demo.sh trains it.
    precision = " --precision bfloat16" if "avx512_bf16" in Path("/proc/cpuinfo").read_text() else ""
    for stage in STAGES:
        shell(TRAIN.format(stage) + precision, workspace.root)
        shell(f'bash exportDFM.sh --model demo --output "{workspace.root}/{stage}.dfm"', workspace.root)
    ours, theirs = (open_faceset(workspace.side(name).aligned) for name in ("src", "dst"))
    source = read_faces(ours, spread(len(ours), 96))[0]
    target = read_faces(theirs, spread(len(theirs), ROWS))[0]
    columns = [("source", [alike(face, source).image for face in target]), ("target", [face.image for face in target])]
    figures = {}
    for stage in STAGES:
        path = workspace.root / f"{stage}.dfm"
        swapper = open_swapper(workspace, path, None, CPU_ONLY)
        model = Judged(swapper.dfm, swapper.face_type)
        made = swap_faces(model, target)
        columns.append(
            (f"after {stage}", [merged(model, face, one).image for face, one in zip(target, made, strict=True)])
        )
        found = judge(workspace, str(path))
        figures[stage] = {key: round(figure.mean, 4) for key, figure in found.figures.items()}
        figures[stage]["way to the source"] = round(way_to_source(found.figures, found.beside) or 0.0, 3)
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
    sheet = titled_sheet([(title, np.stack([small(image) for image in some])) for title, some in columns])
    (ROOT / "docs" / "training").mkdir(exist_ok=True)
    write_synthetic_image(ROOT / "docs" / "training" / "stages.jpg", sheet)


def small(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    main()
