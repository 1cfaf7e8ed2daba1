"""The contact sheet of an exported model: which faces are shown, and how the swapped one is put into the target."""

import numpy as np
import pytest
from facekit import write_faces
from tiny_dfm import write_dfm

from core.export.dfm import build_dfm
from core.faceset.store import open_faceset
from core.geometry.align import FaceType
from core.imaging.codec import read_image
from core.inference.dfm import open_dfm
from core.inference.sessions import CPU_ONLY
from core.jobs.models.contact_sheet import contact_sheet, draw
from core.networks import archs
from core.networks.config import ModelConfig
from core.networks.weights import initial_weights
from core.quality.swap import Judged
from core.workspace import Workspace

CONFIG = ModelConfig(64, "wf", "df", 8, 8, 8, 4)


@pytest.fixture(scope="module")
def exported():
    weights = {name: initial_weights(name, network, 1) for name, network in archs.networks(CONFIG).items()}
    return build_dfm(weights, CONFIG, {})


def test_no_face_is_shown_twice(tmp_path, exported):
    workspace = Workspace(tmp_path).create()
    (workspace.model / "model.dfm").write_bytes(exported)
    for side, count in (("src", 5), ("dst", 2)):
        write_faces(workspace.side(side).aligned, count)
    assert contact_sheet(workspace, rows=6, size=48).rows == 2
    sheet = contact_sheet(workspace, rows=1, size=48)
    assert sheet.rows == 1 and read_image(sheet.path).shape[1] == 3 * 48


def test_rows_and_columns(tmp_path):
    for side, count in (("src", 2), ("dst", 5)):
        write_faces(tmp_path / side, count)
    source, target = open_faceset(tmp_path / "src"), open_faceset(tmp_path / "dst")
    # It gives back what it sees, in other colors, so that merging has something to do.
    model = Judged(open_dfm(write_dfm(tmp_path / "copy.dfm"), CPU_ONLY), FaceType.WHOLE_FACE)
    sheet = draw(model, source, target, rows=3, size=48)
    header = sheet.shape[0] - 3 * 48
    assert sheet.shape == (header + 144, 144, 3) and sheet.dtype == np.uint8 and 0 < header < 48
    ours, theirs, swapped = (sheet[header:, column : column + 48] for column in (0, 48, 96))
    assert len({row.tobytes() for row in np.split(theirs, 3)}) == 3
    # With a model that changes nothing the swap is its target, edge and all.
    assert np.abs(swapped.astype(int) - theirs).mean() < 4
    inverted = Judged(open_dfm(write_dfm(tmp_path / "negative.dfm", inverts=True), CPU_ONLY), FaceType.WHOLE_FACE)
    other = draw(inverted, source, target, rows=3, size=48)[header:, 96:144]
    changed = np.abs(other.astype(int) - theirs).max(-1)
    assert changed[16:32, 16:32].mean() > 60 > 30 > changed[0].max()  # where the mask is, with a soft edge
