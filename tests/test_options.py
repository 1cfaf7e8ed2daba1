import pytest
from pydantic import Field

from core.errors import UsageError
from core.options import Options, SideOptions, parse


class Example(SideOptions):
    fps: float | None = Field(None, gt=0, description="frames per second")
    batch_size: int = Field(12, ge=1, le=64, description="samples")
    uniform_yaw: bool = Field(True, description="bins")


def test_flags_environment_and_defaults(monkeypatch):
    monkeypatch.setenv("FORGE_BATCH_SIZE", "3")
    options = parse(Example, "x", ["src", "--no-uniform-yaw"])
    assert (options.side, options.batch_size, options.uniform_yaw, options.fps) == ("src", 3, False, None)
    assert options.model_fields_set == {"side", "batch_size", "uniform_yaw"}
    assert parse(Example, "x", ["dst", "--batch-size", "5"]).batch_size == 5


@pytest.mark.parametrize(("arguments", "words"), [
    (["src", "--fps", "0"], "--fps: Input should be greater than 0"),
    (["src", "--batch-size", "many"], "--batch-size"),
    (["middle"], "--side"),
    ([], "SIDE"),
    (["src", "--bogus"], "unrecognized arguments: --bogus"),
])
def test_bad_values_name_the_flag(arguments, words):
    with pytest.raises(UsageError, match=words):
        parse(Example, "x", arguments)


def test_help_leaves_at_once(capsys):
    with pytest.raises(SystemExit) as caught:
        parse(Options, "x", ["--help"])
    assert caught.value.code == 0
    assert "usage: python -m core x" in capsys.readouterr().out
