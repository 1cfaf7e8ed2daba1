"""Write docs/screens.md, what each step prints and draws on the built-in demo: ``python docs/make_screens.py``.

It takes about five minutes on two cores. The faces on the pictures are fictional.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.formats.provenance import write_synthetic_image  # noqa: E402
from core.imaging.codec import decode_image  # noqa: E402

PAGE, PICTURES = ROOT / "docs" / "screens.md", ROOT / "docs" / "screens"
WIDEST = 1000  # pixels
HEAD = """# What it looks like

Each step on the built-in demo, as it prints, and the pictures that it leaves. Made by `python docs/make_screens.py`; do
not edit. The two faces are fictional.
"""
# What is typed, and below it what is worth looking at then: (picture in the workspace, what it shows).
STEPS = (
    ("bash scripts/1_extract_src_video.sh", ()),
    ("bash scripts/2_extract_dst_video.sh", ()),
    ("bash scripts/3_extract_src_faces.sh", ()),
    ("bash scripts/4_extract_dst_faces.sh", ()),
    ("bash scripts/3.1_sort_src.sh --by clean", ()),
    ("bash scripts/3.1_sort_src.sh --by hist", ()),
    ("bash scripts/3.2_apply_xseg_src.sh", ()),
    ("bash scripts/5.x_mask_report_src.sh --rows 1", (("data_src/aligned_views/mask_report.jpg", "the worst masks"),)),
    ("bash scripts/3.3_pack_src.sh", ()),
    (
        "bash scripts/5_train.sh 2000 --model demo --preset quick",
        (
            ("model/preview/latest.jpg", "the preview, redrawn while it trains"),
            ("model/loss.png", "the losses"),
        ),
    ),
    ("bash scripts/5.x_model.sh list", ()),
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "workspace"
        shell('"$FORGE_PYTHON" -P -m core demo-media', workspace)
        sections = [section(command, pictures, workspace) for command, pictures in STEPS]
        shell('"$FORGE_PYTHON" -P -m core sheet --rows 2', workspace)
        sections.append(
            f"## The swap\n\n{picture(workspace / 'model/demo_SAEHD_model_sheet.jpg', 'the contact sheet')}"
        )
    PAGE.write_text("\n".join([HEAD, *sections]) + "\n")


def section(command: str, pictures: tuple[tuple[str, str], ...], workspace: Path) -> str:
    said = shell(command, workspace)
    shown = [picture(workspace / path, what) for path, what in pictures]
    return "\n".join([f"```\n$ {command}\n{said}\n```", "", *(f"{each}\n" for each in shown)])


def shell(command: str, workspace: Path) -> str:
    """What a command prints, without what is of this machine only."""
    environment = os.environ | {"WORKSPACE": str(workspace), "COLUMNS": "80"}
    done = subprocess.run(
        ["bash", "-c", f". ./env.sh && {command} 2>&1"],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    text = done.stdout.replace(str(workspace), "workspace").replace(str(ROOT), ".")
    return re.sub(r"\(?/\S*/bin/python\S*?\)?(?=\s)", "(python)", text).strip()


def picture(path: Path, what: str) -> str:
    """A smaller copy beside the page, and the line that shows it."""
    image = decode_image(path.read_bytes(), path.name)
    scale = min(1.0, WIDEST / image.shape[1])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    PICTURES.mkdir(exist_ok=True)
    target = PICTURES / f"{path.stem}.jpg"
    write_synthetic_image(target, image)
    return f"![{what}](screens/{target.name})"


if __name__ == "__main__":
    main()
