"""``python -m core mask``."""

import pytest
from drawn_faces import write_faces
from mask_networks import write_xseg

from core.errors import CorruptFileError, InputError, UsageError
from core.options import parse
from core.stages.masks import mask, mask_report
from core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    write_faces(tmp_path / "w" / "data_src" / "aligned", 3)
    return Workspace(tmp_path / "w", tmp_path / "assets").create()


def run(workspace, *arguments):
    return mask.run(parse(mask.Options, "mask", ["src", *arguments]), workspace)


def test_without_weights_it_says_what_will_be_used(workspace):
    report = run(workspace)
    assert "3 faces have masks that are drawn from landmarks" in report.warnings[0]
    assert dict(report.rows) == {"faces": 3, "masks from hull": 3}


def test_asking_for_xseg_without_weights_is_an_error(workspace):
    with pytest.raises(InputError, match="no XSeg weights"):
        run(workspace, "--masker", "xseg")


def test_with_weights_and_again(workspace):
    write_xseg(workspace.model)
    assert dict(run(workspace).rows)["new masks"] == 3
    assert dict(run(workspace).rows)["up to date before"] == 3
    assert dict(run(workspace, "--soft", "--native-resolution").rows)["new masks"] == 3
    assert dict(run(workspace, "--remove").rows)["removed"] == 3


def test_a_report_says_that_the_network_knows_nothing_yet(workspace):
    def warnings():
        return mask_report.run(parse(mask_report.Options, "mask-report", ["src"]), workspace).warnings

    assert not warnings(), "masks drawn from landmarks are sure"
    write_xseg(workspace.model)
    run(workspace)
    assert "unsure" in warnings()[0] and "5.x_mask_labels_src.sh" in warnings()[0]


def test_landmark_masks_are_stored_on_request(workspace):
    assert dict(run(workspace, "--masker", "whole").rows)["new masks"] == 3
    report = run(workspace)
    assert dict(report.rows) == {"faces": 3, "masks from whole": 3} and "hands" in report.warnings[0]
    (workspace.root / "data_src" / "faces.db").unlink()
    assert dict(run(workspace).rows) == {"faces": 3, "masks from whole": 3}


def test_truncated_weights_are_an_error(workspace):
    path = write_xseg(workspace.model)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(CorruptFileError):
        run(workspace)


def test_contradictions_and_unknown_maskers(workspace):
    with pytest.raises(UsageError):
        run(workspace, "--remove", "--fetch")
    with pytest.raises(UsageError, match="masker"):
        run(workspace, "--masker", "magic")


def test_weights_from_the_archive_in_assets(workspace, tmp_path):
    import zipfile

    write_xseg(tmp_path / "generic", resolution=256)
    workspace.assets.mkdir()
    with zipfile.ZipFile(workspace.assets / "GenericXseg.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (tmp_path / "generic").iterdir():
            archive.write(path, path.name)
    report = dict(run(workspace).rows)
    assert report["new masks"] == 3 and report["masker"].startswith("GenericXseg.zip")
    assert not list(workspace.model.glob("XSeg*"))  # nothing is unpacked into the model folder
