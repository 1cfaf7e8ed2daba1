"""A target film of two shots with the faces of two persons and a model, made without networks."""

from pathlib import Path

import numpy as np
from films import EVEN, make_film
from found_faces import SETTINGS, face_at
from tiny_dfm import write_dfm

from core.faceset.database import extraction, faces
from core.faceset.database.connection import open_database
from core.faceset.database.faces import FaceRow
from core.faceset.database.frames import FrameRow
from core.workspace import Workspace

SIZE = (320, 200)
FRAMES = len(EVEN)
NO_FACE, TWO_FACES, CUT = 4, 6, 9  # numbers of frames; the second shot begins at the cut


def merge_workspace(root: Path, *, model: bool = True) -> Workspace:
    """Ann is on the left of every frame but one, Bob on the right of one. The model inverts what it sees."""
    workspace = Workspace(root).create()
    make_film(workspace.root / "data_dst.mp4", size=SIZE)
    if model:
        write_dfm(workspace.model / "swap_SAEHD_model.dfm", inverts=True)
    with open_database(workspace.side("dst").database, create=True) as connection:
        extraction.write_settings(connection, SETTINGS | {"source": {}, "from_video": True})
        faces.add(connection, [_frame(number) for number in range(1, FRAMES + 1)])
    return workspace


def _frame(number: int) -> tuple[FrameRow, list[FaceRow]]:
    name = f"{number:05d}.png"
    found = [] if number == NO_FACE else [face_at(name, 110 + 2 * number, person="ann")]
    if number == TWO_FACES:
        found.append(face_at(name, 250, person="bob"))
    pattern = np.random.default_rng(0 if number < CUT else 1).integers(0, 255, (8, 8, 3), np.uint8)
    return FrameRow(name, width=SIZE[0], height=SIZE[1], look=pattern.tobytes()), [FaceRow(face) for face in found]
