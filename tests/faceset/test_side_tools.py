"""Checking, describing, saving and restoring metadata, resizing, recovering names."""

import numpy as np
import pytest
from facekit import face, jpeg, pixels, png, record, write_faces
from portraits import snapshot

from core.errors import CorruptFileError, InputError
from core.faceset.register import open_known
from core.formats import dfl_image
from core.geometry.align import FaceType, face_matrix, transform_points
from core.imaging.codec import encode_jpeg, encode_png, read_image
from core.imaging.masks import decode_mask, encode_mask, polygon_mask
from core.options import parse
from core.stages import face_info
from core.stages.faceset import check_faceset, pack, recover_names, resize_faceset, restore_metadata, save_metadata
from core.stages.faceset import sort as sort_stage
from core.types import Polygon
from core.workspace import Workspace


@pytest.fixture
def ws(tmp_path):
    return Workspace(tmp_path).create()


def run(stage, ws, **options):
    return stage.run(stage.Options(side="src", **options), ws)


def rows(report) -> dict:
    return dict(report.rows)


def test_check_finds_what_is_wrong(ws):
    folder = ws.side("src").aligned
    write_faces(folder, 3)
    (folder / "plain.jpg").write_bytes(jpeg())
    (folder / "cut.jpg").write_bytes(face("cut.jpg")[:-100])
    (folder / "moved.jpg").write_bytes(face("moved.jpg", landmarks=record().landmarks + 5))
    (folder / "bare.jpg").write_bytes(
        face("bare.jpg", source_landmarks=None, source_filename=None, image_to_face_mat=None)
    )
    (folder / "big.JPG").write_bytes(face("big.JPG", size=96, face_type="full_face"))
    report = run(check_faceset, ws)
    text = str(report)
    assert rows(report)["faces"] == 7
    assert rows(report)["sizes"] == "64x64: 6, 96x96: 1"
    for expected in (
        "not a face: 1 (plain.jpg)",
        "the end of the picture is missing: 1 (cut.jpg)",
        "disagree by more than 1 px: 1 (moved.jpg)",
        "no matrix: 1 (bare.jpg)",
        "does not end with .jpg: 1 (big.JPG)",
    ):
        assert expected in text


def test_check_pixels_and_packed(ws):
    paths = write_faces(ws.side("src").aligned, 2)
    run(pack, ws)
    assert rows(run(check_faceset, ws, pixels=True))["faces"] == 2
    (ws.side("src").aligned / "other.jpg").write_bytes(face("other.jpg", seed=9))
    report = run(check_faceset, ws)
    assert rows(report)["faces"] == 3
    assert any("training would refuse" in line for line in report.warnings)
    ws.side("src").pak.unlink()
    for path in [*paths, ws.side("src").aligned / "other.jpg"]:
        path.unlink()
    with pytest.raises(InputError):
        run(check_faceset, ws)


def test_a_truncated_pak_is_looked_over_as_far_as_it_goes(ws):
    write_faces(ws.side("src").aligned, 4)
    run(pack, ws, remove_originals=True)
    pak = ws.side("src").pak
    pak.write_bytes(pak.read_bytes()[:-2000])
    report = run(check_faceset, ws)
    assert rows(report)["faces"] == 3 and rows(report)["fingerprint"] == "-"
    assert any("training would refuse" in line for line in report.warnings)


def test_face_info(tmp_path, ws):
    path = tmp_path / "00007_1.jpg"
    polygons = (Polygon(True, np.float32([[1, 1], [9, 1], [9, 9]])),)
    path.write_bytes(face(path.name, polygons=polygons, xseg_mask=encode_mask(np.ones((8, 8)))))
    report = face_info.run(face_info.Options(file=path), ws)
    found = rows(report)
    assert found["picture"] == "64 x 64"
    assert found["from frame"] == "00007.png"
    assert found["polygons"].startswith("1 include (3 points)")
    assert "8 x 8 PNG" in found["mask"]
    assert "100.0 %" in found["mask"]
    (tmp_path / "plain.jpg").write_bytes(jpeg())
    with pytest.raises(InputError):
        face_info.run(face_info.Options(file=tmp_path / "plain.jpg"), ws)


def edit(path, image) -> None:
    """What an image editor does: write the picture anew, without the metadata."""
    path.write_bytes(encode_png(image) if path.suffix == ".png" else encode_jpeg(image, 92))


def test_metadata_comes_back_after_editing(ws):
    folder = ws.side("src").aligned
    paths = write_faces(folder, 5)
    before = [dfl_image.read(path) for path in paths]
    assert rows(run(save_metadata, ws))["faces"] == 5
    edit(paths[0], read_image(paths[0]) // 2)
    edit(paths[1], np.kron(read_image(paths[1]), np.ones((2, 2, 1), np.uint8)))
    edit(paths[2], read_image(paths[2])[:32])
    stripped = jpeg(seed=3)
    paths[3].unlink()
    (folder / "renamed.jpg").write_bytes(stripped)
    (folder / "stranger.jpg").write_bytes(jpeg(seed=40))
    report = run(restore_metadata, ws)
    assert (rows(report)["restored"], rows(report)["of these at another size"], rows(report)["not restored"]) == (
        3,
        1,
        2,
    )
    assert any("cropped" in line for line in report.warnings)
    assert np.array_equal(dfl_image.read(paths[0]).landmarks, before[0].landmarks)
    doubled = dfl_image.read(paths[1])
    assert doubled.shape == (128, 128)
    assert np.allclose(doubled.landmarks, before[1].landmarks * 2 + 0.5)
    assert np.allclose(transform_points(doubled.source_landmarks, doubled.image_to_face_mat), doubled.landmarks)
    assert np.array_equal(dfl_image.read(folder / "renamed.jpg").landmarks, before[3].landmarks)
    assert rows(run(restore_metadata, ws))["had their metadata"] == 4


@pytest.mark.parametrize(("shape", "restored"), [((10, 40), 1), ((291, 1203), 1), ((10, 46), 0), ((97, 393), 0)])
def test_metadata_of_a_picture_that_is_no_square(ws, shape, restored):
    """Of a strongly shrunk picture the rounded sides have quite another aspect."""
    path = ws.side("src").aligned / "1.jpg"
    path.write_bytes(dfl_image.embed(encode_jpeg(pixels(401)[:97]), record("1.jpg")))
    run(save_metadata, ws)
    edit(path, np.zeros((*shape, 3), np.uint8))
    assert rows(run(restore_metadata, ws))["restored"] == restored


def test_metadata_comes_back_into_another_format(ws):
    path = write_faces(ws.side("src").aligned, 1)[0]
    run(save_metadata, ws)
    other = path.with_suffix(".png")
    edit(other, read_image(path))
    path.unlink()
    assert rows(run(restore_metadata, ws))["restored"] == 1
    assert dfl_image.read(other).face_type == "whole_face"


def sort(ws, *arguments):
    return sort_stage.run(parse(sort_stage.Options, "sort", ["src", *arguments]), ws)


def by_frame(folder) -> dict:
    """Frame of each face -> its bytes and record."""
    return {
        dfl_image.read(path).source_filename: (path, dfl_image.read(path))
        for path in folder.iterdir()
        if path.is_file()
    }


@pytest.mark.parametrize("sorted_before", [False, True])
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_metadata_comes_back_after_sorting_and_editing(ws, sorted_before, suffix):
    """Saved under one name, sorted, written anew by an editor: each face gets its own metadata.

    Never that of the face which has its old name.
    """
    folder = ws.side("src").aligned
    write_faces(folder, 7)
    if sorted_before:
        sort(ws, "--by", "brightness")
    run(save_metadata, ws)
    sort(ws, "--by", "hue")
    sort(ws, "--by", "yaw")
    before = by_frame(folder)
    pictures = {}
    for frame, (path, _) in before.items():
        target = path.with_suffix(suffix)
        pictures[frame] = (
            encode_png(read_image(path) // 2) if suffix == ".png" else encode_jpeg(read_image(path) // 2, 92)
        )
        path.unlink()
        target.write_bytes(pictures[frame])
    assert rows(run(restore_metadata, ws))["restored"] == 7
    after = by_frame(folder)
    assert set(after) == set(before)
    for frame, (path, found) in after.items():
        assert np.array_equal(found.landmarks, before[frame][1].landmarks)
        assert dfl_image.image_digest(path.read_bytes()) == dfl_image.image_digest(pictures[frame])


def test_metadata_after_undo_and_of_later_files(ws):
    folder = ws.side("src").aligned
    names = [path.name for path in write_faces(folder, 3)]
    before = {name: dfl_image.read(folder / name).landmarks for name in names}
    sort(ws, "--by", "hue")
    run(save_metadata, ws)
    (folder / names[0]).write_bytes(face(names[0], seed=30))
    assert rows(run(save_metadata, ws))["faces"] == 4, (
        "a new face under a name that a sorted one had is a face of its own"
    )
    (folder / names[0]).unlink()
    sort(ws, "--undo")
    for number, name in enumerate(names):
        edit(folder / name, pixels(seed=50 + number))
    edit(folder / "00000.jpg", pixels(seed=60))
    report = run(restore_metadata, ws)
    assert (rows(report)["restored"], rows(report)["not restored"]) == (3, 1), (
        "the new file must not get what another face's name had"
    )
    assert all(np.array_equal(dfl_image.read(folder / name).landmarks, before[name]) for name in names)


def test_restore_without_saving(ws):
    write_faces(ws.side("src").aligned, 1)
    with pytest.raises(InputError):
        run(restore_metadata, ws)


def disc_face(size: int = 128, face_type: FaceType = FaceType.FULL) -> bytes:
    """A face with a white disc on the nose, the same disc as mask and as polygon."""
    made = record("00001_0.jpg", size, 0, face_type)
    y, x = np.mgrid[:size, :size]
    centre = made.landmarks[30]
    disc = ((x - centre[0]) ** 2 + (y - centre[1]) ** 2 < (size / 8) ** 2).astype(np.float32)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    outline = (centre + size / 8 * np.stack([np.cos(angles), np.sin(angles)], 1)).astype(np.float32)
    image = (disc[..., None] * 255).astype(np.uint8).repeat(3, 2)
    changed = record("00001_0.jpg", size, 0, face_type, polygons=(Polygon(True, outline),), xseg_mask=encode_mask(disc))
    return dfl_image.embed(encode_png(image), changed)


@pytest.mark.parametrize(
    ("size", "face_type"), [(256, "same"), (128, "wf"), (256, "wf"), (128, "mf"), (512, "head"), (128, "same")]
)
def test_resize_keeps_picture_mask_polygons_and_points_together(ws, size, face_type):
    path = ws.side("src").aligned / "00001_0.png"
    path.write_bytes(disc_face(200))
    run(resize_faceset, ws, size=size, face_type=face_type)
    target = ws.side("src").frames / "aligned_resized/00001_0.png"
    found, image = dfl_image.read(target), read_image(target)[..., 0] > 127
    assert found.shape == image.shape == (size, size)
    nose = np.argwhere(image).mean(0)[::-1]
    assert np.abs(nose - found.landmarks[30]).max() < 0.6
    polygon = polygon_mask(found.shape, found.polygons)[..., 0] > 0.5
    assert np.abs(np.argwhere(polygon).mean(0)[::-1] - nose).max() < 1.0
    mask = decode_mask(found.xseg_mask)[..., 0] > 0.5
    scale = size / mask.shape[0]
    assert np.abs((np.argwhere(mask).mean(0)[::-1] + 0.5) * scale - 0.5 - nose).max() < 1.0 * max(1, scale)
    assert np.allclose(transform_points(found.source_landmarks, found.image_to_face_mat), found.landmarks)
    wanted = FaceType.FULL if face_type == "same" else FaceType.parse(face_type)
    assert found.face_type == wanted.file_name
    ideal = face_matrix(found.source_landmarks, size, wanted)
    assert np.abs(transform_points(found.source_landmarks, ideal) - found.landmarks).max() < 1.0


def test_resize_resumes_and_goes_in_place(ws):
    folder = ws.side("src").aligned
    write_faces(folder, 3)
    run(resize_faceset, ws, size=128)
    report = run(resize_faceset, ws, size=128, in_place=True)
    assert rows(report)["done before"] == 3
    assert [dfl_image.read(path).shape for path in sorted(folder.glob("*.jpg"))] == [(128, 128)] * 3
    assert len(list(next(ws.trash.iterdir()).glob("*.jpg"))) == 3
    assert not (ws.side("src").frames / "aligned_resized").exists()


def test_what_has_the_size_already_is_not_encoded_again(ws):
    aligned = ws.side("src").aligned
    write_faces(aligned, 2)
    run(resize_faceset, ws, size=128, in_place=True)
    before, trash = snapshot(aligned), sorted(ws.trash.iterdir())
    report = dict(run(resize_faceset, ws, size=128, in_place=True).rows)
    assert report["resized"] == 0 and snapshot(aligned) == before and sorted(ws.trash.iterdir()) == trash
    run(resize_faceset, ws, size=128)
    assert snapshot(aligned.with_name("aligned_resized")) == before


def test_resize_in_place_needs_every_face(ws):
    folder = ws.side("src").aligned
    write_faces(folder, 2)
    (folder / "plain.jpg").write_bytes(jpeg())
    with pytest.raises(InputError, match="originals stay"):
        run(resize_faceset, ws, size=128, in_place=True)
    assert len(list(folder.glob("*.jpg"))) == 3
    (ws.side("src").frames / "aligned_resized" / "zz.jpg").write_bytes(jpeg())
    with pytest.raises(InputError, match="other pictures"):
        run(resize_faceset, ws, size=128)


def test_names_come_back(ws):
    folder = ws.side("src").aligned
    for name, frame in (
        ("00000.jpg", "00007.png"),
        ("00001.jpg", "00003.png"),
        ("00002.jpg", "00007.png"),
        ("00007_0.jpg", "00001.png"),
        ("odd.jpg", None),
    ):
        (folder / name).write_bytes(face(name, source_filename=frame))
    (folder / "00003_0.jpg").write_bytes(jpeg())
    report = run(recover_names, ws)
    assert {
        path.name: dfl_image.read(path).source_filename for path in folder.glob("*.jpg") if path.name != "00003_0.jpg"
    } == {
        "00007_0.jpg": "00007.png",
        "00007_1.jpg": "00007.png",
        "00003_1.jpg": "00003.png",
        "00001_0.jpg": "00001.png",
        "odd.jpg": None,
    }
    assert (rows(report)["renamed"], rows(report)["kept"]) == (4, 2)
    assert rows(run(recover_names, ws))["renamed"] == 0


def test_hostile_source_names(ws):
    folder = ws.side("src").aligned
    (folder / "a.jpg").write_bytes(face("a.jpg", source_filename="../../../tmp/x.png"))
    run(recover_names, ws)
    assert [path.name for path in folder.iterdir()] == ["x_0.jpg"]


def test_damaged_faces_are_told(ws):
    (ws.side("src").aligned / "x.png").write_bytes(png()[:50])
    (ws.side("src").aligned / "y.jpg").write_bytes(jpeg()[:50])
    report = run(check_faceset, ws)
    assert rows(report)["faces"] == 0
    assert len([line for line in report.warnings if line.startswith("unreadable")]) >= 1
    with pytest.raises(CorruptFileError):
        dfl_image.parse(pixels().tobytes(), "x")


DAMAGE = {
    "zeros": lambda data, at: data[:at] + bytes(60) + data[at + 60 :],
    "a lost block": lambda data, at: data[:at] + bytes(400) + data[at + 400 :],
    "noise": lambda data, at: data[:at] + np.random.default_rng(0).bytes(300) + data[at + 300 :],
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_pictures_that_are_damaged_inside_are_named(ws, kind):
    """Their ends are whole, so that every reader decodes them; look at them, and they are torn."""
    folder = ws.side("src").aligned
    (path, _) = write_faces(folder, 2, size=128)
    whole = path.read_bytes()
    path.write_bytes(DAMAGE[kind](whole, len(whole) // 2))
    report = run(check_faceset, ws, pixels=True)
    assert "damaged picture data" in str(report) or "unreadable" in str(report)
    assert path.name in str(report)
    assert "00002_0.jpg" not in str(report.warnings)


def test_a_single_bit_is_noticed_of_faces_that_were_extracted(ws):
    """No decoder complains of it; the database knows what was written."""
    side = ws.side("src")
    (path,) = write_faces(side.aligned, 1, size=128)
    data = path.read_bytes()
    with open_known(side) as known, known.connection:
        known.connection.execute("UPDATE images SET image_digest = ?", (dfl_image.image_digest(data),))
    assert "not as extracted" not in str(run(check_faceset, ws, pixels=True))
    dfl_image.update(path, xseg_mask=encode_mask(np.ones((16, 16), np.float32)))
    assert "not as extracted" not in str(run(check_faceset, ws, pixels=True)), "a mask is no damage"
    data = path.read_bytes()
    at = len(data) - 100
    path.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
    report = str(run(check_faceset, ws, pixels=True))
    assert "not as extracted: damaged, or edited: 1 (00001_0.jpg)" in report or "damaged picture data" in report
