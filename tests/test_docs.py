"""Documentation that a machine can check."""

import ast
import re
import runpy
import shlex
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path

import pytest
from paths import ROOT

from core import errors, stages
from core.options import parse

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), ROOT / "assets" / "README.md"]
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.PipelineError) and kind is not errors.PipelineError
]


def test_options_page_is_up_to_date():
    page = runpy.run_path(str(ROOT / "docs" / "make_options.py"))["page"]()
    assert (ROOT / "docs" / "options.md").read_text() == page, "run: python docs/make_options.py"


def test_every_stage_has_a_summary():
    assert all(stages.summary(name) for name in stages.names())


def test_settings_page_is_up_to_date():
    page = runpy.run_path(str(ROOT / "docs" / "make_settings.py"))["page"]()
    assert (ROOT / "docs" / "settings.md").read_text() == page, "run: python docs/make_settings.py"


def test_settings_to_begin_with_leave_room_on_their_card():
    module = runpy.run_path(str(ROOT / "docs" / "make_settings.py"))
    for start in module["STARTS"]:
        found = module["estimate"](start.recipe)
        assert found.state < found.total < 0.8 * start.card, start


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_exit_codes_are_documented(kind):
    text = (ROOT / "docs" / "troubleshooting.md").read_text()
    meaning = (getdoc(kind) or "").split("\n")[0]
    assert f"| {kind.exit_code} | {meaning} | {kind.usual_hint} |\n" in text


def test_no_other_exit_codes_are_documented():
    text = (ROOT / "docs" / "troubleshooting.md").read_text()
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == {
        0,
        errors.PipelineError.exit_code,
        *(kind.exit_code for kind in KINDS),
    }


def commands(page: Path) -> Iterator[str]:
    """The command lines of a page that call a script: on a line of their own, and in the text between backticks."""
    text = page.read_text()
    call = r"(?:[A-Z_]+=\S+ )?(?:bash )?(?:scripts/\S+|exportDFM|clear_workspace)\.sh(?=[ `\n])"
    yield from re.findall(rf"^{call}.*", text, re.MULTILINE)
    yield from re.findall(rf"`({call}[^`\n]*)`", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_work_as_they_are_written(page):
    """The script is there, and its stage takes the flags and their values."""
    for command in commands(page):
        words = [word for word in shlex.split(command, comments=True) if word != "bash" and "=" not in word[:20]]
        script, *arguments = words
        assert (ROOT / script).is_file(), command
        call = re.search(r'^stage (.+) "\$@"$', (ROOT / script).read_text(), re.MULTILINE)
        if call and not {"--help", "JOB"} & set(arguments):
            stage, rest = stages.split([*call[1].split(), *arguments])
            parse(stages.load(stage).Options, stage, rest)


def test_there_are_commands_to_look_at():
    assert len(list(commands(ROOT / "README.md"))) > 5
    assert len(list(commands(ROOT / "docs" / "getting-started.md"))) > 30


def test_links_in_the_documentation_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} -> {target}"


def test_scripts_named_in_the_readme_exist():
    for name in re.findall(r"(?:scripts/)[\w.]+\.sh", (ROOT / "README.md").read_text()):
        assert (ROOT / name).exists(), name


def test_no_user_mistake_is_an_assert():
    for path in (ROOT / "core").rglob("*.py"):
        assert not [node.lineno for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)], (
            path.name
        )
