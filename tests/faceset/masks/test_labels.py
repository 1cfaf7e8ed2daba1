"""Labels out and in, suggestions, and the mask report."""

import json

import numpy as np
import pytest
from drawn_faces import known_faces, landmarks, write_face, write_faces

from core.errors import InputError
from core.faceset.database.masks import MaskRow, MaskTable, checksum
from core.faceset.masks.labels import export, least_certain, read_labels, suggestion, take_in
from core.faceset.masks.report import contact_sheet, described, judge, mask_origins, table_rows
from core.faceset.packing import loose_sources
from core.faceset.store import open_faceset
from core.formats.pak_writer import write_pak
from core.imaging.landmark_masks import whole_face_mask
from core.imaging.masks import encode_mask, mask_iou, polygon_mask
from core.jobs.faceset.sort import sort as sort_faces
from core.options import parse
from core.types import Polygon
from core.workspace import Workspace

SQUARE = Polygon(True, np.array([(20, 20), (70, 20), (70, 70), (20, 70)], np.float32))


def good_mask(seed, size=96) -> bytes:
    return encode_mask((whole_face_mask((size, size), landmarks(size, seed=seed)) > 0.5).astype(np.float32))


@pytest.fixture
def aligned(tmp_path):
    folder = tmp_path / "w" / "data_src" / "aligned"
    for i in range(4):
        write_face(folder, f"{i + 1:05d}_0.jpg", seed=i, xseg_mask=good_mask(i))
    write_face(folder, "00005_0.jpg", seed=5, polygons=(SQUARE,))
    return folder


def test_a_suggestion_is_the_mask(aligned):
    for i, record in enumerate(open_faceset(aligned).records()[:4]):
        polygons = suggestion(record)
        assert polygons and sum(len(p.points) for p in polygons) < 80
        expected = whole_face_mask((96, 96), landmarks(96, seed=i)) > 0.5
        assert mask_iou(polygon_mask((96, 96), polygons), expected) > 0.97


def test_the_least_certain_come_first(aligned):
    with known_faces(aligned) as known:
        with MaskTable(known.connection) as table:
            for index, doubt in enumerate((0.02, 0.4, 0.01, 0.2)):
                mask = known.faceset.records()[index].xseg_mask
                table.add(MaskRow(known.ids[index], "x", "x 1", checksum(mask), 0.3, doubt, "g"))
        assert [index for index, _ in least_certain(known)] == [1, 3, 0, 2]
        assert [index for index, _ in least_certain(known, 2)] == [1, 3]
    write_face(aligned, "00006_0.jpg", seed=6)
    with known_faces(aligned) as known:
        assert least_certain(known)[0] == (5, float("inf"))


@pytest.mark.parametrize("form", ["labelme", "coco"])
@pytest.mark.parametrize("packed", [False, True])
def test_out_and_in_again(aligned, tmp_path, form, packed):
    if packed:
        sources = loose_sources(aligned, None)
        write_pak(aligned / "faceset.pak", sources)
        for source in sources:
            source.path.unlink()
    with known_faces(aligned) as known:
        names, problems = export(known, tmp_path / "out", range(5), form, suggest=True)
        assert len(names) == 5 and not problems
        pictures, problems = read_labels(tmp_path / "out")
        assert len(pictures) == 5 and not problems
        assert [picture.face for picture in pictures] == list(known.ids)
        done = take(known, pictures, tmp_path)
        assert (done.changed, done.same, done.kept, done.problems) == (4, 1, (), ())
        masks = [record.xseg_mask for record in known.faceset.records()]
    with known_faces(aligned) as again:
        records = again.faceset.records()
        assert all(record.polygons for record in records)
        assert [record.xseg_mask for record in records] == masks
        assert take(again, pictures, tmp_path).same == 5


def take(known, pictures, tmp_path, overwrite=False):
    return take_in(known, pictures, tmp_path / "out", overwrite=overwrite, trash=tmp_path / "trash")


@pytest.mark.parametrize("form", ["labelme", "coco"])
@pytest.mark.parametrize("keeps_ids", [True, False])
def test_labels_find_their_faces_after_a_sort(aligned, tmp_path, form, keeps_ids):
    """Each outline lands on the face that it was drawn on, whatever it is called now."""
    with known_faces(aligned) as known:
        faces = dict(zip(known.ids, known.faceset.records(), strict=True))
        export(known, tmp_path / "out", range(4), form, suggest=True)
    if not keeps_ids:  # an editor that writes only what it knows
        for path in (tmp_path / "out").glob("*.json"):
            if path.name != "faces.json":
                path.write_text(path.read_text().replace("forge_face", "somebody_elses_key"))
    sort_faces(Workspace(tmp_path / "w"), "src", "brightness")
    with known_faces(aligned) as known:
        names = {face: record.name for face, record in zip(known.ids, known.faceset.records(), strict=True)}
        assert any(names[face] != record.name for face, record in faces.items())
        assert take(known, read_labels(tmp_path / "out")[0], tmp_path).changed == 4
    with known_faces(aligned) as known:
        for face, record in zip(known.ids, known.faceset.records(), strict=True):
            if faces[face].xseg_mask is not None:
                outline = polygon_mask((96, 96), record.polygons)
                assert mask_iou(outline, polygon_mask((96, 96), suggestion(faces[face]))) > 0.99


def test_work_is_never_overwritten_unasked(aligned, tmp_path):
    path = tmp_path / "out" / "00005_0.json"
    with known_faces(aligned) as known:
        export(known, tmp_path / "out", [4], "labelme", suggest=False)
        raw = json.loads(path.read_text())
        raw["shapes"][0]["points"][0] = [5, 5]
        path.write_text(json.dumps(raw))
        _, problems = export(known, tmp_path / "out", [4], "labelme", suggest=False)
        assert "is there already" in problems[0][1]
        assert json.loads(path.read_text()) == raw
        pictures, _ = read_labels(tmp_path / "out")
        assert take(known, pictures, tmp_path).kept == ("00005_0.jpg",)
        assert take(known, pictures, tmp_path, overwrite=True).changed == 1
    assert open_faceset(aligned).records()[4].polygons[0].points[0].tolist() == [5, 5]
    saved = json.loads(next((tmp_path / "trash").glob("*labels.json")).read_text())
    assert saved["annotations"][0]["segmentation"][0][:2] == [20.0, 20.0]


def test_labels_of_other_faces_or_sizes(aligned, tmp_path):
    path = tmp_path / "out" / "00001_0.json"
    with known_faces(aligned) as known:
        export(known, tmp_path / "out", [0], "labelme", suggest=True)
        raw = json.loads(path.read_text())
        path.write_text(json.dumps(raw | {"imageWidth": 50}))
        assert "50 x 96" in take(known, read_labels(tmp_path / "out")[0], tmp_path).problems[0][1]
        path.write_text(json.dumps(raw | {"imagePath": "elsewhere.jpg", "forge_face": ""}))
        with pytest.raises(InputError, match="other faces"):
            take(known, read_labels(tmp_path / "out")[0], tmp_path)
        path.write_text(json.dumps(raw | {"forge_face": "0" * 16}))
        with pytest.raises(InputError, match="other faces"):
            take(known, read_labels(tmp_path / "out")[0], tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no label files"):
        read_labels(tmp_path / "empty")


def test_the_report_finds_the_odd_one(tmp_path):
    folder = tmp_path / "data_src" / "aligned"
    for i in range(6):
        mask = np.zeros((96, 96), np.float32)
        mask[40:50, 40:50] = 1
        write_face(folder, f"{i + 1:05d}_0.jpg", seed=1, xseg_mask=encode_mask(mask) if i == 3 else good_mask(1))
    with known_faces(folder) as known:
        judged, problems = judge(known)
        assert contact_sheet(known.faceset, judged, rows=1).shape[1] == 6 * 200
    assert not problems and judged[0].name == "00004_0.jpg" and "hull" in judged[0].quality.reason
    assert judged[1].name == "00005_0.jpg" and judged[1].quality.change > 0.5  # it jumps back
    assert all(item.quality.change < 0.1 for item in judged[2:] if not np.isnan(item.quality.change))
    rows = table_rows(judged)
    assert rows[0]["face"] == "00004_0.jpg" and json.dumps(rows)


def test_stages(aligned, tmp_path):
    from core.stages.masks import mask_labels, mask_report

    workspace = Workspace(tmp_path / "w").create()

    def labels(*arguments):
        return mask_labels.run(parse(mask_labels.Options, "mask-labels", ["src", *arguments]), workspace)

    assert len(labels().rows) == 4
    assert dict(labels("--suggest", "--count", "3").rows)["exported"] == 3
    assert dict(labels("--take", str(workspace.side("src").frames / "labels")).rows)["faces labelled"] == 3
    assert dict(labels("--export", "coco", "--folder", str(tmp_path / "c")).rows)["exported"] == 4
    report = mask_report.run(parse(mask_report.Options, "mask-report", ["src"]), workspace)
    assert dict(report.rows)["faces"] == 5 and all(path.is_file() for path in report.outputs)


def test_origins_are_those_of_the_best_mask(aligned):
    from collections import Counter

    from core.imaging.masks import best_mask

    records = open_faceset(aligned).records()
    assert mask_origins(records) == {"xseg": 4, "polygons": 1}
    assert described(mask_origins(records)) == "4 xseg, 1 polygons" and described(mask_origins([])) == "none"
    assert Counter(best_mask(record)[1] for record in records) == {"xseg": 4, "polygons": 1}


def test_many_faces(tmp_path):
    folder = tmp_path / "data_src" / "aligned"
    write_faces(folder, 8, size=64)
    with known_faces(folder) as known:
        judged, _ = judge(known)
    assert len(judged) == 8 and {item.origin for item in judged} == {"hull"}
