"""The steps of the overview: what is there, what is missing, what comes next."""

from workbench_kit import small_workspace

from core import stages
from core.jobs.archive import archive
from core.jobs.frame_receipt import Receipt, identity, write_receipt
from core.workbench.jobs.forms import checked
from core.workbench.state import state
from core.workspace import Workspace


def steps(workspace):
    return {step["key"]: step for step in state(workspace)["steps"]}


def test_an_empty_workspace_needs_a_film_first(tmp_path):
    workspace = Workspace(tmp_path / "work", tmp_path / "assets").create()
    found = state(workspace)
    assert found["next"] == {"key": "", "said": "Bring the source film: copy it into the workspace as data_src.mp4."}
    assert all(step["lacks"] and not step["done"] for step in found["steps"])


def test_a_film_makes_the_first_step_possible(tmp_path):
    workspace = Workspace(tmp_path / "work", tmp_path / "assets").create()
    (workspace.root / "data_src.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(100))
    found = steps(workspace)
    assert not found["frames-src"]["lacks"] or "film" in found["frames-src"]["lacks"]


def test_with_faces_comes_training(tmp_path):
    workspace = small_workspace(tmp_path / "work", trained=False)
    found = state(workspace)
    assert found["next"]["key"] == "train" and found["sides"]["dst"]["faces"] == 12
    there = steps(workspace)
    assert there["faces-src"]["there"] == "12 faces" and there["faces-src"]["done"] and not there["train"]["lacks"]
    assert there["merge"]["lacks"] == "an exported model" and there["export"]["lacks"] == "a trained model"


def test_counts_follow_the_folders(tmp_path):
    workspace = small_workspace(tmp_path / "work", trained=False)
    assert steps(workspace)["faces-src"]["there"] == "12 faces"
    next(workspace.side("src").aligned.glob("*.jpg")).unlink()
    assert steps(workspace)["faces-src"]["there"] == "11 faces"


def test_an_exported_model_can_be_merged(tmp_path):
    workspace = small_workspace(tmp_path / "work")
    (workspace.model / "swap.dfm").write_bytes(b"")
    found = state(workspace)
    assert found["next"]["key"] == "merge" and found["exported"] == ["swap.dfm"] and found["models"] == ["swap_SAEHD"]


def test_a_network_for_masks_is_no_model_of_faces(tmp_path):
    workspace = small_workspace(tmp_path / "work", trained=False)
    (workspace.model / "XSeg_data.dat").write_bytes(b"")
    found = steps(workspace)
    assert not found["train"]["done"] and found["export"]["lacks"] == "a trained model"


def test_with_the_film_nothing_has_to_be_done(tmp_path):
    workspace = small_workspace(tmp_path / "work")
    (workspace.model / "swap.dfm").write_bytes(b"")
    (workspace.root / "result.mp4").write_bytes(b"")
    found = state(workspace)["next"]
    assert found["key"] == "" and found["said"].startswith("result.mp4 is made")


def test_the_form_of_every_step_begins_with_values_that_can_be(tmp_path):
    for step in state(small_workspace(tmp_path / "work"))["steps"]:
        checked(stages, step["stage"], step["values"])


def test_another_film_is_the_next_step(tmp_path):
    workspace = small_workspace(tmp_path / "work", trained=False)
    side = workspace.side("dst")
    (workspace.root / "data_dst.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(100))
    write_receipt(side.frames, Receipt(video=identity(workspace.root / "data_dst.mp4")))
    assert not steps(workspace)["frames-dst"]["note"]
    (workspace.root / "data_dst.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(200))
    found = state(workspace)
    step = next(step for step in found["steps"] if step["key"] == "frames-dst")
    assert found["next"]["key"] == "frames-dst" and step["values"] == {"side": "dst", "archive": True}
    assert step["note"].startswith("data_dst.mp4 is another film")
    checked(stages, step["stage"], step["values"])


def test_earlier_films_are_listed(tmp_path):
    workspace = small_workspace(tmp_path / "work", trained=False)
    assert state(workspace)["archives"] == {"src": [], "dst": []}
    made = archive(workspace, "src")
    assert state(workspace)["archives"]["src"] == [{"name": made.name, "video": "", "said": "12 frames, 12 faces"}]
    assert steps(workspace)["frames-src"]["there"] == ""
