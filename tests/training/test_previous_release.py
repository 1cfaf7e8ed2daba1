"""A model that the previous release saved is trained on."""

import tarfile

import pytest
from paths import TESTS

from core.formats import dfl_weights
from core.options import parse
from core.stages.models import train
from core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    with tarfile.open(TESTS / "golden" / "workspace_v1.tar.xz") as archive:
        archive.extractall(tmp_path / "w")
    return Workspace(tmp_path / "w")


def test_a_model_of_the_previous_release_goes_on(workspace):
    """The same options, seed and history; faces that were sorted, masked and partly deleted under that release."""
    before = dfl_weights.read_data(workspace.model / "v1_SAEHD_data.dat")
    report = train.run(parse(train.Options, "train", ["6", "--workers", "0"]), workspace)
    after = dfl_weights.read_data(workspace.model / "v1_SAEHD_data.dat")
    assert (before.iteration, after.iteration) == (4, 6)
    assert after.options == before.options
    assert after.loss_history[:4] == before.loss_history
    assert dict(report.rows)["iterations"] == "4 -> 6"
    assert (workspace.model / "v1_SAEHD_model.dfm").is_file()
