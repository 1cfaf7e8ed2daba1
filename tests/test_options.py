from pathlib import Path

import pytest
from pydantic import Field, field_validator

from core import __main__ as program
from core import stages
from core.errors import UsageError
from core.options import Options, PositionalOrFlag, SideOptions, parse


class Example(SideOptions):
    fps: float | None = Field(None, gt=0, description="frames per second")
    batch_size: int = Field(12, ge=1, le=64, description="samples")
    uniform_yaw: bool = Field(True, description="bins")
    merge: list[Path] = Field([], description="several")
    words: list[str] = Field([], description="several, with commas between")
    name: str = Field("x", description="one word, 100 % yours")

    @field_validator("name")
    @classmethod
    def _word(cls, value: str) -> str:
        if " " in value:
            raise ValueError("no spaces")
        return value


class Counted(Options):
    count: PositionalOrFlag[int] = Field(7, ge=0, description="by its place, or by its flag")


def test_a_flag_wins_over_the_environment_and_that_over_the_default(monkeypatch):
    monkeypatch.setenv("FORGE_BATCH_SIZE", "3")
    options = parse(Example, "x", ["src", "--no-uniform-yaw"])
    assert (options.side, options.batch_size, options.uniform_yaw, options.fps) == ("src", 3, False, None)
    assert options.model_fields_set == {"side", "batch_size", "uniform_yaw"}
    assert parse(Example, "x", ["dst", "--batch-size", "5"]).batch_size == 5


def test_a_wrong_variable_is_named_not_the_flag(monkeypatch):
    monkeypatch.setenv("FORGE_BATCH_SIZE", "many")
    with pytest.raises(UsageError, match="wrong option: FORGE_BATCH_SIZE: Input should be a valid integer") as caught:
        parse(Example, "x", ["src"])
    assert "--batch-size" not in str(caught.value)
    assert parse(Example, "x", ["src", "--batch-size", "5"]).batch_size == 5  # it is not used


def test_a_variable_that_the_stage_does_not_know_is_ignored(monkeypatch):
    monkeypatch.setenv("FORGE_BATCHSIZE", "many")
    monkeypatch.setenv("FORGE_BATCH_SIZE", "many")
    assert parse(Options, "x", []) == Options()


def test_lists_from_the_environment(monkeypatch):
    monkeypatch.setenv("FORGE_MERGE", '["a.pak", "b,c.pak"]')
    assert parse(Example, "x", ["src"]).merge == [Path("a.pak"), Path("b,c.pak")]
    monkeypatch.setenv("FORGE_MERGE", "a.pak")
    with pytest.raises(UsageError, match="FORGE_MERGE: Input should be a valid list"):
        parse(Example, "x", ["src"])


def test_an_object_built_in_code_never_reads_the_environment(monkeypatch):
    required = {"side": "src", "action": "list", "file": Path("x.jpg"), "files": [Path("x.db")], "folder": Path("x")}
    for name in stages.names():
        options = stages.load(name).Options
        given = {field: value for field, value in required.items() if field in options.model_fields}
        before = options(**given)
        for field in options.model_fields:
            monkeypatch.setenv(f"FORGE_{field.upper()}", "1")
        assert options(**given) == before and options(**given).model_fields_set == given.keys()


def test_options_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        Example(side="src").batch_size = 2
    with pytest.raises(ValueError, match="Extra inputs"):
        Example(side="src", batchsize=2)


def test_by_place_or_by_flag_is_one_option(monkeypatch):
    for arguments in (["3"], ["--count", "3"], ["--count=3"], ["3", "--count", "3"], ["--count", "3", "3"]):
        assert parse(Counted, "x", arguments).count == 3
    with pytest.raises(UsageError, match="COUNT is 3, --count is 4"):
        parse(Counted, "x", ["3", "--count", "4"])
    with pytest.raises(UsageError, match="COUNT: Input should be greater than or equal to 0"):
        parse(Counted, "x", ["--count", "-1"])
    assert parse(Counted, "x", []).model_fields_set == set()
    monkeypatch.setenv("FORGE_COUNT", "5")
    assert parse(Counted, "x", []).count == 5 and parse(Counted, "x", ["6"]).count == 6


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


def test_commas_part_words_but_not_paths():
    options = parse(Example, "x", ["src", "--merge", "a,b.pak", "--words", "hair, ears", "nose"])
    assert (options.merge, options.words) == ([Path("a,b.pak")], ["hair", "ears", "nose"])


def test_extra_values_are_no_list():
    with pytest.raises(UsageError, match="unrecognized arguments: 3"):
        parse(Example, "x", ["src", "--fps", "2", "3"])


def test_help_leaves_at_once(capsys):
    with pytest.raises(SystemExit) as caught:
        parse(Example, "x", ["--help"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    assert "usage: python -m core x src|dst [options]" in said and "--[no-]uniform-yaw" in said
    assert "100 % yours (default: x)" in said and "--merge PATH" in said and "None" not in said


class Grouped(Options):
    GROUPS = {"first": ("often",)}
    often: int = Field(3, description="what one needs")
    seldom: bool = Field(False, description="what one rarely needs")


def test_help_shows_the_usual_options_and_tells_of_the_others(capsys):
    said = {}
    for flag in ("--help", "--help-all"):
        with pytest.raises(SystemExit):
            parse(Grouped, "x", [flag])
        said[flag] = capsys.readouterr().out
    assert "first:" in said["--help"] and "--often N" in said["--help"]
    assert "seldom" not in said["--help"] and "--help-all" in said["--help"]
    assert "--often N" in said["--help-all"] and "--seldom " in said["--help-all"]
    assert "--no-seldom" not in said["--help-all"] and parse(Grouped, "x", ["--no-seldom"]).seldom is False


def test_the_usage_is_that_of_the_script(monkeypatch, capsys):
    monkeypatch.setenv("FORGE_SCRIPT", "bash scripts/3_x_src.sh")
    with pytest.raises(SystemExit):
        parse(Example, "x", ["src", "--help"])
    said = capsys.readouterr().out
    assert said.startswith("usage: bash scripts/3_x_src.sh [options]\n") and "which side" not in said


def test_what_was_probably_meant_is_said():
    with pytest.raises(UsageError, match="did you mean --uniform-yaw"):
        parse(Example, "x", ["src", "--uniform-yow"])
    with pytest.raises(UsageError, match="did you mean sort"):
        stages.load("srot")


def test_groups_name_options_that_there_are():
    for name in stages.names():
        options = stages.load(name).Options
        named = [field for fields in options.GROUPS.values() for field in fields]
        assert set(named) <= options.model_fields.keys() and len(set(named)) == len(named), name


def test_debug_may_come_from_the_environment(monkeypatch, capsys):
    assert program.main(["face-info", "nowhere.jpg"]) == 3 and "hint:" in capsys.readouterr().err
    monkeypatch.setenv("FORGE_DEBUG", "1")
    with pytest.raises(Exception, match="no such file"):
        program.main(["face-info", "nowhere.jpg"])
