"""The options of the faces stage, each on a few tiny frames: what is written, what the database has, what is said."""

import json
import shutil

import cv2
import numpy as np
import pytest
from clips import make_clip, still
from portraits import person

from core.errors import InputError, UsageError
from core.faces import filters, wanted
from core.faceset.database import extraction, frames, images, measured
from core.faceset.database import faces as database
from core.faceset.database.connection import open_database
from core.formats import dfl_image
from core.jobs.extract.settings import model_size
from core.options import parse
from core.stages import faces
from core.stages._faces_report import bars
from core.workspace import Workspace, list_images

SMALL = ("--image-size", "96", "--embedder", "none")


@pytest.fixture
def workspace(tmp_path, portrait):
    """Three frames: a face, the same at half its size, none."""
    space = Workspace(tmp_path / "w").create()
    folder = space.side("src").frames
    small = np.full_like(portrait, 60)
    small[60:180, 60:180] = cv2.resize(portrait, (120, 120), interpolation=cv2.INTER_AREA)
    for number, image in enumerate((portrait, small, np.full_like(portrait, 70)), start=1):
        cv2.imwrite(str(folder / f"{number:05d}.png"), image)
    return space


def run(workspace, *flags, common=SMALL):
    return faces.run(parse(faces.Options, "faces", ["src", *common, *flags]), workspace)


def names(workspace):
    return [path.name for path in list_images(workspace.side("src").aligned)]


def known(workspace, status="kept"):
    with open_database(workspace.side("src").database) as connection:
        return list(database.faces(connection, status))


def recorded(workspace):
    with open_database(workspace.side("src").database) as connection:
        return extraction.read_settings(connection)


def frame_rows(workspace):
    with open_database(workspace.side("src").database) as connection:
        return {row.name: row for row in frames.frames(connection)}


def test_facts_of_frames(workspace, portrait):
    run(workspace)
    row = frame_rows(workspace)["00001.png"]
    assert (row.width, row.height, row.time) == (240, 240, None)
    look = np.frombuffer(row.look, np.uint8).reshape(8, 8, 3)
    np.testing.assert_allclose(look[2, 3], portrait[60:90, 90:120].mean(axis=(0, 1)), atol=1)


def test_defaults_record_nothing_new(workspace):
    run(workspace)
    assert not {"refeed", "filter", "filter_distance", "align_norm", "fps", "min_scale"} & set(recorded(workspace))


def test_sizes_in_per_cent_and_filtered_faces_keep_their_points(workspace):
    report = run(workspace, "--min-face-size", "30%", "--max-face-size", "90%")
    assert names(workspace) == ["00001_0.jpg"]
    (small,) = known(workspace, "filtered")
    assert small.reason == filters.SMALL and small.landmarks.shape == (68, 2)
    assert ("filtered", f"1: {filters.SMALL}") in report.rows
    assert recorded(workspace)["min_face_size"] == "30%"
    run(workspace, "--overwrite", "--max-face-size", "60")
    assert names(workspace) == ["00002_0.jpg"] and known(workspace, "filtered")[0].reason == filters.LARGE


def test_filters_can_be_set_and_switched_off(workspace):
    with pytest.raises(InputError, match="no faces") as caught:
        run(workspace, "--filter-distance", "0.1")
    assert "unlike a mean face" in caught.value.why
    run(workspace, "--filter-distance", "0.1", "--no-filter")
    assert len(names(workspace)) == 2 and recorded(workspace)["filter"] is False


def test_filtered_faces_as_files(workspace):
    run(workspace, "--min-face-size", "80", "--save-filtered")
    side = workspace.side("src")
    (folder,) = (side.frames / "aligned_filtered").iterdir()
    (path,) = list_images(folder)
    (face,) = known(workspace, "filtered")
    assert folder.name == "smaller-than-min-face-size" and path.name == f"00002_{face.id}.jpg"
    record = dfl_image.read(path)
    assert record.face_id == face.id and record.source_filename == "00002.png" and record.shape == (96, 96)
    with open_database(side.database) as connection:
        (row,) = images.images(connection, f"aligned_filtered/{folder.name}")
    assert (row.face, row.name) == (face.id, path.name)
    assert "nothing to do" in run(workspace, "--min-face-size", "80", "--save-filtered").title
    run(workspace, "--overwrite")
    assert not (side.frames / "aligned_filtered").exists() and len(names(workspace)) == 2


def test_refeed_and_realign_are_the_same_every_time(workspace, tmp_path):
    flags = ("--refeed", "2", "--realign", "--align-norm", "hist")
    run(workspace, *flags)
    points = [face.landmarks for face in known(workspace)]
    run(workspace, *flags, "--overwrite")
    for one, again in zip(points, (face.landmarks for face in known(workspace)), strict=True):
        np.testing.assert_array_equal(one, again)
    run(workspace, "--overwrite")
    assert all((one != face.landmarks).any() for one, face in zip(points, known(workspace), strict=True))


def test_rotations_by_degrees(workspace, portrait):
    folder = workspace.side("src").frames
    slanted = cv2.warpAffine(portrait, cv2.getRotationMatrix2D((120, 120), -135, 1), (240, 240))
    cv2.imwrite(str(folder / "00004.png"), slanted)
    run(workspace, "--rotations", "0,135")
    rolls = {face.frame: np.degrees(face.roll) for face in known(workspace)}
    assert abs(rolls["00001.png"]) < 20 and rolls["00004.png"] == pytest.approx(135, abs=20)
    with pytest.raises(UsageError, match="degrees"):
        run(workspace, "--rotations", "sideways", "--overwrite")
    assert len(names(workspace)) == 3


def test_no_file_of_a_face_that_would_be_blown_up(workspace):
    report = run(workspace, "--min-scale", "100")
    assert names(workspace) == ["00001_0.jpg"] and len(known(workspace)) == 2
    assert dict(report.rows)["without a file"].startswith("1 kept")
    again = run(workspace, "--min-scale", "100")
    assert "nothing to do" in again.title and dict(again.rows)["without a file"].startswith("1 kept")


def test_database_only(workspace):
    report = run(workspace, "--no-faces")
    assert names(workspace) == [] and len(known(workspace)) == 2
    assert dict(report.rows)["faces"] == 2 and "nothing to do" in run(workspace, "--no-faces").title
    with pytest.raises(InputError, match="other options"):
        run(workspace)


def test_frames_without_a_face_are_looked_at_again(workspace):
    run(workspace, "--min-face-size", "80")
    assert names(workspace) == ["00001_0.jpg"]
    before = recorded(workspace)
    with pytest.raises(InputError, match="other options"):
        run(workspace, "--min-face-size", "20")
    report = run(workspace, "--min-face-size", "20", "--retry-empty")
    assert names(workspace) == ["00001_0.jpg", "00002_0.jpg"] and not known(workspace, "filtered")
    assert dict(report.rows)["frames"] == 3 and recorded(workspace) == before
    assert "nothing to do" in run(workspace, "--min-face-size", "80").title
    with pytest.raises(InputError, match="jpeg-quality"):
        run(workspace, "--jpeg-quality", "50", "--retry-empty")


def test_the_file_of_a_face_that_is_kept_now_leaves_the_filtered_ones(workspace):
    run(workspace, "--min-face-size", "80", "--save-filtered")
    folder = workspace.side("src").frames / "aligned_filtered" / "smaller-than-min-face-size"
    assert len(list_images(folder)) == 1
    run(workspace, "--min-face-size", "20", "--save-filtered", "--retry-empty")
    assert names(workspace) == ["00001_0.jpg", "00002_0.jpg"] and not list_images(folder)
    assert len(list(workspace.trash.iterdir())) == 1


def test_a_frame_whose_face_a_person_dropped_is_not_empty(workspace):
    run(workspace)
    with open_database(workspace.side("src").database) as connection:
        connection.execute("UPDATE faces SET status = 'dropped', reason = 'by hand'")
        connection.commit()
    run_again = pytest.raises(InputError, match="no faces")
    with run_again:
        run(workspace, "--retry-empty", "--min-face-size", "20")
    assert len(known(workspace, "dropped")) == 2


def test_overlay(workspace):
    report = run(workspace, "--overlay", "--min-face-size", "80")
    film = workspace.side("src").frames / "overlay.mp4"
    assert film in report.outputs
    video = cv2.VideoCapture(str(film))
    frames = [video.read()[1] for _ in range(3)]
    assert video.read()[0] is False and frames[0].shape == (240, 240, 3)
    blue, red = (
        np.abs(frame.astype(int) - color).sum(axis=2) < 150
        for frame, color in ((frames[0], (255, 0, 0)), (frames[1], (0, 0, 255)))
    )
    assert blue.sum() > 100 and red.sum() > 100
    assert np.abs(frames[2].astype(int) - 70).max() < 12
    # It lies among the frames and is none.
    again = run(workspace, "--min-face-size", "80")
    assert "left out, no frames" not in dict(again.rows)


@pytest.mark.parametrize(
    ("text", "size"), [("448:face", 598), ("448:legacy", 748), ("96:wf", 96), ("96:head", 96), ("97:whole_face", 98)]
)
def test_the_size_for_a_model(text, size):
    assert model_size(text) == size


def test_the_size_for_a_model_is_used_and_said(workspace):
    report = run(workspace, "--for-model", "96:face", common=("--embedder", "none"))
    assert dfl_image.read(workspace.side("src").aligned / "00001_0.jpg").shape == (128, 128)
    assert "three quarters" in dict(report.rows)["image size"]


@pytest.mark.parametrize(
    "flags",
    [
        ("--for-model", "448"),
        ("--for-model", "448:nose"),
        ("--for-model", "448:wf", "--image-size", "96"),
        ("--min-face-size", "big"),
        ("--every", "2", "--fps", "2"),
        ("--source", "a.mp4", "--from-video"),
        ("--batch", "x", "--source", "a.mp4"),
        ("--no-faces", "--save-filtered"),
        ("--no-faces", "--mask", "whole"),
    ],
)
def test_what_does_not_fit_together(flags):
    with pytest.raises(UsageError):
        parse(faces.Options, "faces", ["src", *flags])


def test_a_film_by_time(workspace, portrait, tmp_path):
    cv2.imwrite(str(tmp_path / "p.png"), portrait)
    make_clip(workspace.root / "data_src.mp4", *still(tmp_path / "p.png", 2), "-pix_fmt", "yuv420p")
    run(workspace, "--from-video", "--fps", "1")
    assert names(workspace) == ["00001_0.jpg", "00006_0.jpg"]
    assert [row.time for row in frame_rows(workspace).values()] == pytest.approx([0, 1])
    assert "nothing to do" in run(workspace, "--from-video", "--fps", "1").title
    with pytest.raises(InputError, match="not known when"):
        run(workspace, "--fps", "1", "--overwrite")


def test_several_sources(workspace, portrait, tmp_path):
    cv2.imwrite(str(tmp_path / "p.png"), portrait)
    film = make_clip(tmp_path / "night.mp4", *still(tmp_path / "p.png", 0.4), "-pix_fmt", "yuv420p")
    other = tmp_path / "day"
    shutil.copytree(workspace.side("src").frames, other, ignore=shutil.ignore_patterns("aligned"))
    flags = ("--source", f"{film},{other}")
    run(workspace, *flags)
    expected = ["day_00001_0.jpg", "day_00002_0.jpg", "night_00001_0.jpg", "night_00002_0.jpg"]
    assert names(workspace) == expected
    assert dfl_image.read(workspace.side("src").aligned / expected[0]).source_filename == "day_00001.png"
    with open_database(workspace.side("src").database) as connection:
        sources = list(connection.execute("SELECT path, kind, fps FROM sources ORDER BY kind"))
        count = connection.execute("SELECT COUNT(*) FROM frames JOIN sources USING (source) WHERE kind = 'film'")
        assert count.fetchone()[0] == 2
    assert sources == [("../../night.mp4", "film", pytest.approx(5)), ("../../day", "frames", None)]
    assert frame_rows(workspace)["night_00002.png"].time == pytest.approx(0.2)
    assert "nothing to do" in run(workspace, *flags).title
    with pytest.raises(InputError, match="night.mp4 .* -> "):
        try:
            run(workspace, "--source", str(other))
        except InputError as error:
            raise InputError(error.why) from None


def people(tmp_path, portrait):
    folder = tmp_path / "people"
    folder.mkdir()
    cv2.imwrite(str(folder / "she.png"), np.ascontiguousarray(portrait[:, ::-1]))
    return folder


def test_wanted_and_unwanted_people(workspace, portrait, tmp_path):
    folder = people(tmp_path, portrait)
    flags = ("--keep-id", str(folder), "--min-face-size", "20")
    report = run(workspace, *flags, common=SMALL[:2])
    assert len(names(workspace)) == 2
    facts = dict(report.rows)
    assert facts["pictures of wanted people"] == 1 and facts["likeness to wanted"].startswith("2 faces")
    (folder / "she.png").rename(folder / "other name.png")
    again = run(workspace, *flags, common=SMALL[:2])
    assert "nothing to do" in again.title and "likeness to wanted" in dict(again.rows)
    cv2.imwrite(str(workspace.side("src").frames / "00004.png"), person(1)[0])
    run(workspace, "--drop-id", str(folder), "--overwrite", common=SMALL[:2])
    dropped, _ = known(workspace, "filtered")
    assert dropped.reason == wanted.UNWANTED and names(workspace) == ["00004_0.jpg"]
    with open_database(workspace.side("src").database) as connection:
        assert dropped.id in measured.vectors(connection, "sface")
        assert measured.scores(connection, "likeness_unwanted")[dropped.id] > 0.9
    with pytest.raises(InputError, match="no faces") as caught:
        run(workspace, "--keep-id", str(folder), "--overwrite", "--id-threshold", "0.99", common=SMALL[:2])
    assert "likeness to wanted: 0.17 to 0.97" in caught.value.why and "--id-threshold" in caught.value.hint
    run(workspace, "--overwrite")
    with pytest.raises(UsageError, match="embedder"):
        run(workspace, "--keep-id", str(folder), "--overwrite")
    assert len(names(workspace)) == 3


def test_bars():
    lines = bars([0.01, 0.02, 0.31, 0.32, 0.33, 0.34, 0.52], 0.3)
    assert [line.split()[0] for line in lines] == [f"{value:.2f}" for value in np.arange(0, 0.51, 0.05)]
    assert lines[0] == " 0.00 #################### 2"
    assert lines[6] == f" 0.30 {'#' * 40} 4 < threshold" and lines[1].split() == ["0.05", "0"]
    assert bars([-0.12], 0.3) == [f"-0.15 {'#' * 40} 1"]


def test_masks_one_after_the_other(workspace, tmp_path, monkeypatch):
    report = run(workspace, "--mask", "components,whole")
    facts = dict(report.rows)
    assert facts["masks by components"] == "2 new, 0 up to date before" == facts["masks by whole"]
    assert facts["stored in the face files"].startswith("the masks of whole")
    assert dfl_image.read(workspace.side("src").aligned / "00001_0.jpg").xseg_mask
    monkeypatch.setenv("FORGE_ASSETS", str(tmp_path / "none"))
    with pytest.raises(InputError):
        run(workspace, "--mask", "xseg", "--overwrite")
    assert len(names(workspace)) == 2


def test_batch(workspace, portrait, tmp_path):
    sources = tmp_path / "sources"
    (sources / "dark").mkdir(parents=True)
    (sources / "she").mkdir()
    cv2.imwrite(str(sources / "dark" / "1.png"), np.full((100, 100, 3), 7, np.uint8))
    cv2.imwrite(str(sources / "she" / "1.png"), portrait)
    make_clip(sources / "film.mp4", *still(sources / "she" / "1.png", 0.4), "-pix_fmt", "yuv420p")
    with pytest.raises(InputError, match="1 of 3 jobs failed") as caught:
        run(workspace, "--batch", str(sources))
    assert "film: exit 0: 2 frames, 2 faces" in caught.value.why and "dark: exit 3: no faces" in caught.value.why
    place = Workspace(workspace.root / "batch" / "film")
    assert names(place) == ["00001_0.jpg", "00002_0.jpg"]
    report = json.loads((workspace.root / "batch" / "report.json").read_text())
    assert {job["name"]: job["exit"] for job in report["jobs"]} == {"dark": 3, "film": 0, "she": 0}
    assert "nothing to do" in run(place, "--from-video").title
    shutil.rmtree(sources / "dark")
    done = run(workspace, "--batch", str(sources))
    assert dict(done.rows) == {"film": "exit 0: 2 frames, 2 faces", "she": "exit 0: 1 frames, 1 faces"}
