"""Names of files that are no text, very long, or differ in case only: every stage works, or names the one file."""

import os

import facekit
import pytest

from core.jobs.faceset import pack, sort
from core.jobs.faceset.check import check_faceset
from core.jobs.faceset.clean import review
from core.jobs.faceset.metadata import restore_metadata, save_metadata
from core.jobs.masks.labels import export_labels
from core.jobs.masks.report import report_masks
from core.workspace import Workspace, list_images

NAMES = {
    "no text": os.fsdecode(b"\xff\xfe_0.jpg"),
    "unpaired": "\udc80\udc81.jpg",
    "longest": "x" * 251 + ".jpg",
    "case": "00001_0.JPG",
    "line break": "a\nb.jpg",
    "backslash": "a\\b.jpg",
    "quote and dash": "-'\".jpg",
    "right to left": "\u202egpj.exe.jpg",
}


@pytest.fixture(params=NAMES)
def workspace(request, tmp_path):
    made = Workspace(tmp_path).create()
    folder = made.side("src").aligned
    facekit.write_faces(folder, 3)
    name = NAMES[request.param]
    (folder / name).write_bytes(facekit.face("odd.jpg", seed=9))
    return made


def test_every_stage_takes_odd_names(workspace):
    folder = workspace.side("src").aligned
    seen = len(list_images(folder))
    assert check_faceset(workspace, "src").findings.faces == seen
    assert len(report_masks(workspace, "src").judged) == seen
    assert save_metadata(workspace, "src").done == seen
    review(workspace, "src")
    export_labels(workspace, "src", "coco", suggest=10)
    sort.sort(workspace, "src", "hue")
    assert restore_metadata(workspace, "src").kept == seen
    sort.undo(workspace, "src")
    assert len(list_images(folder)) == seen


def test_packed_and_back(workspace):
    folder = workspace.side("src").aligned
    before = sorted(path.read_bytes() for path in list_images(folder))
    packed = pack.pack_faces(workspace, "src", remove_originals=True)
    pack.unpack_faces(workspace, "src")
    assert sorted(path.read_bytes() for path in list_images(folder)) == before
    assert packed.faces == len(before)
