"""Views, thumbs, pictures, frames, edits and undo, over the routes that the page uses."""

import io
import uuid

import numpy as np
import pytest
from PIL import Image
from workbench_kit import FRAMES, NO_FACE, OTHER_PERSON, small_workspace, wait_until
from workbench_page import Page

from core import stages
from core.faceset.database.connection import open_database
from core.workbench.bench import Bench
from core.workbench.sides.table import read_table


@pytest.fixture
def page(tmp_path):
    return Page(Bench(small_workspace(tmp_path / "work", trained=False), stages, 0))


def test_a_view_has_all_faces_in_the_order_of_their_frames(page):
    head, ids, columns = page.view("dst", "columns=frame,size,yaw,status")
    assert head["count"] == head["total"] == len(set(ids)) == FRAMES
    assert list(columns["frame"]) == sorted(columns["frame"])
    assert NO_FACE - 1 not in columns["frame"] and head["words"]["status"] == ["", "kept"]
    assert np.isfinite(columns["size"]).all()


def test_filter_sort_and_group(page):
    _, ids, columns = page.view("dst", "frame=2..4&sort=-size&columns=frame,size")
    assert sorted(columns["frame"]) == [2, 3, 4] and list(columns["size"]) == sorted(columns["size"], reverse=True)
    assert page.edit("dst", {"op": "set_person", "faces": ids[:2], "person": "Anna"}).status_code == 200
    head, grouped, _ = page.view("dst", "group=person")
    assert head["groups"] == [["", FRAMES - 2], ["Anna", 2]] and set(grouped[-2:]) == set(ids[:2])
    assert page.view("dst", "person=Anna&person=Nobody")[0]["count"] == 2


@pytest.mark.parametrize("query", ["sort=sharpnes", "size=big", "nothing=1", "columns=frame,secret", "group=x"])
def test_a_query_that_makes_no_sense_is_explained(page, query):
    answer = page.get(f"dst/view?{query}")
    assert answer.status_code == 422 and answer.json()["error"]["hint"]


def test_an_unchanged_view_is_not_sent_again(page):
    first = page.get("src/view")
    tag = {"if-none-match": first.headers["etag"]}
    assert page.client.get("/api/v1/src/view", headers=tag).status_code == 304
    page.edit("src", {"op": "set_mark", "faces": page.view("src")[1][:1], "mark": "keep"})
    assert page.client.get("/api/v1/src/view", headers=tag).status_code == 200


def test_thumbs_come_in_one_answer(page):
    ids = page.view("src")[1]
    asked = [ids[0], "0" * 16, ids[1]]
    for _ in range(2):  # made, then kept
        data = page.get(f"src/thumbs?ids={','.join(asked)}").content
        count, *lengths = np.frombuffer(data, "<u4", 4)
        assert count == 3 and lengths[1] == 0 and len(data) == 16 + sum(lengths)
        assert Image.open(io.BytesIO(data[16 : 16 + lengths[0]])).size == (96, 96)


def test_all_thumbs_are_made_behind_the_scenes(page):
    assert np.isnan(page.view("src", "columns=color")[2]["color"]).all()
    with page.bench:
        page.view("src")
        wait_until(lambda: np.isfinite(page.view("src", "columns=color")[2]["color"]).all())
    color = int(page.view("src", "columns=color")[2]["color"][0])
    thumb = page.get(f"src/thumbs?ids={page.view('src')[1][0]}").content[8:]
    mean = np.asarray(Image.open(io.BytesIO(thumb))).mean(axis=(0, 1))
    assert np.abs(mean - (color >> 16, color >> 8 & 255, color & 255)).max() < 4


@pytest.mark.parametrize("count", [0, 513])
def test_so_many_thumbs_are_refused(page, count):
    assert page.get(f"src/thumbs?ids={','.join(['0' * 16] * count)}").status_code == 422


def test_pictures_of_faces_and_frames(page):
    face = page.view("dst")[1][0]
    answer = page.get(f"dst/face/{face}.jpg")
    assert Image.open(io.BytesIO(answer.content)).size == (96, 96)
    again = page.client.get(f"/api/v1/dst/face/{face}.jpg", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    full, small = (Image.open(io.BytesIO(page.get(f"dst/frame/0.jpg{query}").content)) for query in ("", "?w=100"))
    assert small.width == 100 and full.width > 400
    assert page.json("dst/frames")["names"][0] == "00001.png"


@pytest.mark.parametrize(
    "path", ["dst/frame/9999.jpg", "dst/face/0000000000000000.jpg", "other/faces", "dst/face/..%2f..%2fx.jpg"]
)
def test_what_is_not_there(page, path):
    assert page.get(path).status_code == 404


@pytest.mark.parametrize("path", ["dst/frame/-1.jpg", "dst/frame/x.jpg", "dst/frame/0.jpg?w=99999"])
def test_what_makes_no_sense(page, path):
    assert page.get(path).status_code in (404, 422)


def marks(page, side="dst"):
    head, ids, columns = page.view(side, "columns=mark,status")
    words, status = head["words"]["mark"], head["words"]["status"]
    return {
        face: (words[int(mark)], status[int(state)])
        for face, mark, state in zip(ids, columns["mark"], columns["status"], strict=True)
    }


def test_marks_are_carried_out_and_taken_back(page, tmp_path):
    ids = page.view("dst", f"frame={OTHER_PERSON - 1}")[1] + page.view("dst", "frame=0")[1]
    revision = page.json("state")["revisions"]["dst"]
    answer = page.edit("dst", {"op": "set_mark", "faces": ids, "mark": "trash"}, base=revision)
    assert answer.json()["faces"] == 2 and answer.json()["revision"] != revision
    assert all(marks(page)[face] == ("trash", "kept") for face in ids)
    aligned, trash = (tmp_path / "work/data_dst" / name for name in ("aligned", "aligned_trash"))
    before = {path.name for path in aligned.iterdir()}
    assert page.post("dst/apply").json()["faces"] == 2
    assert all(marks(page)[face] == ("", "dropped") for face in ids)
    assert len(before) - len(list(aligned.iterdir())) == 2 == len(list(trash.glob("*.jpg")))
    undone = page.post("dst/undo").json()
    assert undone["tool"] == "apply marks" and undone["face"] in ids and undone["frame"].endswith(".png")
    assert {path.name for path in aligned.iterdir()} == before
    assert all(marks(page)[face] == ("trash", "kept") for face in ids)
    page.post("dst/undo")
    assert set(marks(page).values()) == {("", "kept")}
    assert page.post("dst/undo").status_code == 400
    page.post("dst/redo")
    assert all(marks(page)[face][0] == "trash" for face in ids)


def test_a_request_that_comes_twice_is_carried_out_once(page):
    ids = page.view("src")[1][:3]
    body = {"id": str(uuid.uuid4()), "operations": [{"op": "set_mark", "faces": ids, "mark": "unsure"}]}
    first, second = (page.post("src/edits", body).json() for _ in range(2))
    assert not first["repeated"] and second["repeated"] and first["change"] == second["change"]
    assert len(page.json("src/history")) == 1


def test_a_request_for_an_older_state_is_a_conflict(page):
    ids, old = page.view("src")[1][:1], page.json("state")["revisions"]["src"]
    page.edit("src", {"op": "set_mark", "faces": ids, "mark": "keep"})
    assert page.edit("src", {"op": "set_mark", "faces": ids, "mark": "trash"}, base=old).status_code == 409
    assert marks(page, "src")[ids[0]][0] == "keep"


def test_all_operations_of_a_request_or_none(page):
    ids = page.view("src")[1][:1]
    unknown = {"op": "set_person", "faces": ["f" * 16], "person": "Bob"}
    assert page.edit("src", {"op": "set_mark", "faces": ids, "mark": "keep"}, unknown).status_code == 404
    assert marks(page, "src")[ids[0]][0] == "" and page.json("src/history") == []


def test_a_side_that_a_stage_works_on_is_read_only(page, tmp_path):
    ids = page.view("src")[1][:1]
    from core.workspace import Workspace

    with Workspace(tmp_path / "work").side("src").locked():
        answer = page.edit("src", {"op": "set_mark", "faces": ids, "mark": "keep"})
    assert answer.status_code == 409 and "using the src side" in answer.json()["error"]["what"]
    assert page.edit("src", {"op": "set_mark", "faces": ids, "mark": "keep"}).status_code == 200


@pytest.mark.parametrize(
    "operation",
    [
        {},
        {"op": "set_mark"},
        {"op": "set_mark", "faces": [], "mark": "keep"},
        {"op": "set_mark", "faces": ["../../x"], "mark": "keep"},
        {"op": "set_mark", "faces": ["0" * 16], "mark": "burn"},
        {"op": "set_mark", "faces": ["0" * 16], "mark": "keep", "more": 1},
        {"op": "set_person", "faces": ["0" * 16], "person": "a/b"},
        {"op": "set_person", "faces": ["0" * 16], "person": "x" * 500},
        {"op": "drop_table"},
    ],
)
def test_operations_that_there_are_not(page, operation):
    assert page.edit("src", operation).status_code == 422


def contents(table):
    """All that a table says, face by face."""
    words = {name: [known[code] for code in codes] for name, (codes, known) in table.words.items()}
    numbers = {name: column.tolist() for name, column in table.numbers.items()}
    pictures = [table.pictures.get(f"{int(number):016x}") for number in table.ids]
    return repr((table.ids.tolist(), words, numbers, table.geometry.tolist(), pictures))


def test_a_table_that_follows_changes_is_the_same_as_one_read_anew(page):
    """A walk of changes, undoing and redoing; the states of before come back."""
    random = np.random.default_rng(3)
    side = page.bench.sides["dst"]
    seen = [contents(side.table()[1])]
    for step in range(30):
        ids = page.view("dst")[1]
        some = [ids[place] for place in random.choice(len(ids), 3, replace=False)]
        what = random.choice(["mark", "person", "undo", "undo", "redo", "apply"])
        if what == "mark":
            mark = str(random.choice(["", "keep", "trash", "unsure"]))
            page.edit("dst", {"op": "set_mark", "faces": some, "mark": mark})
        elif what == "person":
            page.edit("dst", {"op": "set_person", "faces": some, "person": f"P{step}"})
        else:
            page.post(f"dst/{what}")
        now = contents(side.table()[1])
        with open_database(side.side.database) as connection:
            assert contents(read_table(connection)) == now
        if what == "undo":
            assert now in seen
        seen.append(now)
