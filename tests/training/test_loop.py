"""The loop with a stand-in for the networks: targets, stopping, saving, divergence, memory."""

import errno
import json
import os
import signal
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from training_cases import make_faceset

from core.checkpoints.model_folder import ModelFolder
from core.data import batches
from core.data.batches import BatchSettings
from core.errors import DiskFullError, DivergedError, EnvironmentFault, InputError, Interrupted, OutOfMemoryFault
from core.faceset.store import open_faceset
from core.formats import dfl_weights
from core.geometry.align import FaceType
from core.training import loop
from core.training.ending import StopRequested
from core.training.hooks import auto_backup
from core.training.hooks.auto_backup import AutoBackup
from core.training.hooks.base import BaseHook
from core.training.hooks.checkpoint import Checkpoint
from core.training.hooks.metrics import Metrics
from core.training.hooks.stop import StopFile, StopSignals
from core.training.hooks.unreadable_faces import UnreadableFaces
from core.training.recipe import Recipe
from core.training.session import Session
from core.training.settings import TrainerSettings


class Stub:
    """Counts its steps in one weight; ``losses``: what the steps report, by iteration."""

    def __init__(self, losses=None, error=None):
        self.settings, self.value, self.losses, self.error = TrainerSettings(), 0.0, losses or {}, error

    def ready(self, batch):
        return replace(batch, warped=batch.warped.copy())

    def begin(self, batch):
        if self.error and batch.iteration == 3:
            raise self.error
        self.value += 1
        loss = self.losses.pop(batch.iteration, 1.0)
        return loss, loss

    def read(self, reported):
        return reported

    def writers(self):
        return {"encoder.npy": lambda stream: dfl_weights.write_arrays(stream, [("value:0", np.float32([self.value]))])}

    def load(self, files, reinit=()):
        self.value = float(dfl_weights.read_weights(files["encoder.npy"])["value:0"][0])

    def reset_rate(self, factor):
        self.settings = TrainerSettings(rate=self.settings.rate * factor)

    def views(self, src, dst):
        return {"ss": src, "dd": dst, "sd": dst, "dd_mask": dst[..., :1], "sd_mask": dst[..., :1]}


@pytest.fixture
def run(tmp_path):
    faces = open_faceset(make_faceset(tmp_path / "faces", 3, (90, 120, 200)))
    settings = BatchSettings(faces, faces, 64, FaceType.WHOLE_FACE, 2)
    (tmp_path / "model").mkdir()

    def start(stub, target, *extra, seen=None):
        session = Session(
            ModelFolder(tmp_path / "model", "m"), Recipe(resolution=64, batch_size=2), stub, target=target
        )
        chain = [*extra, Checkpoint(1000, lambda s: loop.save(s, chain))]
        if seen is not None:
            seen.append(session)
        loop.train(session, settings, chain, workers=(0, 0))
        return session

    return SimpleNamespace(start=start, folder=tmp_path / "model")


def saved(run):
    files = ModelFolder(run.folder, "m").load().files
    return dfl_weights.read_data(files["data.dat"]), float(dfl_weights.read_weights(files["encoder.npy"])["value:0"][0])


def test_trains_to_the_target_and_saves(run):
    session = run.start(Stub(), 5)
    data, value = saved(run)
    assert session.iteration == data.iteration == value == 5
    assert data.loss_history == [[1.0, 1.0]] * 5
    assert (run.folder / "m_SAEHD_summary.txt").read_text().count("Current iteration: 5") == 1


def test_stop_file_saves_and_is_taken_away(run):
    run.folder.joinpath("STOP").touch()
    with pytest.raises(Interrupted, match="STOP") as caught:
        run.start(Stub(), 100, StopFile(run.folder / "STOP"))
    assert caught.value.exit_code == 130 and not (run.folder / "STOP").exists()
    assert saved(run)[0].iteration == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_finish_the_step_and_save(run, number):
    class Kick(BaseHook):
        def after_step(self, session, batch):
            if session.iteration == 3:
                os.kill(os.getpid(), number)

    def ours(*_):
        raise AssertionError("the handler of the caller ran during training")

    before = signal.signal(number, ours)  # under nohup the hang-up would be ignored
    try:
        with pytest.raises(Interrupted):
            run.start(Stub(), 100, StopSignals(), Kick())
        assert saved(run)[0].iteration in (3, 4)
        assert signal.getsignal(number) is ours
    finally:
        signal.signal(number, before)


def test_not_a_number_rolls_back_once_with_half_the_rate(run):
    stub, path = Stub({7: float("nan")}), run.folder / "metrics.jsonl"
    session = run.start(stub, 10, Metrics(path, 0))
    assert [json.loads(line)["iter"] for line in path.read_text().splitlines()] == list(range(1, 11))
    assert session.iteration == 10 and stub.settings.rate == 0.5
    assert len(session.history) == 10 and np.isfinite(session.history).all()


def test_diverging_twice_ends_with_code_6_and_keeps_the_save(run):
    class Always(Stub):
        def begin(self, batch):
            return (float("nan"), 1.0) if batch.iteration >= 5 else super().begin(batch)

    with pytest.raises(DivergedError, match="iteration 6") as caught:
        run.start(Always(), 10)
    assert caught.value.exit_code == 6 and "rolled back once" in str(caught.value)
    assert saved(run)[0].iteration == 1


def test_a_spike_counts_as_divergence(run):
    assert run.start(Stub({30: 500.0}), 35).trainer.settings.rate == 0.5


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("RESOURCE_EXHAUSTED: OOM when allocating")])
def test_memory_gives_three_changes(run, error):
    with pytest.raises(OutOfMemoryFault) as caught:
        run.start(Stub(error=error), 10)
    assert caught.value.exit_code == 5
    assert all(word in str(caught.value) for word in ("--batch-size 1", "--no-adabelief", "--resolution"))


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("RESOURCE_EXHAUSTED: OOM when allocating")])
def test_memory_that_ends_beside_the_step_costs_no_iteration(run, error):
    class Hungry(BaseHook):
        def after_step(self, session, batch):
            if session.iteration == 7:
                raise error

    with pytest.raises(OutOfMemoryFault, match="iteration 7"):
        run.start(Stub(), 10, Hungry())
    assert saved(run)[0].iteration == 7


def test_backups_by_the_hour(run, monkeypatch):
    clock = iter(range(0, 10**7, 1800))
    monkeypatch.setattr(auto_backup.time, "monotonic", lambda: float(next(clock)))
    session = run.start(Stub(), 1)
    hook = AutoBackup(1, lambda s: s.save(), run.folder / "none.jpg")
    for _ in range(4):
        hook.after_step(session, None)
    assert sorted(p.name for p in (run.folder / "m_SAEHD_autobackups").iterdir()) == ["01", "02"]


def test_other_errors_are_not_hidden(run):
    with pytest.raises(ZeroDivisionError):
        run.start(Stub(error=ZeroDivisionError()), 10)


def test_metrics_lines_and_what_a_resumed_run_takes_back(run):
    path = run.folder / "metrics.jsonl"
    run.start(Stub(), 4, Metrics(path, 0))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["iter"] for line in lines] == [1, 2, 3, 4] and {"src_loss", "dst_loss", "ms", "wait_ms"} <= set(
        lines[0]
    )
    path.write_text(path.read_text() + '{"iter": 5, "src')
    Metrics(path, 3)
    assert [json.loads(line)["iter"] for line in path.read_text().splitlines()] == [1, 2, 3]


def test_metrics_of_another_model_are_kept(run):
    path = run.folder / "metrics.jsonl"
    run.start(Stub(), 4, Metrics(path, 0, "one_SAEHD"))
    Metrics(path, 0, "two_AMP")
    assert len(path.read_text().splitlines()) == 4
    Metrics(path, 1, "one_SAEHD")
    assert [json.loads(line)["model"] for line in path.read_text().splitlines()] == ["one_SAEHD"]


def test_unreadable_faces_are_named_once(run):
    session, hook = SimpleNamespace(skipped=[]), UnreadableFaces()
    for _ in range(2):
        hook.after_step(session, SimpleNamespace(skipped=("bad.jpg", "bad.jpg")))
    assert session.skipped == ["bad.jpg"]


class Fails(BaseHook):
    """A hook, or a preview, that fails after so many iterations."""

    def __init__(self, error, at=4):
        self.error, self.at = error, at

    def after_step(self, session, batch):
        if session.iteration == self.at:
            raise self.error


def full_disk():
    return OSError(errno.ENOSPC, "No space left on device", "preview.jpg")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (full_disk(), DiskFullError),
        (EnvironmentFault("a worker died"), EnvironmentFault),
        (MemoryError(), OutOfMemoryFault),
    ],
)
def test_whatever_fails_beside_the_step_the_model_is_saved_first(run, error, expected):
    with pytest.raises(expected) as caught:
        run.start(Stub(), 10, Fails(error))
    assert "the model is saved at iteration 4" in caught.value.hint
    assert saved(run)[0].iteration == 4


def test_a_bug_beside_the_step_is_not_hidden_and_the_model_is_saved(run):
    with pytest.raises(ZeroDivisionError):
        run.start(Stub(), 10, Fails(ZeroDivisionError()))
    assert saved(run)[0].iteration == 4


def test_batches_that_fail_end_the_run_with_everything_saved(run, monkeypatch):
    make = batches.BatchMaker.make

    def failing(self, number, *rest):
        if number == 5:
            raise InputError("none of the faces can be read")
        return make(self, number, *rest)

    monkeypatch.setattr(batches.BatchMaker, "make", failing)
    with pytest.raises(InputError) as caught:
        run.start(Stub(), 10)
    assert "saved at iteration 5" in caught.value.hint
    assert saved(run)[0].iteration == 5


def test_when_it_cannot_be_saved_the_first_error_counts_and_the_last_save_is_named(run, monkeypatch, caplog):
    seen = []
    with pytest.raises(EnvironmentFault) as caught:

        class Breaks(Fails):
            def after_step(self, session, batch):
                if session.iteration == self.at:
                    monkeypatch.setattr(session.folder.__class__, "save", lambda *_: (_ for _ in ()).throw(full_disk()))
                super().after_step(session, batch)

        run.start(Stub(), 10, Breaks(EnvironmentFault("a worker died")), seen=seen)
    assert "saved at iteration 1" in caught.value.hint
    assert "could not be saved" in caplog.text


def test_asking_twice_still_saves_and_the_third_time_ends_it(run, caplog):
    class Kick(BaseHook):
        def __init__(self, times):
            self.times = times

        def after_step(self, session, batch):
            if session.iteration == 3:
                for _ in range(self.times):
                    os.kill(os.getpid(), signal.SIGINT)

    with caplog.at_level("INFO"), pytest.raises(Interrupted) as caught:
        run.start(Stub(), 100, Kick(2), StopSignals())
    assert "iteration 3 is saved" in caught.value.hint
    assert "once more ends it without saving" in caplog.text
    with pytest.raises(KeyboardInterrupt):
        run.start(Stub(), 100, Kick(3), StopSignals())


def test_who_started_it_with_nohup_is_not_hung_up(run):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        hook = StopSignals()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        hook.at_end(None)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_losses_are_read_while_the_next_step_runs(run):
    said = []

    class Said(Stub):
        def begin(self, batch):
            said.append(f"begin {batch.iteration + 1}")
            return batch.iteration + 1

        def read(self, number):
            said.append(f"read {number}")
            return 1.0, 1.0

    class Look(BaseHook):
        def after_step(self, session, batch):
            assert session.known == len(session.history) >= session.iteration - 1

    run.start(Said(), 4, Look())
    # The first is read for the save after it, the last for the one at the end.
    assert said == ["begin 1", "read 1", "begin 2", "begin 3", "read 2", "begin 4", "read 3", "read 4"]


class SaveAt(BaseHook):
    """Saves, or stops the run, after so many iterations."""

    def __init__(self, number, act):
        self.number, self.act = number, act

    def after_step(self, session, batch):
        if session.iteration == self.number:
            self.act(session)


def test_a_bad_step_is_not_saved_even_where_its_loss_was_not_read_yet(run):
    seen = []

    def save(session):
        seen.append((session.iteration, session.known))
        session.save()

    stub = Stub({4: float("nan")})
    assert run.start(stub, 8, SaveAt(5, save)).iteration == 8
    assert seen == [(5, 4), (5, 4)] and stub.settings.rate == 0.5
    data, value = saved(run)
    assert data.iteration == value == 8 and np.isfinite(data.loss_history).all()


def test_a_run_that_is_stopped_on_a_bad_step_keeps_the_save_before(run):
    def stop(session):
        raise StopRequested("a test")

    with pytest.raises(DivergedError, match="iteration 5") as caught:
        run.start(Stub({4: float("nan")}), 8, SaveAt(5, stop))
    assert caught.value.exit_code == 6 and "the last save is untouched" in str(caught.value)
    assert saved(run)[0].iteration == 1
