"""Label files: labelme and COCO."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest

from core.errors import CorruptFileError, InputError
from core.formats import coco, labelme
from core.formats.labels import LabelledImage, is_include
from core.imaging.codec import encode_png
from core.imaging.masks import mask_iou, polygon_mask
from core.types import Polygon

FACE = Polygon(True, np.array([(10.5, 10.25), (80, 12), (85, 90.125), (8, 88)], np.float32))
HAND = Polygon(False, np.array([(30, 30), (60, 35), (40, 70)], np.float32))
PICTURE = LabelledImage("00001_0.jpg", (96, 100), (FACE, HAND))


def same(a, b):
    return (
        a.name == b.name
        and a.shape == b.shape
        and all(
            p.include == q.include and np.allclose(p.points, q.points, atol=1e-3)
            for p, q in zip(a.polygons, b.polygons, strict=True)
        )
    )


def test_labelme_there_and_back(tmp_path):
    path = tmp_path / "00001_0.json"
    path.write_text(labelme.write(PICTURE))
    assert same(labelme.read(path), PICTURE)
    raw = json.loads(path.read_text())
    assert raw["imagePath"] == "00001_0.jpg" and raw["shapes"][1]["label"] == "exclude" and raw["imageData"] is None


def test_labelme_other_shapes_and_folders(tmp_path):
    shapes = [
        {"label": "skin", "shape_type": "rectangle", "points": [[10, 20], [50, 60]]},
        {"label": "Occluder", "shape_type": "circle", "points": [[30, 40], [30, 50]]},
        {"label": "x", "shape_type": "line", "points": [[0, 0], [1, 1]]},
    ]
    path = tmp_path / "a.json"
    path.write_text(
        json.dumps({"shapes": shapes, "imagePath": "..\\aligned\\00007_0.jpg", "imageHeight": 96, "imageWidth": 96})
    )
    found = labelme.read(path)
    assert found.name == "00007_0.jpg" and [p.include for p in found.polygons] == [True, False]
    mask = polygon_mask((96, 96), found.polygons)
    assert mask[25, 15] == 1 and mask[40, 30] == 0 and mask[70, 70] == 0


def test_coco_there_and_back(tmp_path):
    path = tmp_path / "labels.json"
    other = LabelledImage("00002_0.jpg", (96, 96), (FACE,))
    path.write_text(coco.write([PICTURE, other, LabelledImage("00003_0.jpg", (96, 96), ())]))
    pictures, problems = coco.read(path)
    assert not problems and len(pictures) == 2
    assert same(pictures[0], PICTURE) and same(pictures[1], other)
    annotation = json.loads(path.read_text())["annotations"][1]
    assert annotation["category_id"] == 2 and annotation["bbox"] == [30, 30, 30, 40]
    assert annotation["area"] == pytest.approx(575)


def test_coco_run_lengths_and_what_cannot_be_read(tmp_path):
    mask = np.zeros((20, 30), int)
    mask[5:15, 8:20] = 1
    flat = mask.T.reshape(-1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [flat[-1]]]))).tolist()
    counts = np.diff([0, *edges, flat.size]).tolist()
    images = [{"id": 1, "file_name": "sub/a.jpg", "height": 20, "width": 30}]
    annotations = [
        {"image_id": 1, "category_id": 9, "segmentation": {"counts": counts, "size": [20, 30]}},
        {"image_id": 1, "category_id": 9, "segmentation": {"counts": "abc", "size": [20, 30]}},
        {"image_id": 1, "category_id": 9, "segmentation": []},
        {"image_id": 5, "segmentation": [[0, 0, 1, 1, 2, 0]]},
    ]
    path = tmp_path / "c.json"
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": [{"id": 9, "name": "head"}]})
    )
    pictures, problems = coco.read(path)
    assert len(pictures) == 1 and pictures[0].name == "a.jpg" and len(problems) == 3
    assert mask_iou(polygon_mask((20, 30), pictures[0].polygons)[..., 0], mask) > 0.98


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "{",
        '{"shapes": 3}',
        '{"shapes": [{"points": [[1, 2]], "label": "a"}]}',
        '{"shapes": [{"points": [[1, "x"], [2, 3], [3, 4]], "label": "a"}]}',
        '{"shapes": [{"points": [[1, NaN], [2, 3], [3, 4]]}]}',
    ],
)
def test_damaged_files_are_refused(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(CorruptFileError):
        labelme.read(path)
    with pytest.raises(CorruptFileError):
        coco.read(path)


def test_no_file_and_label_names(tmp_path):
    with pytest.raises(InputError):
        labelme.read(tmp_path / "none.json")
    assert all(is_include(label) for label in ("face", "", "1"))
    assert not any(is_include(label) for label in (" Exclude ", "not face"))


@pytest.mark.parametrize(
    "annotation",
    [
        {"image_id": [1], "segmentation": [[0, 0, 9, 0, 9, 9]]},
        {"image_id": {}, "segmentation": [[0, 0, 9, 0, 9, 9]]},
        {"image_id": 1, "segmentation": {"counts": [10**12], "size": [10**6, 10**6]}},
        {"image_id": 1, "segmentation": {"counts": [32767**2], "size": [32767, 32767]}},
        "text",
    ],
)
def test_hostile_annotations_are_left_out_and_named(tmp_path, annotation):
    good = {"image_id": 1, "category_id": [9], "segmentation": [[0, 0, 9, 0, 9, 9]]}
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": [2], "file_name": "b.jpg"}]
    content = {"images": images, "annotations": [annotation, good], "categories": [{"id": {}, "name": "exclude"}]}
    path = tmp_path / "c.json"
    path.write_text(json.dumps(content))
    found, problems = coco.read(path)
    assert [image.name for image in found] == ["a.jpg"] and len(problems) == 1
    assert found[0].polygons[0].include


def labelme_file(folder, *shapes, height=40, width=60):
    path = folder / "a.json"
    path.write_text(
        json.dumps({"shapes": list(shapes), "imageHeight": height, "imageWidth": width, "imagePath": "a.jpg"})
    )
    return labelme.read(path)


def painted(mask):
    return base64.b64encode(encode_png(mask)).decode()


@pytest.mark.parametrize("label", ["face", "exclude"])
@pytest.mark.parametrize("depth", [1, 255])
def test_masks_that_labelme_paints_are_read(tmp_path, label, depth):
    """Its brush and its suggestions are stored as an image of the part between two corners."""
    part = np.zeros((20, 30), np.uint8)
    part[3:17, 5:25] = depth
    shape = {"label": label, "shape_type": "mask", "points": [[10, 8], [39, 27]], "mask": painted(part)}
    expected = np.zeros((40, 60))
    expected[11:25, 15:35] = 1
    image = labelme_file(tmp_path, shape)
    assert image.remarks == ()
    assert [polygon.include for polygon in image.polygons] == [label == "face"]
    outline = polygon_mask((40, 60), tuple(replace(polygon, include=True) for polygon in image.polygons))
    assert mask_iou(outline[..., 0], expected) > 0.97


@pytest.mark.parametrize(
    "mask",
    ["", "not base64!", "aGVsbG8=", None, 7, pytest.param(base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(), id="png")],
)
def test_damaged_painted_masks_are_refused(tmp_path, mask):
    with pytest.raises(CorruptFileError):
        labelme_file(tmp_path, {"label": "face", "shape_type": "mask", "points": [[1, 1], [9, 9]], "mask": mask})


def test_what_is_not_known_is_said(tmp_path):
    triangle = {"points": [[1, 1], [9, 1], [9, 9]]}
    image = labelme_file(
        tmp_path,
        {"label": "face", "shape_type": "linestrip", "points": [[1, 1], [2, 2]]},
        {"label": "hair"} | triangle,
        {"label": "Face"} | triangle,
        {"label": "exclude"} | triangle,
        7,
    )
    assert len(image.polygons) == 3
    assert image.remarks == (
        "shape type linestrip: left out",
        "label hair: taken as face",
        "shape type unknown: left out",
    )
