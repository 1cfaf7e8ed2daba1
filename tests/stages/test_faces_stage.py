"""The faces stage: what is written, what is refused, what survives being killed."""

import os
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from clips import make_clip, stand_in, still
from jpegs import samplings

from core.errors import EnvironmentFault, InputError, UsageError
from core.faceset.database import faces as database
from core.faceset.database import frames as frames_table
from core.faceset.database import images
from core.faceset.database.connection import open_database
from core.formats import dfl_image
from core.options import parse
from core.stages import faces
from core.video import program
from core.workspace import PROJECT, Workspace, list_images

SMALL = ("--image-size", "96", "--embedder", "none")


@pytest.fixture
def workspace(tmp_path, portrait):
    """Six frames: four with a face (one of them upside down), one without, one that is corrupt."""
    space = Workspace(tmp_path / "wörk space").create()
    folder = space.side("src").frames
    for number in (1, 2, 4, 6):
        image = portrait[::-1, ::-1] if number == 4 else np.roll(portrait, number, axis=1)
        cv2.imwrite(str(folder / f"{number:05d}.png"), image)
    cv2.imwrite(str(folder / "00003.png"), np.full((240, 240, 3), 70, np.uint8))
    (folder / "00005.png").write_bytes((folder / "00001.png").read_bytes()[:3000])
    return space


def run(workspace, *flags):
    return faces.run(parse(faces.Options, "faces", ["src", *SMALL, *flags]), workspace)


def files(workspace):
    return {path.name: path.read_bytes() for path in list_images(workspace.side("src").aligned)}


def rows(workspace):
    """(frames, name of a file -> (its row, its face))"""
    with open_database(workspace.side("src").database) as connection:
        known = {face.id: face for face in database.faces(connection)}
        return list(frames_table.frames(connection)), {
            row.name: (row, known[row.face]) for row in images.images(connection)
        }


def test_faces_are_cut_recorded_and_reported(workspace):
    report = run(workspace)
    assert list(files(workspace)) == ["00001_0.jpg", "00002_0.jpg", "00004_0.jpg", "00006_0.jpg"]
    facts = dict(report.rows)
    assert (facts["frames"], facts["faces"], facts["frames without faces"]) == (6, 4, "1: 00003.png")
    assert facts["corrupt frames"] == "1: 00005.png" and "00005.png" in report.warnings[0]
    frames, found = rows(workspace)
    assert [frame.status for frame in frames] == ["done"] * 4 + ["corrupt", "done"]
    record = dfl_image.read(workspace.side("src").aligned / "00004_0.jpg")
    np.testing.assert_array_equal(record.source_landmarks, found["00004_0.jpg"][1].landmarks)
    assert record.face_id == found["00004_0.jpg"][1].id
    assert abs(found["00004_0.jpg"][1].roll) > 2.8 and abs(found["00001_0.jpg"][1].roll) < 0.3
    upright = cv2.imread(str(workspace.side("src").aligned / "00001_0.jpg")).astype(int)
    turned = cv2.imread(str(workspace.side("src").aligned / "00004_0.jpg")).astype(int)
    assert np.abs(upright - turned)[30:66, 30:66].mean() < 20  # it came out upright


def test_again_does_nothing_and_a_deleted_face_stays_deleted(workspace):
    run(workspace)
    (workspace.side("src").aligned / "00002_0.jpg").unlink()
    before = files(workspace)
    report = run(workspace)
    assert "nothing to do" in report.title
    assert dict(report.rows)["face files deleted by hand"] == "1: 00002_0.jpg"
    assert files(workspace) == before


def test_new_frames_are_added_and_an_empty_file_is_made_again(workspace, portrait):
    run(workspace)
    whole = files(workspace)
    (workspace.side("src").aligned / "00002_0.jpg").write_bytes(b"")
    cv2.imwrite(str(workspace.side("src").frames / "00007.png"), portrait)
    run(workspace)
    assert list(files(workspace)) == [*whole, "00007_0.jpg"] and files(workspace)["00002_0.jpg"] == whole["00002_0.jpg"]


def test_other_options_need_overwrite_which_keeps_the_old_ones(workspace):
    run(workspace)
    with pytest.raises(InputError, match="other options") as caught:
        run(workspace, "--jpeg-quality", "50")
    assert "jpeg-quality: 90 -> 50" in caught.value.why
    old = files(workspace)
    history = (
        workspace.side("src").frames / "aligned_history"
    )  # of a sort of the old faces: undoing it would be wrong for the new ones
    history.mkdir()
    run(workspace, "--jpeg-quality", "50", "--overwrite")
    assert len(files(workspace)) == 4 and files(workspace) != old
    assert not history.exists()
    assert {path.name.split("-", 2)[2] for path in workspace.trash.iterdir()} == {
        "aligned",
        "aligned_history",
        "faces.db",
    }


def test_overwrite_with_a_wrong_name_without_weights_or_without_frames_moves_nothing(workspace, tmp_path, monkeypatch):
    run(workspace)
    before = files(workspace)
    monkeypatch.setenv("FORGE_ASSETS", str(tmp_path / "empty"))
    with pytest.raises(InputError, match="no S3FD.npy"):
        run(workspace, "--overwrite", "--detector", "s3fd")
    assert files(workspace) == before
    with pytest.raises(UsageError, match="unknown landmarker"):
        run(workspace, "--overwrite", "--landmarker", "nonsense")
    shutil.rmtree(workspace.trash, ignore_errors=True)
    for path in list_images(workspace.side("src").frames):
        path.unlink()
    with pytest.raises(InputError, match="no frames"):
        run(workspace, "--overwrite")
    assert files(workspace) == before and not workspace.trash.exists()


def test_faces_of_unknown_origin_and_packed_ones_are_refused(workspace):
    side = workspace.side("src")
    (side.aligned / "mine.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match="not extracted here"):
        run(workspace)
    (side.aligned / "mine.jpg").unlink()
    side.pak.write_bytes(b"x")
    with pytest.raises(InputError, match="packed"):
        run(workspace)
    run(workspace, "--overwrite")
    assert len(files(workspace)) == 4


def test_no_frames_no_faces_and_unknown_plugins(workspace):
    with pytest.raises(UsageError, match="unknown detector"):
        run(workspace, "--detector", "nonsense")
    side = workspace.side("src")
    for name in ("00001.png", "00002.png", "00004.png", "00006.png"):
        (side.frames / name).unlink()
    with pytest.raises(InputError, match="no faces in 2 frames") as caught:
        run(workspace)
    assert "--detect-score" in caught.value.hint
    with pytest.raises(InputError, match="no faces"):  # other options need no --overwrite where nothing was found
        run(workspace, "--detect-score", "0.5")
    shutil.rmtree(side.frames)
    with pytest.raises(InputError, match="no frames"):
        run(workspace)


def test_two_frames_of_one_stem_are_refused(workspace, portrait):
    cv2.imwrite(str(workspace.side("src").frames / "00001.jpg"), portrait)
    with pytest.raises(InputError, match="same name but for the ending"):
        run(workspace)


def test_frames_of_one_stem_are_named_all_at_once(workspace, portrait):
    for name in ("a.png", "a.webp", "b.jpg", "b.tif"):
        cv2.imwrite(str(workspace.side("src").frames / name), portrait)
    with pytest.raises(InputError, match="same name but for the ending") as caught:
        run(workspace)
    assert "a.png and a.webp, b.jpg and b.tif" in caught.value.why


def test_pictures_of_other_formats_are_frames_and_the_rest_is_named(workspace, portrait):
    folder = workspace.side("src").frames
    for name in ("p1.webp", "p2.bmp", "p3.avif", "p4.TIF"):
        cv2.imwrite(str(folder / name), portrait)
    (folder / "p5.jfif").write_bytes(cv2.imencode(".jpg", portrait)[1])
    cv2.imwrite(str(folder / "p6.png"), portrait.astype(np.uint16) * 257)
    for name in ("p7.heic", "notes.docx", "without"):
        (folder / name).write_bytes(b"x")
    report = run(workspace)
    made = files(workspace)
    assert {f"p{number}_0.jpg" for number in range(1, 7)} <= set(made)
    assert dict(report.rows)["left out, no frames"] == "3: notes.docx, p7.heic, without"
    assert sum("convert it to png" in text for text in report.warnings) == 3


def test_only_pictures_that_cannot_be_read(tmp_path):
    space = Workspace(tmp_path).create()
    (space.side("src").frames / "a.heic").write_bytes(b"x")
    with pytest.raises(InputError, match="no frames") as caught:
        run(space)
    assert "a.heic" in caught.value.why
    assert not space.side("src").database.exists(), "an empty one would look like work that was done"


def test_names_that_are_too_long_or_no_utf8_are_named_and_the_rest_goes_on(workspace, portrait):
    folder = os.fsencode(workspace.side("src").frames)
    data = cv2.imencode(".png", portrait)[1].tobytes()
    for name in (b"\xe9t\xe9_01.png", b"a" * 250 + b".png", b"b" * 240 + b".png", "ж".encode() * 115 + b".png"):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
    report = run(workspace)
    made = files(workspace)
    assert "b" * 240 + "_0.jpg" in made and "ж" * 115 + "_0.jpg" in made and "00001_0.jpg" in made
    told = "\n".join(report.warnings)
    assert "\\xe9t\\xe9_01.png: its name is not UTF-8" in told
    assert "a" * 250 + ".png: its name is too long" in told
    assert "nothing to do" in run(workspace).title


def test_a_face_with_an_ending_that_is_not_taken_is_named(workspace, caplog):
    run(workspace)
    aligned = workspace.side("src").aligned
    shutil.copy(aligned / "00001_0.jpg", aligned / "00001_1.webp")
    run(workspace)
    assert "left out: 00001_1.webp" in caplog.text


def test_an_ffmpeg_that_is_killed_ends_the_run_and_the_next_goes_on(workspace, portrait, tmp_path, monkeypatch):
    cv2.imwrite(str(tmp_path / "p.png"), portrait)
    make_clip(workspace.root / "data_src.mp4", *still(tmp_path / "p.png", 2), "-pix_fmt", "yuv420p")
    shutil.rmtree(workspace.side("src").frames)
    die = 'case "$*" in *passthrough*) "$REAL" "$@" | head -c 600000; kill -9 $$;; *) exec "$REAL" "$@";; esac'
    monkeypatch.setenv("PATH", stand_in(tmp_path / "bin", die))
    program.forget()
    with pytest.raises(EnvironmentFault, match="SIGKILL"):
        run(workspace, "--from-video")
    monkeypatch.undo()
    program.forget()
    assert dict(run(workspace, "--from-video").rows)["faces"] == 10


def test_a_film_that_does_not_count_its_frames_is_read_once(workspace, portrait, tmp_path):
    cv2.imwrite(str(tmp_path / "p.png"), portrait)
    make_clip(workspace.root / "data_src.ts", *still(tmp_path / "p.png", 1), "-c:v", "libx264", "-pix_fmt", "yuv420p")
    shutil.rmtree(workspace.side("src").frames)
    assert dict(run(workspace, "--from-video").rows)["frames"] == 5
    assert "nothing to do" in run(workspace, "--from-video").title


def test_deinterlacing_is_for_films():
    with pytest.raises(UsageError, match="deinterlace"):
        parse(faces.Options, "faces", ["src", "--deinterlace"])


def test_every_and_max_faces_and_debug(workspace, portrait):
    cv2.imwrite(
        str(workspace.side("src").frames / "00001.png"),
        np.hstack([portrait, cv2.resize(portrait, (240, 240))[:, ::-1]]),
    )
    report = run(workspace, "--every", "5", "--max-faces", "1", "--debug")
    assert list(files(workspace)) == ["00001_0.jpg", "00006_0.jpg"]
    assert ("filtered", "1: beyond --max-faces") in report.rows
    assert [path.name for path in list_images(workspace.side("src").aligned_debug)] == ["00001.jpg", "00006.jpg"]


@pytest.mark.usefixtures("any_ffmpeg")
def test_from_video_gives_the_faces_of_its_frames(workspace, portrait, tmp_path):
    image = tmp_path / "still.png"
    cv2.imwrite(str(image), portrait)
    video = workspace.root / "data_src.mp4"
    make_clip(video, *still(image, seconds=0.8), "-pix_fmt", "yuv444p")
    shutil.rmtree(workspace.side("src").frames)
    report = run(workspace, "--from-video")
    assert list(files(workspace)) == [f"{i:05d}_0.jpg" for i in range(1, 5)]
    assert dict(report.rows)["faces"] == 4
    assert "nothing to do" in run(workspace, "--from-video").title


@pytest.mark.usefixtures("any_ffmpeg")
def test_a_truncated_video_is_said_so_once(workspace, portrait, tmp_path):
    image = tmp_path / "still.png"
    cv2.imwrite(str(image), portrait)
    video = workspace.root / "data_src.mp4"
    make_clip(video, *still(image, seconds=2), "-g", "1", "-movflags", "+faststart")
    video.write_bytes(video.read_bytes()[: int(video.stat().st_size * 0.6)])
    report = run(workspace, "--from-video")
    assert 0 < dict(report.rows)["faces"] < 10 and "truncated" in report.warnings[0]
    assert "nothing to do" in run(workspace, "--from-video").title


def test_frames_extracted_anew_are_noticed(workspace):
    run(workspace)
    (workspace.side("src").frames / ".frames.json").write_text('{"video": {"name": "other"}, "options": {}}')
    with pytest.raises(InputError, match="other options"):
        run(workspace)


def test_kill_9_then_again_gives_the_same_files_and_rows(workspace, portrait, tmp_path):
    folder = workspace.side("src").frames
    for number in range(7, 60):
        cv2.imwrite(str(folder / f"{number:05d}.png"), np.roll(portrait, number % 9, axis=1))
    other = Workspace(tmp_path / "uninterrupted").create()
    shutil.copytree(folder, other.side("src").frames, dirs_exist_ok=True)
    run(other)
    process = subprocess.Popen(
        [sys.executable, "-m", "core", "faces", "src", *SMALL],
        env=os.environ | {"WORKSPACE": str(workspace.root)},
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while (
        len(list_images(workspace.side("src").aligned)) < 40 and process.poll() is None and time.monotonic() < deadline
    ):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(rows(workspace)[0]) < 59
    run(workspace)
    assert files(workspace) == files(other)
    (frames, found), (frames_other, found_other) = rows(workspace), rows(other)
    assert frames == frames_other and found.keys() == found_other.keys()
    assert all(found[name][0].sha256 == found_other[name][0].sha256 for name in found)
    assert all(found[name][1].id == found_other[name][1].id for name in found)


def test_dfl_exact_is_the_plain_bilinear_cut_at_half_colour_resolution(workspace):
    frame = cv2.imread(str(workspace.side("src").frames / "00001.png"))
    path = workspace.side("src").aligned / "00001_0.jpg"
    apart, luma = [], []
    for flags in (("--dfl-exact",), ("--overwrite",)):
        run(workspace, *flags, "--jpeg-quality", "100")
        matrix = dfl_image.read(path).image_to_face_mat
        plain = cv2.warpAffine(frame, matrix, (96, 96), flags=cv2.INTER_LINEAR)
        grey, expected = (
            cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(int) for image in (cv2.imread(str(path)), plain)
        )
        apart.append(np.abs(grey - expected).max())
        luma.append(samplings(path.read_bytes())[0])
    assert luma == [(2, 2), (1, 1)]  # beside colors of (1, 1)
    assert apart[0] < 8 < 16 < apart[1]  # rounding of a JPEG at quality 100, and a filter instead of single samples
