"""What the screen of the faces asks the server: computing, likeness, poses, all about one face."""

import json

import numpy as np
import pytest
from workbench_kit import FAULTS, FRAMES, small_workspace, wait_until
from workbench_page import Page, with_vectors

from core import stages
from core.faceset.database import measured
from core.faceset.database.connection import open_database
from core.faceset.scores.persons import EMBEDDER
from core.faceset.sorting.methods import METHODS
from core.jobs.faceset.clean import review
from core.jobs.faceset.sort import preview
from core.workbench.bench import Bench


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    workspace = small_workspace(tmp_path_factory.mktemp("bench") / "work", trained=False)
    for name in ("src", "dst"):
        with_vectors(workspace.side(name))
    return workspace


@pytest.fixture(scope="module")
def page(workspace):
    return Page(Bench(workspace, stages, 0))


def compute(page, side, what, **more):
    """Let something be computed, and wait for it."""
    page.post(f"{side}/computing", {"what": what, **more})
    wait_until(lambda: not page.json(f"{side}/computing")["now"], 60)
    assert what in page.json(f"{side}/computing")["there"]
    assert page.post(f"{side}/computing", {"what": what}).json()["there"] == (what != "by.best")


@pytest.mark.parametrize("method", ["blur", "hist", "best", "origname"])
def test_the_order_of_a_sort_method_is_that_of_the_sort_stage(page, workspace, method):
    compute(page, "dst", f"by.{method}")
    order = preview(workspace, "dst", method).order
    _, ids, columns = page.view("dst", f"sort=by.{method}&columns=by.{method}")
    names = [page.json(f"dst/faces/{face}")["picture"]["name"] for face in ids]
    assert names[: len(order.names)] == list(order.names)
    assert np.isnan(columns[f"by.{method}"]).sum() == len(order.rejected)


def test_every_method_is_offered(page):
    assert [method["name"] for method in page.json("sorting")["methods"]] == [method.name for method in METHODS]


def test_the_verdicts_are_those_of_cleaning(page, workspace):
    compute(page, "dst", "clean")
    found = review(workspace, "dst")
    head, ids, _ = page.view("dst", "verdicts=1..&group=verdict")
    assert head["count"] == len(found.verdicts.found) > 0
    said = {about["picture"]["name"]: about["verdicts"] for about in (page.json(f"dst/faces/{face}") for face in ids)}
    assert {name: [one["verdict"] for one in verdicts] for name, verdicts in said.items()} == {
        found.names[place]: list(scores) for place, scores in found.verdicts.found.items()
    }
    upside_down = page.view("dst", "verdict.misaligned=..&columns=frame")
    fault = next(number for number, kind in FAULTS.items() if kind == "upside down")
    assert fault - 1 in upside_down[2]["frame"]


def rejection(face, *verdicts, rejected=True):
    return {"op": "reject_verdicts", "faces": [face], "verdicts": list(verdicts), "rejected": rejected}


def test_a_rejected_verdict_is_not_proposed_again(tmp_path):
    workspace = small_workspace(tmp_path / "work", trained=False)
    page = Page(Bench(workspace, stages, 0))
    compute(page, "dst", "clean")
    before = page.json("dst/verdicts")
    (face,) = page.view("dst", "verdict.obstructed=..")[1]
    name = page.json(f"dst/faces/{face}")["picture"]["name"]
    assert name in review(workspace, "dst").rejected
    assert page.edit("dst", rejection(face, "obstructed")).status_code == 200

    def kept_anyway(page):
        counts = page.json("dst/verdicts")["obstructed"]
        _, ids, columns = page.view("dst", "rejected.obstructed=..&columns=rejected.obstructed,verdicts,verdict")
        assert page.view("dst", "verdict.obstructed=..")[1] == [] and page.view("dst", "rejected=obstructed")[1] == ids
        assert columns["verdicts"] == [0] and columns["verdict"] == [0] and columns["rejected.obstructed"] > 0.15
        said = page.json(f"dst/faces/{face}")["verdicts"]
        return ids == [face] and counts == {"all": 0, "open": 0, "rejected": 1} and said[0]["rejected"]

    assert kept_anyway(page)
    again = Page(Bench(workspace, stages, 0))
    compute(again, "dst", "clean")
    assert kept_anyway(again)
    assert name not in review(workspace, "dst").rejected
    assert again.post("dst/undo").status_code == 200
    assert again.json("dst/verdicts") == before and name in review(workspace, "dst").rejected
    assert again.post("dst/redo").status_code == 200
    assert kept_anyway(again)
    again.edit("dst", rejection(face, "obstructed", rejected=False))
    assert again.json("dst/verdicts") == before


def test_a_face_is_still_proposed_for_another_reason(tmp_path):
    page = Page(Bench(small_workspace(tmp_path / "work", trained=False), stages, 0))
    compute(page, "dst", "clean")
    face = page.view("dst", "verdicts=2..")[1][0]
    first, *others = [one["verdict"] for one in page.json(f"dst/faces/{face}")["verdicts"]]
    page.edit("dst", rejection(face, first))
    head, ids, columns = page.view("dst", "verdicts=1..&columns=verdict,verdicts")
    words = head["words"]["verdict"]
    assert words[int(columns["verdict"][ids.index(face)])] in others
    assert columns["verdicts"][ids.index(face)] == len(others) > 0


@pytest.mark.parametrize("verdicts", [[], ["ugly"], ["blurred"] * 12])
def test_only_verdicts_are_rejected(page, verdicts):
    face = page.view("dst")[1][0]
    assert page.edit("dst", rejection(face, *verdicts)).status_code == 422


def test_poses_of_both_sides_and_what_is_lacking(page):
    compute(page, "src", "clean")
    compute(page, "dst", "clean")
    said = page.json("poses")
    assert np.sum(said["sides"]["dst"]["counts"]) == FRAMES and said["sides"]["src"]["unknown"] == 0
    edges = np.radians(said["edges"])
    row, column = np.argwhere(np.array(said["sides"]["dst"]["counts"]))[0]
    yaw = f"{edges[column]:.4f}..{edges[column + 1]:.4f}"
    pitch = f"{edges[-2 - row]:.4f}..{edges[-1 - row]:.4f}"
    assert page.view("dst", f"yaw={yaw}&pitch={pitch}")[0]["count"] == said["sides"]["dst"]["counts"][row][column]


def similar(page, face):
    data = page.post("src/similar", {"faces": [face]}).content
    length = int.from_bytes(data[:4], "little")
    head, start = json.loads(data[4 : 4 + length]), 4 + length
    ids = [f"{number:016x}" for number in np.frombuffer(data, "<u8", head["count"], start)]
    return head, ids, np.frombuffer(data, "<f4", offset=start + 8 * head["count"])


def test_alike_faces_are_found(page, workspace):
    ids = with_vectors(workspace.side("src"), without=0)
    head, found, cosines = similar(page, ids[0])
    assert found == ids[::2] and (cosines > 0.99).all() and head["unknown"] == 0
    assert sorted(page.view("src", f"like.{ids[1]}=0.9..")[1]) == sorted(ids[1::2])


def test_who_has_no_vector_gets_one_when_it_is_asked_for(tmp_path):
    page = Page(Bench(small_workspace(tmp_path / "work", trained=False), stages, 0))
    face = page.view("src")[1][0]
    assert similar(page, face)[0]["unknown"] == FRAMES and page.view("src", f"like.{face}=0.2..")[1] == []
    compute(page, "src", "identity")
    head, ids, cosines = similar(page, face)
    assert head["unknown"] == 0 and len(ids) == FRAMES and cosines[0] > 0.99


def test_all_about_a_face(tmp_path):
    page = Page(Bench(small_workspace(tmp_path / "work", trained=False), stages, 0))
    face = page.view("dst")[1][3]
    page.edit("dst", {"op": "set_mark", "faces": [face], "mark": "trash"})
    page.post("dst/apply")
    about = page.json(f"dst/faces/{face}")
    assert about["picture"]["folder"] == "aligned_trash" and about["words"]["status"] == "dropped"
    assert [change["tool"] for change in about["changes"]] == ["apply marks", "marked in the workbench"]
    assert [name["why"].split(":")[0] for name in about["names"]] == ["now", "before"]
    assert len(about["points"]) == 68 and len(about["box"]) == 4 and about["box"] in about["others"]


@pytest.mark.parametrize("path", ["dst/faces/../../x", f"dst/faces/{'f' * 16}", "dst/faces/" + "g" * 16, "x/computing"])
def test_what_there_is_not(page, path):
    assert page.get(path).status_code == 404


@pytest.mark.parametrize("body", [{}, {"what": "by.magic"}, {"what": "clean", "count": 0}, {"what": "../x"}])
def test_nothing_else_is_computed(page, body):
    assert page.post("dst/computing", body).status_code == 422


def test_who_looks_while_a_change_is_made_sees_what_was_before(tmp_path, monkeypatch):
    bench = Bench(small_workspace(tmp_path / "work", trained=False), stages, 0)
    page, side = Page(bench), bench.sides["dst"]
    face = page.view("dst")[1][0]
    monkeypatch.setattr(
        "core.workbench.sides.side_view.read_table", lambda connection: pytest.fail("all of it was read")
    )
    seen = []
    follow = side.follow
    monkeypatch.setattr(
        side, "follow", lambda *change: [seen.append(page.view("dst", "mark=keep")[1]), follow(*change)][1]
    )
    page.edit("dst", {"op": "set_mark", "faces": [face], "mark": "keep"})
    assert seen == [[]] and page.view("dst", "mark=keep")[1] == [face]


def test_vectors_of_another_length_are_no_vectors(tmp_path):
    side = small_workspace(tmp_path / "work", trained=False).side("src")
    ids = with_vectors(side, without=2)
    with open_database(side.database) as connection, connection:
        measured.note_vectors(connection, EMBEDDER, {ids[0]: np.ones(64, np.float32)})
        faces, matrix = measured.vector_matrix(connection, EMBEDDER, 128)
        known = measured.vectors(connection, EMBEDDER)
    assert faces == ids[1:-2] and matrix.shape == (len(faces), 128)
    assert all(np.array_equal(row, known[face]) for face, row in zip(faces, matrix, strict=True))


def test_what_is_computed_can_be_stopped(page):
    assert page.post("dst/computing/stop").json() == {"ok": True}
