import pickle

import pytest

from core import errors
from core.__main__ import explain

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.PipelineError)]


def test_the_message_says_what_where_why_and_hint():
    error = errors.InputError("no video", where="data_src.*", why="the folder is empty", hint="copy one there")
    assert str(error) == "no video: data_src.*\n  the folder is empty\nhint: copy one there"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not errors.PipelineError])
def test_every_kind_has_a_hint_of_its_own(kind):
    assert str(kind("x")).startswith("x\nhint: ")


@pytest.mark.parametrize("kind", KINDS)
def test_errors_survive_the_trip_from_a_worker(kind):
    sent = kind("what", where="where", why="why", hint="hint")
    back = pickle.loads(pickle.dumps(sent))
    assert type(back) is kind and str(back) == str(sent)


def test_exit_codes_tell_kinds_apart():
    codes = [kind.exit_code for kind in KINDS]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ImportError("libtensorflow_cc.so.2: failed to map segment", name="tensorflow.python"), 4, "failed to map"),
        (ImportError("no module named core.colour", name="core.colour"), 1, "this is a bug"),
        (MemoryError(), 5, "out of memory"),
        (OSError(28, "No space left on device"), 8, "no space left"),
        (ZeroDivisionError(), 1, "this is a bug"),
    ],
)
def test_whatever_ends_a_stage_has_an_exit_code_and_a_hint(error, code, said, capsys):
    assert explain(error) == code
    printed = capsys.readouterr().err
    assert said in printed and "hint: " in printed
