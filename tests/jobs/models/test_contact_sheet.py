"""The contact sheet of an exported model: which faces are shown, and how the swapped one is put into the target."""

import numpy as np
import pytest
from facekit import write_faces

from core.export.dfm import build_dfm
from core.faceset.store import open_faceset
from core.imaging.codec import read_image
from core.inference.dfm import Swap, open_dfm
from core.inference.sessions import CPU_ONLY
from core.jobs.models.contact_sheet import contact_sheet, draw, swap
from core.networks import archs
from core.networks.config import ModelConfig
from core.networks.weights import initial_weights
from core.workspace import Workspace

CONFIG = ModelConfig(64, "wf", "df", 8, 8, 8, 4)


class Painter:
    """Stands for a model of 32 px that paints a face of one color; both masks are given."""

    resolution = 32

    def __init__(self, target_mask: float, face_mask: float):
        self.target_mask, self.face_mask = target_mask, face_mask

    def swap(self, faces):
        assert faces.shape == (1, 32, 32, 3) and faces.dtype == np.uint8
        mask = np.ones((1, 32, 32, 1), np.float32)
        return Swap(mask * self.target_mask, np.full((1, 32, 32, 3), 0.61, np.float32), mask * self.face_mask)


def test_the_face_is_put_in_where_both_masks_agree():
    face = np.full((64, 64, 3), 53, np.uint8)
    assert (swap(Painter(1, 1), face) == 156).all()
    for masks in ((0, 1), (1, 0)):
        assert (swap(Painter(*masks), face) == face).all()
    assert (swap(Painter(0.5, 1), face) == 104).all()
    # As live programs do it: both masks are multiplied.
    assert (swap(Painter(0.5, 0.5), face) == 79).all()


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


def test_rows_and_columns(tmp_path, exported):
    model = tmp_path / "model.dfm"
    model.write_bytes(exported)
    for side, count in (("src", 2), ("dst", 5)):
        write_faces(tmp_path / side, count)
    source, target = open_faceset(tmp_path / "src"), open_faceset(tmp_path / "dst")
    sheet = draw(open_dfm(model, CPU_ONLY), source, target, rows=3, size=48)
    header = sheet.shape[0] - 3 * 48
    assert sheet.shape == (header + 144, 144, 3) and sheet.dtype == np.uint8 and 0 < header < 48
    ours, theirs, swapped = (sheet[header:, column : column + 48] for column in (0, 48, 96))
    assert (ours[:48] == ours[48:96]).all()  # of two faces the first fills two of three rows
    assert len({row.tobytes() for row in np.split(theirs, 3)}) == 3
    assert (swapped != theirs).any()
