"""Held-out faces: which they are, that examining them changes nothing, and where their losses go."""

import json

import numpy as np
import pytest
from training_cases import TINY, make_faceset, make_workspace

from core.errors import UsageError
from core.faceset.store import open_faceset
from core.stages.models import train
from core.training import start
from core.training.choices import Choices
from core.training.hooks.loss_plot import Losses, loss_plot
from core.training.hooks.metrics import Metrics
from core.training.hooks.validation import Validation
from core.training.recipe import Recipe
from core.training.schedule.opening import Opening
from core.training.session import Session
from core.training.settings import TrainerSettings
from core.training.sources import facesets
from core.training.sources.validation_split import split
from core.training.trainer import Trainer
from core.workspace import Workspace

FILES = ("encoder.npy", "inter_AB.npy", "inter_B.npy", "decoder.npy", "src_dst_opt.npy")

pytestmark = pytest.mark.usefixtures("eager")


def names(faces):
    return [record.name for record in faces.records()]


def test_faces_are_held_out_by_hash_and_later_ones_hardly_change_which(tmp_path):
    folder = make_faceset(tmp_path / "faces", 12, (1, 2, 3))
    few = split(open_faceset(folder), 4, "src")
    assert len(few.validation) == 4 and len(few.training) == 8
    assert not set(names(few.validation)) & set(names(few.training))
    assert names(few.training) == sorted(names(few.training))
    assert names(split(open_faceset(folder), 3, "src").validation) == names(few.validation)[:3]
    assert few.validation.read(0) == (folder / names(few.validation)[0]).read_bytes()
    make_faceset(folder, 18, (1, 2, 3))
    more = split(open_faceset(folder), 4, "src")
    kept = [name for name in names(few.validation) if name in names(more.validation)]
    assert names(more.validation)[: len(kept)] == kept or set(kept) <= set(names(more.validation))
    gone = [name for name in names(few.validation) if name not in kept]
    assert len(gone) == len(
        [name for name in names(more.validation) if name >= "00012"]
    )  # only a new face takes the place of an old one
    with pytest.raises(UsageError, match="src has 18 faces"):
        split(open_faceset(folder), 7, "src")


def run(root, **more):
    return train.run(train.Options(workers=0, **more), Workspace(root))


def test_examining_changes_nothing_and_is_written_down(tmp_path):
    often, never = (make_workspace(tmp_path / name) for name in ("often", "never"))
    report = run(often, **TINY, held_out=2, held_out_every=2, seed=3, target_iter=5)
    run(never, **TINY, held_out=2, held_out_every=1000, seed=3, target_iter=2)
    run(never, target_iter=5, held_out_every=1000)  # the number stays with the model
    for name in FILES:
        assert (often / f"model/swap_SAEHD_{name}").read_bytes() == (never / f"model/swap_SAEHD_{name}").read_bytes(), (
            name
        )
    lines = [json.loads(line) for line in (often / "model/metrics.jsonl").read_text().splitlines()]
    assert [line["iter"] for line in lines] == [1, 2, 3, 4, 5]
    assert [line["iter"] for line in lines if "held_src" in line] == [1, 2, 4, 5]  # 1 and 5 are saves
    held = json.loads((often / "model/swap_SAEHD_forge.json").read_text())["held"]
    other = json.loads((never / "model/swap_SAEHD_forge.json").read_text())["held"]
    assert [row[0] for row in held] == [1, 2, 4, 5] and [row[0] for row in other] == [1, 2, 5]
    assert held[-1] == other[-1] and held[1] == other[1]
    assert lines[-1]["held_dst"] == held[-1][2]
    assert 0 < held[-1][1] < held[0][1] * 1.5
    assert dict(report.rows)["loss of 2 held-out faces a side"] == f"src {held[-1][1]:.4f}, dst {held[-1][2]:.4f}"
    with pytest.raises(UsageError, match="at most a third of a side, here 2"):
        run(often, target_iter=6, held_out=3)


def test_the_loss_is_the_mean_over_all_held_out_faces_whatever_the_batch(tmp_path):
    """Five faces in batches of two: the last batch is half empty."""
    workspace, losses = Workspace(make_workspace(tmp_path / "ws", 15)), []
    for size in (2, 5):
        recipe = Recipe(**{**TINY, "batch_size": size})
        session = Session(None, recipe, Trainer(recipe, TrainerSettings(seed=1)), iteration=7, validation_count=5)
        facesets.batch_settings(session, workspace)
        Validation(10).validate(session)
        losses.append(session.validation_losses)
    assert losses[0][0][0] == 7 and len(losses[0]) == 1 and losses[0][0][1] != losses[0][0][2]
    np.testing.assert_allclose(losses[0][0], losses[1][0], rtol=1e-4)


def test_a_rollback_forgets_later_examinations(tmp_path):
    class Saved:
        def load(self):
            return type("Files", (), {"files": {"data.dat": tmp_path / "data.dat"}})()

    class Stub:
        def load(self, files): ...
        def reset_rate(self, factor): ...

    from core.formats import dfl_weights

    with open(tmp_path / "data.dat", "wb") as stream:
        dfl_weights.write_data(stream, dfl_weights.ModelData(4, {}))
    session = Session(
        Saved(), None, Stub(), iteration=9, validation_losses=[[2, 1.0, 1.0], [4, 0.9, 0.9], [6, 9.0, 9.0]]
    )
    assert session.roll_back() == 4 and session.validation_losses == [[2, 1.0, 1.0], [4, 0.9, 0.9]]


def test_who_holds_no_faces_out_any_more_is_told_no_old_losses():
    state = {"held_out": 2, "held": [[4, 0.9, 0.8]]}
    ready = [
        start._ready(Session(None, None, None), Choices(validation_count=count), dict(state), Opening())
        for count in (None, 0)
    ]
    assert [(session.validation_count, session.validation_losses) for session in ready] == [
        (2, [[4, 0.9, 0.8]]),
        (0, []),
    ]


def test_a_save_completes_the_newest_line_of_metrics(tmp_path):
    session = Session(None, None, None, iteration=1, history=[[0.5, 0.5]])
    hook = Metrics(tmp_path / "metrics.jsonl", 0)
    hook.after_step(session, None)
    session.validation_losses = [[1, 0.25, 0.75]]
    hook.at_save(session)
    assert json.loads((tmp_path / "metrics.jsonl").read_text())["held_src"] == 0.25


def test_the_loss_plot_shows_them():
    history = np.linspace([2.0, 2.0], [1.0, 1.0], 50)
    with_them = Losses(history, validation=[[10, 1.9, 1.9], [50, 1.2, 1.2]])
    assert not np.array_equal(loss_plot(Losses(history)), loss_plot(with_them))
