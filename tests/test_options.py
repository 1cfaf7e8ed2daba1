from pathlib import Path

import pytest
from pydantic import Field, field_validator

from core.errors import UsageError
from core.options import Options, SideOptions, parse


class Example(SideOptions):
    fps: float | None = Field(None, gt=0, description="frames per second")
    batch_size: int = Field(12, ge=1, le=64, description="samples")
    uniform_yaw: bool = Field(True, description="bins")
    merge: list[Path] = Field([], description="several")
    name: str = Field("x", description="one word")

    @field_validator("name")
    @classmethod
    def _word(cls, value: str) -> str:
        if " " in value:
            raise ValueError("no spaces")
        return value


def test_flags_environment_and_defaults(monkeypatch):
    monkeypatch.setenv("FORGE_BATCH_SIZE", "3")
    options = parse(Example, "x", ["src", "--no-uniform-yaw"])
    assert (options.side, options.batch_size, options.uniform_yaw, options.fps) == ("src", 3, False, None)
    assert options.model_fields_set == {"side", "batch_size", "uniform_yaw"}
    assert parse(Example, "x", ["dst", "--batch-size", "5"]).batch_size == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["src", "--fps", "0"], "--fps: Input should be greater than 0"),
        (["src", "--batch-size", "many"], "--batch-size"),
        (["middle"], "SIDE: "),
        ([], "SIDE"),
        (["src", "--bogus"], "unrecognized arguments: --bogus"),
        (["src", "--name", "a b"], "wrong option: --name: no spaces"),
    ],
)
def test_bad_values_name_the_flag(arguments, words):
    with pytest.raises(UsageError, match=words):
        parse(Example, "x", arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["src", "--merge", "a.pak", "b c.pak", "--fps", "2"],
        ["src", "--fps", "2", "--merge", "a.pak", "b c.pak"],
        ["src", "--merge=a.pak", "b c.pak", "--fps=2"],
        ["src", "--merge", "a.pak", "--fps", "2", "--merge", "b c.pak"],
        ["--merge", "a.pak", "--merge", "b c.pak", "--fps", "2", "src"],
    ],
)
def test_lists_of_values(arguments):
    options = parse(Example, "x", arguments)
    assert (options.merge, options.fps, options.side) == ([Path("a.pak"), Path("b c.pak")], 2, "src")


def test_extra_values_are_no_list():
    with pytest.raises(UsageError, match="unrecognized arguments: 3"):
        parse(Example, "x", ["src", "--fps", "2", "3"])


def test_help_leaves_at_once(capsys):
    with pytest.raises(SystemExit) as caught:
        parse(Options, "x", ["--help"])
    assert caught.value.code == 0
    assert "usage: python -m core x" in capsys.readouterr().out
