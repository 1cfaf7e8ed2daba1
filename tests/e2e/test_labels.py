"""Nothing synthetic leaves without a label: all that a full run wrote is looked at."""

import pytest
from runner import TINY, run

from core.formats.origin import signature
from core.formats.provenance import DIGITAL_SOURCE_TYPE
from core.jobs.provenance import make_key, origins, verify
from core.workspace import FRAME_SUFFIXES

pytestmark = pytest.mark.e2e

_LOOKED_AT = (*FRAME_SUFFIXES, ".mp4", ".mov", ".mkv", ".webm", ".gif", ".dfm", ".onnx")
# Frames and faces cut out of them are a person's own material.
_OWN = ("data_src", "data_dst", "aligned")
_PLOTS = ("loss.png",)  # curves, nothing that a camera could have seen


def test_every_picture_film_and_model_of_a_full_run_is_labelled(workspace, monkeypatch):
    keys = workspace.parent / "keys"
    monkeypatch.setenv("FORGE_KEYS", str(keys))
    more = {}
    if signature.is_installed():
        make_key("Ann")
        more = {"FORGE_KEYS": str(keys)}
    for script, *arguments in (
        ("scripts/5_train.sh", "3", *TINY),
        ("scripts/5.x_sheet.sh",),
        ("scripts/6_merge.sh", "--mask", "hull", "--keep-parts"),
        ("scripts/6_merge.sh", "--mask", "hull", "--output", str(workspace / "other.mkv")),
        ("scripts/6_merge.sh", "--mask", "hull", "--pictures"),
        ("scripts/6_merge.sh", "--mask", "hull", "--reverse"),
        ("scripts/6.x_compare.sh",),
    ):
        run(script, *arguments, workspace=workspace, **more)
    files = [path for path in workspace.rglob("*") if path.suffix.lower() in _LOOKED_AT and path.is_file()]
    made = [path for path in files if path.parent.name not in _OWN and path.name not in _PLOTS]
    found = {origin.path: origin.said for origin in origins(made)}
    assert [path for path, said in found.items() if DIGITAL_SOURCE_TYPE not in said.values()] == []
    names = {path.relative_to(workspace).as_posix() for path in made}
    assert {
        "result.mp4",
        "result_reverse.mp4",
        "other.mkv",
        "compare.mp4",
        "data_src.mp4",
        "model/preview/latest.jpg",
    } <= names
    assert sum(path.parent.name == "merged" for path in made) == 14
    assert sorted(path.name for path in made if path.suffix == ".dfm") == [
        "swap_SAEHD_model.dfm",
        "swap_SAEHD_reverse.dfm",
    ]
    own = [path for path in files if path.parent.name in _OWN]
    assert own and not any(origin.said for origin in origins(own))
    if signature.is_installed():
        signed = verify([workspace / "result.mp4", workspace / "compare.mp4"])
        assert all(one.signature and one.signature.valid and one.signature.known for one in signed)
