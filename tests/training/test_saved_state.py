"""forge.json of a model: what a run has written is read, everything else is named."""

import json

import pytest

from core.errors import CorruptFileError
from core.training.saved_state import read_run_state


def test_what_is_not_there_is_not_made_up(tmp_path):
    path = tmp_path / "forge.json"
    path.write_text(json.dumps({"seed": 3, "ema": 0.5, "iteration": 7, "held": [[5, 1.0, 2.0]]}))
    assert read_run_state(path) == {"seed": 3, "ema": 0.5, "held": [[5, 1.0, 2.0]]}
    assert read_run_state(None) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", "3"),
        ("seed", -1),
        ("exact", "false"),
        ("rate", 0),
        ("rate", float("nan")),
        ("precision", "float8"),
        ("ema", 1),
        ("devices", 0),
        ("held_out", -1),
        ("held", [[1, 2]]),
        ("held", [["a", 1, 2]]),
        ("held", 3),
        ("schedule", []),
    ],
)
def test_a_value_that_no_run_has_written_is_named(tmp_path, name, value):
    path = tmp_path / "forge.json"
    path.write_text(json.dumps({name: value}))
    with pytest.raises(CorruptFileError, match=f"(?s)forge.json.*{name}"):
        read_run_state(path)
