"""Cues: other settings for a range of frames, a scene or a person, and for nobody else."""

import pytest

from core.errors import CorruptFileError, InputError, UsageError
from core.jobs.merge.cues import FaceSettings, find_cues, read_cues, settings_of
from core.merge.settings import MergeSettings
from core.workspace import Workspace

BASE = FaceSettings(MergeSettings(mask="hull"), morph=0.7)


def cues_of(tmp_path, text, **more):
    path = tmp_path / "convert.toml"
    path.write_text(text)
    return read_cues(path, BASE, **more)


@pytest.mark.parametrize(
    ("frames", "inside", "outside"),
    [
        ('"5-8"', (5, 8), (4, 9)),
        ('"5-"', (5, 900), (4,)),
        ('"-8"', (1, 8), (9,)),
        ("5", (5,), (4, 6)),
        ('"5"', (5,), (6,)),
    ],
)
def test_a_cue_is_for_its_frames(tmp_path, frames, inside, outside):
    (cue,) = cues_of(tmp_path, f"[[cue]]\nframes = {frames}\nopacity = 0.5")
    assert all(cue.means(number, 1, "") for number in inside)
    assert not any(cue.means(number, 1, "") for number in outside)


def test_a_cue_for_scene_and_person_needs_both(tmp_path):
    (cue,) = cues_of(tmp_path, '[[cue]]\nscene = 3\nperson = "anna"\nswap = false')
    assert cue.means(1, 3, "anna")
    assert not cue.means(1, 2, "anna")
    assert not cue.means(1, 3, "")


def test_of_two_cues_the_later_counts_and_the_rest_stays(tmp_path):
    text = '[[cue]]\ncolor = "mkl"\nopacity = 1\n[[cue]]\nmode = 3\nopacity = 0.25\nmorph = 0\nbalance = {contrast = 7}'
    told = settings_of(cues_of(tmp_path, text), BASE)
    assert (told.settings.color, told.settings.mode, told.settings.mask) == ("mkl", "seamless", "hull")
    assert (told.settings.opacity, told.morph, told.swap) == (0.25, 0.0, True)
    assert told.settings.balance.contrast == 7
    assert settings_of((), BASE) is BASE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[cue]]\n[[cue]]\nopacty = 1", ("cue 2", "unknown setting opacty", "did you mean opacity")),
        ("[[cu]]", ("did you mean cue",)),
        ("cue = 3", (r"[[cue]]",)),
        ("[[cue]]\nopacity = 2", ("cue 1", "opacity", "0 to 1")),
        ("[[cue]]\nopacity = nan", ("cue 1", "opacity")),
        ('[[cue]]\nopacity = "much"', ("cue 1", "another kind", "a number")),
        ("[[cue]]\nopacity = true", ("another kind",)),
        ("[[cue]]\nswap = 0", ("true or false",)),
        ("[[cue]]\nmorph = 1.5", ("cue 1", "morph", "0 to 1")),
        ('[[cue]]\ncolor = "rtc"', ("cue 1", "rtc", "did you mean rct")),
        ('[[cue]]\nmask = "hull *"', ("cue 1",)),
        ('[[cue]]\nframes = "8-5"', ("cue 1", "ends before")),
        ('[[cue]]\nframes = "some"', ("cue 1", "not a range")),
        ('[[cue]]\nscene = "three"', ("cue 1", "a whole number")),
        ("[[cue]]\nsuper_resolution = 5", ("unknown setting",)),
        ("[[cue]]\nbalance = {contrst = 7}", ("did you mean contrast",)),
    ],
)
def test_what_is_wrong_is_said_with_the_cue(tmp_path, text, words):
    with pytest.raises(UsageError) as caught:
        cues_of(tmp_path, text)
    for word in words:
        assert word in str(caught.value)


def test_a_missing_or_damaged_file_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no file with cues"):
        read_cues(tmp_path / "none.toml", BASE)
    with pytest.raises(CorruptFileError, match="damaged cues"):
        cues_of(tmp_path, "[[cue")


def test_the_original_way_takes_morph_and_swap_only(tmp_path):
    assert len(cues_of(tmp_path, "[[cue]]\nswap = false\nmorph = 0.5", exact=True)) == 1
    with pytest.raises(UsageError, match="--exact"):
        cues_of(tmp_path, "[[cue]]\nopacity = 0.5", exact=True)


def test_the_file_of_the_workspace_is_found(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    assert find_cues(workspace, None) is None
    (workspace.root / "convert.toml").write_text("")
    assert find_cues(workspace, None) == workspace.root / "convert.toml"
    assert find_cues(workspace, tmp_path / "mine.toml") == tmp_path / "mine.toml"


def test_nothing_in_the_file_is_no_cue(tmp_path):
    assert cues_of(tmp_path, "") == ()
    assert settings_of(cues_of(tmp_path, "[[cue]]"), BASE) == BASE
