"""Masks as pictures: they land on the right face at the right place, stay, and come out as they are."""

import cv2
import numpy as np
import pytest
from found_faces import face_at, frame_image, side_with

from core.errors import InputError
from core.faces.contract import MaskerRequest
from core.faceset.database import faces
from core.faceset.database.changes import changing
from core.faceset.database.connection import open_database
from core.formats import dfl_image
from core.geometry.align import transform_points
from core.imaging.codec import decode_any, encode_png
from core.imaging.masks import best_mask, mask_maker
from core.jobs.alignments.crop_plan import Again
from core.jobs.alignments.extract import extract_again
from core.jobs.masks.apply import MaskStyle, apply_masks, open_masker
from core.jobs.masks.pictures import Finish, bring_masks, write_masks
from core.workspace import Workspace, list_images

PLACES = {"00001.png": [80, 230], "00002.png": [150]}


@pytest.fixture
def workspace(tmp_path):
    made = Workspace(tmp_path / "w", tmp_path / "assets")
    side_with(made, {frame: [face_at(frame, x) for x in there] for frame, there in PLACES.items()})
    extract_again(made, "src", Again())
    return made


@pytest.fixture
def side(workspace):
    return workspace.side("src")


def record(side, name: str):
    return dfl_image.parse((side.aligned / name).read_bytes(), name, where=name)


def disc(x: float, y: float, size: tuple[int, int] = (200, 320)) -> np.ndarray:
    mask = np.zeros(size, np.uint8)
    cv2.circle(mask, (int(x), int(y)), 18, 255, -1)
    return mask


def centre_in_frame(found) -> np.ndarray:
    mask, _ = best_mask(found)
    pixels = np.argwhere(mask[..., 0] > 0.5)[:, ::-1].astype(np.float64)
    return transform_points(pixels, cv2.invertAffineTransform(found.image_to_face_mat)).mean(axis=0)


def test_pictures_that_fit_nothing_say_what_they_might_be(tmp_path, workspace, side):
    face = next(path.stem for path in list_images(side.aligned))
    with pytest.raises(InputError, match="--space face"):
        brought(tmp_path, workspace, {f"{face}.png": disc(10, 10)})
    (tmp_path / "masks" / f"{face}.png").rename(tmp_path / "masks" / "somebody.png")
    with pytest.raises(InputError, match="somebody") as refused:
        bring_masks(workspace, "src", tmp_path / "masks", "frame")
    assert "--space" not in str(refused.value)


def brought(tmp_path, workspace, pictures: dict[str, np.ndarray], space="frame"):
    folder = tmp_path / "masks"
    folder.mkdir()
    for name, mask in pictures.items():
        (folder / name).write_bytes(encode_png(mask))
    return bring_masks(workspace, "src", folder, space)


def test_a_mask_of_a_frame_lands_on_each_face_where_it_is(tmp_path, workspace, side):
    both = disc(90, 100) | disc(240, 110)
    done = brought(tmp_path, workspace, {"00001.png": both, "mask_000002.png": disc(150, 95), "other.png": both})
    assert (done.taken, done.unused, done.without, done.problems) == (3, ("other",), (), ())
    places = {"00001_0.jpg": None, "00001_1.jpg": None, "00002_0.jpg": None}
    found = {name: centre_in_frame(record(side, name)) for name in places}
    expected = sorted([(90, 100), (240, 110)])
    np.testing.assert_allclose(sorted(map(tuple, (found["00001_0.jpg"], found["00001_1.jpg"]))), expected, atol=1.5)
    np.testing.assert_allclose(found["00002_0.jpg"], (150, 95), atol=1.5)
    assert mask_maker(record(side, "00002_0.jpg").xseg_mask) == "hand"


def test_a_mask_of_another_size_is_fitted_to_the_frame(tmp_path, workspace, side):
    small = cv2.resize(disc(150, 95), (160, 100), interpolation=cv2.INTER_AREA)
    assert brought(tmp_path, workspace, {"00002.png": small}).taken == 1
    np.testing.assert_allclose(centre_in_frame(record(side, "00002_0.jpg")), (150, 95), atol=2)


def test_masks_of_faces_go_by_the_name_of_the_file(tmp_path, workspace, side):
    mask = disc(30, 40, (64, 64))
    done = brought(tmp_path, workspace, {"00001_1.png": mask, "00001_0.png": mask[:, :60]}, "face")
    assert done.taken == 1
    assert done.problems[0][0] == "00001_0.png"
    assert done.without == ("00002_0.jpg",)
    pixels = best_mask(record(side, "00001_1.jpg"))[0][..., 0]
    np.testing.assert_allclose(pixels, mask / 255)


def test_no_masker_replaces_what_a_person_brought_unasked_and_it_moves_with_the_face(tmp_path, workspace, side):
    brought(tmp_path, workspace, {"00002.png": disc(150, 95)})
    masker = open_masker(workspace, "hull", MaskerRequest())
    done = apply_masks(workspace, "src", masker, MaskStyle())
    assert (done.made, done.kept) == (2, 1)
    with open_database(side.database) as connection:
        face = next(face for face in faces.faces(connection) if face.frame == "00002.png")
        with changing(connection, "move") as change:
            change.update(face, landmarks=face.landmarks + 5)
    extract_again(workspace, "src", Again())
    np.testing.assert_allclose(centre_in_frame(record(side, "00002_0.jpg")), (150, 95), atol=1.5)
    assert apply_masks(workspace, "src", masker, MaskStyle()).kept == 3
    assert apply_masks(workspace, "src", masker, MaskStyle(), force=True).made == 3


def test_an_edit_makes_the_masks_of_networks_again(workspace, side):
    masker = open_masker(workspace, "hull", MaskerRequest())
    apply_masks(workspace, "src", masker, MaskStyle())
    with open_database(side.database) as connection:
        face = next(faces.faces(connection))
        with changing(connection, "move") as change:
            change.update(face, landmarks=face.landmarks + 5)
    extract_again(workspace, "src", Again())
    done = apply_masks(workspace, "src", masker, MaskStyle())
    assert (done.made, done.kept) == (1, 2)


def read(path) -> np.ndarray:
    return decode_any(path.read_bytes(), path)


def test_pictures_of_faces_show_face_mask_and_both(tmp_path, workspace, side):
    brought(tmp_path, workspace, {"00001_1.png": disc(30, 40, (64, 64))}, "face")
    folders = {what: write_masks(workspace, "src", what).folder for what in ("combined", "masked", "mask")}
    assert {what: len(list_images(folder)) for what, folder in folders.items()} == dict.fromkeys(folders, 3)
    alone = read(folders["mask"] / "00001_1.png")
    np.testing.assert_array_equal(alone > 127, disc(30, 40, (64, 64)) > 127)
    masked = read(folders["masked"] / "00001_1.png")
    np.testing.assert_array_equal(masked[..., 3], alone)
    combined = read(folders["combined"] / "00001_1.png")
    assert combined.shape == (66, 3 * 66, 3)
    assert (combined[1:65, 67:131][alone == 0] == 0).all()
    np.testing.assert_array_equal(combined[1:65, 1:65], masked[..., :3])


def test_pictures_of_frames_join_the_faces_in_them(tmp_path, workspace):
    brought(tmp_path, workspace, {"00001.png": disc(90, 100) | disc(240, 110), "00002.png": disc(150, 95)})
    done = write_masks(workspace, "src", "mask", full_frame=True)
    assert done.written == 2
    found = read(done.folder / "00001.png") > 127
    expected = (disc(90, 100) | disc(240, 110)) > 127
    assert (found & expected).sum() / (found | expected).sum() > 0.9
    frame = read(write_masks(workspace, "src", "combined", full_frame=True).folder / "00001.png")
    np.testing.assert_array_equal(frame[1:201, 1:321], frame_image(0))


def test_masks_can_be_cut_softened_and_grown(tmp_path, workspace):
    brought(tmp_path, workspace, {"00001_1.png": disc(30, 40, (64, 64))}, "face")
    sizes = {}
    for name, finish in (("plain", Finish()), ("grown", Finish(grow=10)), ("shrunk", Finish(grow=-10))):
        folder = write_masks(workspace, "src", "mask", finish=finish).folder
        sizes[name] = (read(folder / "00001_1.png") > 127).sum()
    assert sizes["shrunk"] < sizes["plain"] < sizes["grown"]
    soft = read(write_masks(workspace, "src", "mask", finish=Finish(blur=9)).folder / "00001_1.png")
    assert len(np.unique(soft)) > 10
    hard = read(write_masks(workspace, "src", "mask", finish=Finish(threshold=50)).folder / "00001_1.png")
    assert set(np.unique(hard)) == {0, 255}


def test_a_folder_without_pictures_is_an_error(tmp_path, workspace):
    with pytest.raises(InputError, match="no pictures"):
        bring_masks(workspace, "src", tmp_path, "frame")


def test_the_database_keeps_a_mask_of_each_masker(workspace, side):
    from core.faceset.database import frame_masks

    for name in ("hull", "components"):
        apply_masks(workspace, "src", open_masker(workspace, name, MaskerRequest()), MaskStyle())
    with open_database(side.database) as connection:
        kept = list(frame_masks.all_masks(connection))
    assert [mask.kind for _, mask in kept] == ["components_face", "hull_face"] * 3
    face, mask = kept[1]
    records = [record(side, name) for name in ("00001_0.jpg", "00001_1.jpg", "00002_0.jpg")]
    found = next(each for each in records if each.face_id == face)
    middle = transform_points([[mask.pixels().shape[0] / 2] * 2], cv2.invertAffineTransform(mask.matrix))[0]
    wanted = transform_points([[32, 32]], cv2.invertAffineTransform(found.image_to_face_mat))[0]
    np.testing.assert_allclose(middle, wanted, atol=1)
