"""The model's face in the film: where a face is, nowhere else, at the right time, and labelled."""

import multiprocessing
import os
import signal
import sqlite3
from dataclasses import replace

import cv2
import numpy as np
import pytest
from films import EVEN, UNEVEN, make_film, packets, shown
from found_faces import SETTINGS, face_at
from tiny_dfm import write_dfm

from core.errors import InputError
from core.faceset.database import extraction, faces
from core.faceset.database.connection import open_database
from core.faceset.database.faces import FaceRow
from core.faceset.database.frames import FrameRow
from core.formats.origin.reading import read_label
from core.geometry.align import FaceType
from core.imaging.codec import encode_png, read_frame
from core.jobs.merge.choices import MergeChoices
from core.jobs.merge.merge import merge
from core.merge.dfl.settings import DflSettings
from core.merge.settings import MergeSettings
from core.video.film.encoders import FilmSettings
from core.video.film.frames import read_film
from core.video.probe import probe
from core.workspace import Workspace, list_images

SIZE = (320, 200)
ROUNDING = 4
LOSSLESS = FilmSettings(codec="ffv1", part=5)
PLAIN = MergeSettings(mask="hull", color="none", feather_in=0, feather_out=0)


@pytest.fixture
def workspace(tmp_path):
    """Twelve frames at uneven times, with sound: a face in each but the fourth, two in the sixth."""
    made = Workspace(tmp_path / "w").create()
    make_film(made.root / "data_dst.mkv", times=UNEVEN, size=SIZE, encoder="ffv1", sounds=[("aac", "stereo")])
    write_dfm(made.model / "swap_SAEHD_model.dfm", inverts=True)
    write_faces(made)
    return made


def write_faces(workspace: Workspace, name: str = "dst") -> None:
    side = workspace.side(name)
    names = [f"{number:05d}.png" for number in range(1, 13)]
    there = {name: [face_at(name, 110 + 2 * k, person="ann")] for k, name in enumerate(names)}
    there[names[3]] = []
    there[names[5]].append(face_at(names[5], 240, person="bob"))
    with open_database(side.database, create=True) as connection:
        extraction.write_settings(connection, SETTINGS | {"source": {}, "from_video": True})
        faces.add(connection, [(FrameRow(name), [FaceRow(face) for face in found]) for name, found in there.items()])


def images(path) -> list[np.ndarray]:
    return [frame.image.astype(int) for frame in read_film(probe(path))]


def merged(workspace, **changes):
    values = {"settings": PLAIN, "film": LOSSLESS, "output": workspace.root / "result.mkv", "workers": 2} | changes
    return merge(workspace, "dst", MergeChoices(**values))


def changed(before: np.ndarray, after: np.ndarray) -> tuple[bool, bool]:
    """Whether the face on the left, and the one on the right, was changed."""
    difference = np.abs(before - after).max(axis=2) > 8
    return bool(difference[60:140, 80:170].any()), bool(difference[60:140, 210:280].any())


def test_faces_are_swapped_where_they_are_and_nothing_else_changes(workspace):
    done = merged(workspace)
    assert (done.frames, done.swapped, done.faces) == (12, 11, 12)
    film = workspace.root / "data_dst.mkv"
    before, after = images(film), images(done.film.path)
    found = [changed(one, other) for one, other in zip(before, after, strict=True)]
    assert found == [(k != 3, k == 5) for k in range(12)]
    # Through luma and chroma and back, numbers are rounded.
    assert np.abs(before[3] - after[3]).max() <= ROUNDING
    far = [np.abs(one[:40] - other[:40]).max() for one, other in zip(before, after, strict=True)]
    assert max(far) <= ROUNDING
    inside = after[0][95:105, 105:115]
    assert np.abs(inside - (255 - before[0][95:105, 105:115])).mean() < 12, "the model inverts"


def test_times_and_sound_are_those_of_the_film(workspace):
    done = merged(workspace)
    film = workspace.root / "data_dst.mkv"
    assert shown(done.film.path) == shown(film)
    assert packets(done.film.path, "audio") == packets(film, "audio")
    assert read_label(done.film.path) is not None


def test_one_person_and_a_range_are_swapped_and_the_rest_stays(workspace):
    done = merged(workspace, persons=("bob",))
    before, after = images(workspace.root / "data_dst.mkv"), images(done.film.path)
    found = [changed(one, other) for one, other in zip(before, after, strict=True)]
    assert found == [(False, k == 5) for k in range(12)]
    done = merged(workspace, first=2, last=3)
    found = [changed(one, other) for one, other in zip(before, images(done.film.path), strict=True)]
    assert [left for left, _ in found] == [k in (1, 2) for k in range(12)]
    with pytest.raises(InputError, match="nobody of that name"):
        merged(workspace, persons=("zoe",))
    with pytest.raises(InputError, match="no face is to be swapped"):
        merged(workspace, first=100)


def told(workspace, text, **changes):
    (workspace.root / "convert.toml").write_text(text)
    return merged(workspace, **changes)


def swapped_in(workspace, done) -> list[tuple[bool, bool]]:
    pairs = zip(images(workspace.root / "data_dst.mkv"), images(done.film.path), strict=True)
    return [changed(before, after) for before, after in pairs]


def test_cues_choose_faces_by_frame_and_person(workspace):
    text = '[[cue]]\nframes = "-8"\nperson = "ann"\nswap = false\n[[cue]]\nframes = 2\nswap = true\n'
    done = told(workspace, text + '[[cue]]\nframes = "13-"')
    assert swapped_in(workspace, done) == [(k == 1 or k > 7, k == 5) for k in range(12)]
    assert (done.cues, done.cue_count, done.unused) == (workspace.root / "convert.toml", 3, (3,))


def test_two_faces_of_a_frame_have_settings_of_their_own(workspace):
    done = told(workspace, '[[cue]]\nperson = "bob"\nopacity = 0')
    assert swapped_in(workspace, done) == [(k != 3, False) for k in range(12)]
    elsewhere = workspace.root / "mine.toml"
    elsewhere.write_text('[[cue]]\nperson = "ann"\nopacity = 0')
    done = merged(workspace, cues=elsewhere)
    assert swapped_in(workspace, done) == [(False, k == 5) for k in range(12)]


def test_cues_for_nobody_known_are_refused(workspace):
    with pytest.raises(InputError, match="nobody of that name"):
        told(workspace, '[[cue]]\nperson = "zoe"')
    with pytest.raises(InputError, match="scenes of this film are not known"):
        told(workspace, "[[cue]]\nscene = 1")
    with pytest.raises(InputError, match="no face is to be swapped"):
        told(workspace, "[[cue]]\nswap = false")


def test_scenes_are_counted_from_one(workspace):
    look_at(workspace, lambda number: number >= 7)
    done = told(workspace, "[[cue]]\nscene = 2\nswap = false")
    assert done.scenes == (1, 7)
    assert [left for left, _ in swapped_in(workspace, done)] == [k < 6 and k != 3 for k in range(12)]
    with pytest.raises(InputError, match="no scene of that number"):
        told(workspace, "[[cue]]\nscene = 3")


def look_at(workspace, second_scene) -> None:
    """Give the frames the looks of two scenes."""
    patterns = np.random.default_rng(1).integers(0, 255, (2, 192), dtype=np.uint8)
    with sqlite3.connect(workspace.side("dst").database) as connection:
        for number in range(1, 13):
            look = patterns[int(second_scene(number))].tobytes()
            connection.execute("UPDATE frames SET look = ? WHERE name = ?", (look, f"{number:05d}.png"))


def test_a_model_that_changes_nothing_gives_the_film_back(workspace):
    write_dfm(workspace.model / "same_SAEHD_model.dfm")
    done = merged(workspace, dfm=workspace.model / "same_SAEHD_model.dfm")
    for before, after in zip(images(workspace.root / "data_dst.mkv"), images(done.film.path), strict=True):
        # The face went through 64 pixels: what is smooth comes back.
        assert np.abs(before - after).mean() < 1.5


def test_the_original_way_agrees_with_its_own_functions(workspace):
    from core.merge.dfl.compose import cut_face, merged_face, merged_frame
    from core.merge.dfl.settings import Prediction

    settings = DflSettings(color_transfer="none", blur_mask=20)
    done = merged(workspace, exact=settings, pictures=True)
    frame = images(workspace.root / "data_dst.mkv")[0].astype(np.uint8)
    face = face_at("00001.png", 110)
    cut = cut_face(frame, face.landmarks, FaceType.WHOLE_FACE, 64, settings)
    ones = np.ones((64, 64), np.float32)
    expected, _ = merged_frame(frame, [merged_face(cut, Prediction(1 - cut.network_input, ones, ones), settings)])
    np.testing.assert_array_equal(read_frame(done.folders[0] / "00001.png"), expected)


def test_the_other_way_swaps_the_faces_of_the_source_film(workspace):
    film = make_film(workspace.root / "data_src.mkv", times=EVEN, size=SIZE, encoder="ffv1", sounds=[("flac", "mono")])
    write_faces(workspace, "src")
    turned = write_dfm(workspace.model / "swap_SAEHD_reverse.dfm", metadata={"direction": "dst to src"}, inverts=True)
    done = merge(
        workspace, "src", MergeChoices(settings=PLAIN, film=LOSSLESS, reverse=True, output=workspace.root / "r.mkv")
    )
    assert done.model == turned and shown(done.film.path) == shown(film)
    found = [changed(one, other) for one, other in zip(images(film), images(done.film.path), strict=True)]
    assert found == [(k != 3, k == 5) for k in range(12)]
    # Newest of all, and yet not the model of the usual way.
    assert merged(workspace).model.name == "swap_SAEHD_model.dfm"
    with pytest.raises(InputError, match="one way only"):
        merged(workspace, reverse=True, dfm=workspace.model / "swap_SAEHD_model.dfm")


def test_the_other_way_needs_the_trained_model_or_its_export(workspace):
    with pytest.raises(InputError, match="no model"):
        merged(workspace, reverse=True)


def test_pictures_instead_of_a_film_are_labelled_each(workspace):
    done = merged(workspace, pictures=True)
    side = workspace.side("dst")
    assert done.folders == (side.frames / "merged", side.frames / "merged_mask")
    for folder in done.folders:
        assert len(list_images(folder)) == 12
        assert all(read_label(path) for path in list_images(folder))
    mask = read_frame(side.frames / "merged_mask/00001.png")
    assert mask.max() == 255 and mask[:40].max() == 0
    assert read_frame(side.frames / "merged_mask/00004.png").max() == 0


def test_pictures_without_a_film_are_shown_at_a_rate(workspace):
    side = workspace.side("dst")
    for number, image in enumerate(images(workspace.root / "data_dst.mkv"), start=1):
        (side.frames / f"{number:05d}.png").write_bytes(encode_png(image.astype(np.uint8)))
    (workspace.root / "data_dst.mkv").unlink()
    with pytest.raises(InputError, match="how fast"):
        merged(workspace)
    done = merged(workspace, rate=25.0)
    info = probe(done.film.path)
    assert (done.frames, round(info.rate)) == (12, 25)


def test_with_kept_parts_only_what_changes_is_made_again(workspace):
    kept = {"calm": 0.0, "keep_parts": True}
    first = merged(workspace, **kept)
    again = merged(workspace, **kept)
    assert (first.new_frames, again.new_frames, again.film.resumed) == (12, 0, 12)
    assert again.film.path.read_bytes() == first.film.path.read_bytes()
    changed = told(workspace, "[[cue]]\nframes = 7\nopacity = 0.5", **kept)
    assert (changed.new_frames, changed.film.resumed) == (5, 7)
    made = changed.film.path.read_bytes()
    last = merged(workspace, calm=0.0)
    assert (last.new_frames, last.film.path.read_bytes()) == (0, made)
    assert list(workspace.root.glob("*.parts")) == list(workspace.root.glob(".*.parts")) == []
    whole = merged(workspace, calm=0.0)
    assert (whole.new_frames, whole.film.path.read_bytes()) == (12, made)


def test_kept_parts_know_the_frames_around_them(workspace):
    settings = replace(PLAIN, color="rct")
    merged(workspace, settings=settings, keep_parts=True)
    # Its colors are those of the frames around, which a part more than twelve frames away would not see.
    assert told(workspace, "[[cue]]\nframes = 12\ncolor = 'lct'", settings=settings, keep_parts=True).new_frames == 12


def test_calm_is_a_choice_of_its_own(workspace):
    settings = replace(PLAIN, color="rct")
    off, on = (merged(workspace, settings=settings, calm=calm) for calm in (0.0, 0.5))
    assert (off.calmed, on.calmed) == (0, 12)
    begun = multiprocessing.get_context("fork").Process(target=_killed_at, args=(workspace, 12), kwargs={"calm": 0.0})
    begun.start()
    begun.join(60)
    assert merged(workspace, calm=0.5).film.resumed == 0


def test_one_thread_and_several_and_any_batch_make_the_same_bytes(workspace):
    made = [merged(workspace, workers=w, batch=b).film.path.read_bytes() for w, b in ((1, 1), (3, 4))]
    assert made[0] == made[1]


def _killed_at(workspace, number: int, **changes) -> None:
    from core.jobs.merge import merge as job

    original = job._composed

    def dying(composer, work):
        if work.frame.number == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(composer, work)

    job._composed = dying
    merged(workspace, workers=1, **changes)


@pytest.mark.parametrize(("number", "color"), [(1, "none"), (7, "none"), (12, "none"), (12, "rct")])
def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(workspace, number, color):
    settings = replace(PLAIN, color=color)
    whole = merged(workspace, settings=settings).film.path.read_bytes()
    (workspace.root / "result.mkv").unlink()
    process = multiprocessing.get_context("fork").Process(
        target=_killed_at, args=(workspace, number), kwargs={"settings": settings}
    )
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert not (workspace.root / "result.mkv").exists()
    done = merged(workspace, settings=settings)
    # Whole parts of five frames, of those before the kill; by the last frame at least one was stored.
    assert done.film.resumed % 5 == 0
    assert (5 if number == 12 else 0) <= done.film.resumed < number
    assert done.film.path.read_bytes() == whole
    assert sorted(path.name for path in workspace.root.iterdir() if "parts" in path.name) == []


def test_other_settings_begin_anew(workspace):
    process = multiprocessing.get_context("fork").Process(target=_killed_at, args=(workspace, 12))
    process.start()
    process.join(60)
    assert merged(workspace, settings=MergeSettings(mask="hull", color="none", opacity=0.5)).film.resumed == 0


def test_other_cues_begin_anew_and_the_same_do_not(workspace):
    (workspace.root / "convert.toml").write_text("[[cue]]\nframes = 2\nopacity = 0.5")
    for text, resumed in (
        ("[[cue]]\nframes = 2\nopacity = 0.25", False),
        ("[[cue]]\nopacity = 0.25\nframes = '2-2'", True),
    ):
        process = multiprocessing.get_context("fork").Process(target=_killed_at, args=(workspace, 12))
        process.start()
        process.join(60)
        assert (told(workspace, text).film.resumed > 0) == resumed


def test_without_a_model_or_with_a_strangers_it_is_said(workspace):
    (workspace.model / "swap_SAEHD_model.dfm").unlink()
    with pytest.raises(InputError, match="no exported model"):
        merged(workspace)
    silent = write_dfm(workspace.root / "stranger.dfm", metadata={"face_type": ""})
    assert merged(workspace, dfm=silent, face_type=FaceType.FULL).frames == 12
    ours = write_dfm(workspace.root / "ours.dfm")
    with pytest.raises(InputError, match="another face type"):
        merged(workspace, dfm=ours, face_type=FaceType.FULL)


def test_even_times_and_mp4_too(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    film = make_film(workspace.root / "data_dst.mp4", times=EVEN, size=SIZE, sounds=[("aac", "stereo")])
    write_dfm(workspace.model / "m.dfm", inverts=True)
    write_faces(workspace)
    done = merge(workspace, "dst", MergeChoices(settings=PLAIN))
    assert done.film.path == workspace.root / "result.mp4"
    assert shown(done.film.path) == shown(film)
    assert cv2.VideoCapture(str(done.film.path)).read()[0]
