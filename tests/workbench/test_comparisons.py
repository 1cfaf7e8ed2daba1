"""Two saves compared: what the page gets of it, and how the Training screen shows it."""

import pytest
from browser import opened, show, until, violations
from comparison_files import AFTER, BEFORE, write_comparison
from model_saves import writers
from workbench_kit import served, small_workspace
from workbench_page import Page

from core import stages
from core.checkpoints.backups import make_backup
from core.checkpoints.model_folder import ModelFolder
from core.workbench.bench import Bench
from core.workspace import Workspace


@pytest.fixture
def empty(tmp_path):
    workspace = Workspace(tmp_path / "work").create()
    return workspace, Page(Bench(workspace, stages, 0))


def test_comparisons_are_told_in_words(empty):
    workspace, page = empty
    write_comparison(workspace)
    (workspace.model / "bad_quality.json").write_text('{"before": {"model": "x"}}')
    (workspace.model / "alone_quality.json").write_text('{"model": "of one model"}')
    (found,) = page.json("training/comparisons")
    assert (found["before"], found["after"], found["held_out"], found["faces"]) == (BEFORE, AFTER, True, 8)
    verdicts = {change["title"]: change["verdict"] for change in found["changes"]}
    assert verdicts["detail against the source's"] == "better"
    assert verdicts["agreement with the target's mask (IoU)"] == "worse" and "the same" in verdicts.values()
    answer = page.get(f"training/comparisons/{found['id']}/page")
    assert "In words" in answer.text and answer.headers["content-type"].startswith("text/plain")
    assert page.get("training/comparisons/bad_quality.json/page").status_code == 404


def test_saves_are_called_as_they_are_typed(empty):
    workspace, page = empty
    assert page.json("training/saves") == []
    model = ModelFolder(workspace.model, "swap")
    for iteration in (10, 20):
        model.save(iteration, writers(iteration))
    make_backup(model, "early")
    found = page.json("training/saves")
    assert [save["name"] for save in found] == ["swap", "swap:save 10", "swap:early"]
    assert [save["iteration"] for save in found] == [20, 10, 20]


def test_the_screen_shows_words_and_pictures_and_starts_another(browser, tmp_path):
    workspace = small_workspace(tmp_path / "work")
    write_comparison(workspace)
    (workspace.model / "swap_SAEHD_data.dat").unlink()
    model = ModelFolder(workspace.model, "swap")
    for iteration in (10, 20):
        model.save(iteration, writers(iteration))
    with served(workspace) as (keys, bench), opened(browser, keys) as page:
        show(page, keys.port, "training")
        until(page, "document.querySelectorAll('.triptych').length === 2", 30)
        text = page.inner_text(".diagnosis")
        assert "on 8 held-out target faces" in text and "detail against the source's: 60 % → 80 %" in text
        assert "<b>likeness</b>" in page.inner_text(".triptych figcaption")
        until(page, "[...document.querySelectorAll('.triptych img')].every(image => image.naturalWidth > 0)", 30)
        assert page.evaluate("document.querySelectorAll('.triptych img').length") == 6
        assert violations(page) == []
        page.get_by_role("button", name="Compare", exact=True).click()
        until(page, "window.forge.state().jobs.some(job => job.stage === 'quality')", 30)
        (job,) = (one for one in bench.jobs.jobs() if one["stage"] == "quality")
        assert job["values"] == {"compare": ["swap:save 10", "swap"]}
        bench.jobs.stop(job["id"], kill=True)
        until(page, "window.forge.state().jobs.every(job => job.state !== 'running')", 60)
