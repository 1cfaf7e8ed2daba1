"""Which model is meant: every one that is there is seen, and none is answered by a new one."""

import pytest

from core.checkpoints.selection import choose, choose_or_new, discover
from core.errors import InputError, UsageError


def put(folder, *names):
    for name in names:
        (folder / name).write_bytes(b"x")


@pytest.mark.parametrize("name", ["OP_new", "saehd_192_256_42", "my SAEHD_SAEHD", "_x"])
def test_names_with_underscores_are_names(tmp_path, name):
    """Forks write such, and people rename."""
    put(tmp_path, f"{name}_SAEHD_data.dat", f"{name}_SAEHD_encoder.npy")
    assert discover(tmp_path) == [name]
    for choice in (choose(tmp_path), choose(tmp_path, name), choose_or_new(tmp_path), choose_or_new(tmp_path, name)):
        assert choice.name == name
        assert choice.path("encoder.npy").is_file()


def test_a_new_model_gets_no_underscore(tmp_path):
    with pytest.raises(UsageError, match="cannot be called so") as caught:
        choose_or_new(tmp_path, "my_model")
    assert "my model" in caught.value.hint


@pytest.mark.parametrize(
    "files", [("encoder.npy",), ("swap_SAEHD_encoder.npy",), ("swap_H128_data.dat",), ("decoder_A.h5", "encoder.h5")]
)
def test_files_that_are_not_understood_are_never_answered_by_a_new_model(tmp_path, files):
    put(tmp_path, *files)
    with pytest.raises(InputError, match="not understood") as caught:
        choose_or_new(tmp_path)
    assert files[0] in caught.value.why
    assert choose_or_new(tmp_path, "new").name == "new"


def test_what_lies_beside_a_model_is_no_model(tmp_path):
    put(tmp_path, "XSeg_256.npy", "XSeg_data.dat", "swap_SAEHD_model.dfm", "loss.png", "metrics.jsonl", ".hidden.npy")
    assert choose_or_new(tmp_path).name == "swap"
