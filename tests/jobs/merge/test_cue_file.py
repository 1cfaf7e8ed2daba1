"""Cues that a program adds and takes out of a file that somebody writes by hand: every other line stays."""

import pytest

from core.errors import CorruptFileError, InputError, UsageError
from core.jobs.merge import cue_file
from core.jobs.merge.cues import FaceSettings, read_cues

BY_HAND = """# my film
[[cue]]   # the garden
frames = "5-8"
color = "mkl"

# about the next one
[[ cue ]]
person = "anna"
opacity = 0.5
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "convert.toml"


def test_what_is_added_is_read_by_the_merge(path):
    changes = {"mode": "seamless", "erode": -4.5, "morph": 0.25, "swap": False, "denoise": 3}
    text = cue_file.with_cue("", {"frames": "3-9", "scene": 2, "person": 'an"na ß'}, changes, path)
    cue_file.write(path, text)
    (cue,) = read_cues(path, FaceSettings())
    assert (cue.first, cue.last, cue.scene, cue.person) == (3, 9, 2, 'an"na ß')
    assert dict(cue.changes) == changes


def test_nothing_written_by_hand_is_lost(path):
    text = cue_file.with_cue(BY_HAND.rstrip("\n"), {"scene": 1}, {"erode": 3}, path)
    assert text.startswith(BY_HAND.rstrip("\n")) and text.endswith("[[cue]]\nscene = 1\nerode = 3\n")
    text = cue_file.without_cue(text, 1, path)
    assert "# my film" in text and "# about the next one\n[[ cue ]]" in text and "garden" not in text
    text = cue_file.without_cue(text, 2, path)
    assert cue_file.table_of(text, path) == {"cue": [{"person": "anna", "opacity": 0.5}]}


@pytest.mark.parametrize(
    "text",
    [
        'cue = [{frames = "5-8", erode = 2}]\n',
        '[[cue]]\nmask = """hull +\n[[cue]]\nfull"""\n[[cue]]\nerode = 2\n',
        '["cue"]\n',
        "cue = 3\n",
    ],
)
def test_what_cannot_be_changed_safely_is_refused(path, text):
    path.write_text(text)
    with pytest.raises((InputError, UsageError, CorruptFileError)):
        cue_file.without_cue(text, 1, path)
    assert path.read_text() == text


def test_a_list_in_one_line_gets_no_second_kind_of_cue(path):
    with pytest.raises(InputError, match="by hand"):
        cue_file.with_cue("cue = [{erode = 2}]\n", {}, {"erode": 1.0}, path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({}, "changes nothing"), ({"erode": 1000}, "erode"), ({"opacty": 1}, "opacty"), ({"mode": "x"}, "unknown mode")],
)
def test_what_no_cue_can_say_is_not_added(path, changes, words):
    with pytest.raises(UsageError, match=words):
        cue_file.with_cue("", {}, changes, path)


def test_a_damaged_file_stays(path):
    with pytest.raises(CorruptFileError):
        cue_file.with_cue("[[cue", {}, {"erode": 1}, path)


def test_the_last_change_is_taken_back_and_made_again(path):
    with pytest.raises(InputError, match="not changed yet"):
        cue_file.swap_back(path)
    cue_file.write(path, BY_HAND)
    cue_file.swap_back(path)
    assert not path.exists()
    cue_file.swap_back(path)
    assert path.read_text() == BY_HAND


def test_a_name_brings_in_no_text_of_its_own(path):
    with pytest.raises(InputError, match="cannot be changed"):
        cue_file.with_cue("", {}, {"erode = 1\n[[cue]]\nopacity": 0.5}, path)
