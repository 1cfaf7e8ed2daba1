"""Missing faces, and several models, are said before a framework is loaded, and only where faces are needed."""

import subprocess
import sys

import facekit
import pytest
from paths import ROOT
from training_cases import make_faceset

from core.checkpoints.model_folder import ModelFolder
from core.errors import InputError
from core.faceset.register import open_known
from core.formats import dfl_weights
from core.jobs.faceset.pack import pack_faces
from core.training.choices import Choices
from core.training.sources import sides
from core.workspace import Workspace


def saved(root, iteration, name="swap", **options):
    (root / "model").mkdir(exist_ok=True)
    with open(root / f"model/{name}_SAEHD_data.dat", "wb") as stream:
        dfl_weights.write_data(stream, dfl_weights.ModelData(iteration, options))


@pytest.mark.parametrize(
    ("models", "said"), [((), "3_extract_src_faces.sh"), (("one", "two"), "choose one with --model NAME")]
)
def test_it_is_said_before_a_framework_is_loaded(tmp_path, models, said):
    for name in models:
        saved(tmp_path, 3, name)
    code = f"""
import sys
from pathlib import Path
from core.errors import PipelineError
from core.stages.models import train
from core.workspace import Workspace
try:
    train.run(train.Options(target_iter=5), Workspace(Path({str(tmp_path)!r}), Path({str(tmp_path)!r})))
except PipelineError as error:
    assert {said!r} in str(error), error
    assert not {{'tensorflow', 'jax', 'torch', 'keras'}} & set(sys.modules), 'a framework was loaded'
else:
    raise SystemExit('no error')
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env={"PATH": "/usr/bin:/bin"})


def test_each_side_is_named_with_its_step(tmp_path):
    workspace = Workspace(tmp_path, tmp_path / "assets")
    make_faceset(tmp_path / "data_src/aligned", 1, (1, 2, 3))
    with pytest.raises(InputError, match="4_extract_dst_faces"):
        sides.require_faces_for(ModelFolder(tmp_path / "model", "swap"), Choices(), 0, workspace)
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/random_dst_face_set.zip").write_bytes(b"")
    # dst can be filled from there
    sides.require_faces_for(ModelFolder(tmp_path / "model", "swap"), Choices(), 0, workspace)


@pytest.mark.parametrize(
    ("options", "given", "target", "needed"),
    [
        ({"pretrain": True}, {}, 0, False),
        ({"pretrain": True}, {"pretrain": False}, 0, True),
        ({}, {"pretrain": True}, 0, False),
        ({}, {}, 10, False),
        ({}, {}, 11, True),
        ({}, {}, 0, True),
    ],
)
def test_only_where_they_are_needed(tmp_path, options, given, target, needed):
    saved(tmp_path, 10, **options)
    if not needed:
        sides.require_faces_for(ModelFolder(tmp_path / "model", "swap"), Choices(given), target, Workspace(tmp_path))
        return
    with pytest.raises(InputError, match="no faces"):
        sides.require_faces_for(ModelFolder(tmp_path / "model", "swap"), Choices(given), target, Workspace(tmp_path))


def test_a_pak_that_still_has_deleted_faces_is_refused(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    for name in ("src", "dst"):
        facekit.write_faces(workspace.side(name).aligned, 3)
        with open_known(workspace.side(name)):
            pass
        pack_faces(workspace, name)
    sides.require_faces(workspace)
    (workspace.side("dst").aligned / "00002_0.jpg").unlink()
    with pytest.raises(InputError, match="still in the packed faceset"):
        sides.require_faces(workspace)
