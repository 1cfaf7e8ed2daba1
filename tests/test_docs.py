"""Documentation that a machine can check."""

import ast
import re
import runpy

from paths import ROOT

from core import errors, stages


def test_options_page_is_up_to_date():
    page = runpy.run_path(str(ROOT / "docs" / "make_options.py"))["page"]()
    assert (ROOT / "docs" / "options.md").read_text() == page, "run: python docs/make_options.py"


def test_every_stage_has_a_summary():
    assert all(stages.summary(name) for name in stages.names())


def test_exit_codes_are_documented():
    text = (ROOT / "docs" / "getting-started.md").read_text()
    codes = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.PipelineError)
    } - {1}
    assert all(re.search(rf"^\| {code} \|", text, re.MULTILINE) for code in codes)


def test_links_in_the_documentation_lead_somewhere():
    for page in [ROOT / "README.md", *ROOT.glob("docs/*.md"), ROOT / "assets" / "README.md"]:
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
