"""Training the mask network: a small one, for a few iterations."""

import errno
import json

import numpy as np
import pytest
from drawn_faces import write_faces

from core.data.xseg_samples import XSegBatch, XSegSamples, XSegSettings
from core.errors import CorruptFileError, DiskFullError, InputError, Interrupted, OutOfMemoryFault, UsageError
from core.faces.maskers.xseg import XSegMasker
from core.faceset.store import open_faceset
from core.formats import dfl_weights
from core.geometry.align import FaceType
from core.inference.xseg_weights import find
from core.options import parse
from core.training.xseg.choices import XSegChoices
from core.training.xseg.loop import prefetched, save, train
from core.training.xseg.model import XSegRecipe, XSegTrainer
from core.training.xseg.preview import preview
from core.training.xseg.session import XSegFolder, open_session
from core.workspace import Workspace

SMALL = XSegChoices(face_type="wf", resolution=64, base=2, batch_size=2)
pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def faces(tmp_path):
    write_faces(tmp_path / "w" / "data_src" / "aligned", 4, size=64)
    return open_faceset(tmp_path / "w" / "data_src" / "aligned")


def samples(faces, **keys):
    return XSegSamples([faces], XSegSettings(64, FaceType.WHOLE_FACE, 2, seed=0, **keys), "landmarks")


def test_the_loss_falls_on_one_batch(faces):
    trainer = XSegTrainer(XSegRecipe(64, 4))
    trainer.set_rate(1e-3, dropout=False)
    batch = samples(faces).batch(0)
    losses = [trainer.step(batch) for _ in range(10)]
    assert losses[0] == pytest.approx(0.69, abs=0.15)
    assert losses[-1] < 0.8 * losses[0]
    made = trainer.predict(batch.image)
    assert made.shape == (2, 64, 64, 1) and ((made > 0.5) == (batch.target > 0.5)).mean() > 0.6
    sheet = preview(trainer, batch, [samples(faces, plain=True)])
    assert sheet.shape == (26 + 6 * 160, 3 * 160, 3) and sheet.dtype == np.uint8


def test_the_loss_is_the_mean_cross_entropy(faces):
    trainer = XSegTrainer(XSegRecipe(64, 2))
    batch = samples(faces).batch(0)
    p = np.clip(trainer.predict(batch.image).astype(np.float64), 1e-9, 1 - 1e-9)
    expected = -(batch.target * np.log(p) + (1 - batch.target) * np.log(1 - p)).mean()
    assert trainer.step(batch) == pytest.approx(expected, rel=1e-4)


def test_resuming_is_exact(faces, tmp_path):
    made = samples(faces)

    def run(folder, stops):
        for stop in stops:
            session = open_session(XSegFolder(folder), SMALL, tmp_path / "trash")
            session.target = stop
            train(session, made, [], threads=2)
        return session

    through, halves = run(tmp_path / "a", [2]), run(tmp_path / "b", [1, 2])
    assert halves.iteration == 2 and len(halves.history) == 2
    assert np.allclose(through.history, halves.history, atol=1e-6)
    one, other = (dfl_weights.read_weights(tmp_path / name / "XSeg_64.npy") for name in "ab")
    assert all(np.abs(one[key] - other[key]).max() < 1e-6 for key in one)
    state = dfl_weights.read_optimizer(tmp_path / "b" / "XSeg_64_opt.npy")
    assert state.iterations == 2 and "XSeg/conv01/conv/weight:0" in state.slots["acc"]


def test_the_files_are_those_of_the_original_and_apply_at_once(faces, tmp_path):
    session = open_session(XSegFolder(tmp_path / "m"), SMALL, tmp_path / "trash")
    session.target = 1
    train(session, samples(faces), [], threads=1)
    names = {p.name for p in (tmp_path / "m").iterdir() if not p.name.startswith(".")}
    assert names == {"XSeg_64.npy", "XSeg_64_opt.npy", "XSeg_data.dat", "XSeg_summary.txt", "XSeg_forge.json"}
    data = dfl_weights.read_data(tmp_path / "m" / "XSeg_data.dat")
    assert data.options == {"face_type": "wf", "batch_size": 2, "pretrain": False}
    assert data.iteration == 1 and len(data.loss_history[0]) == 1
    found = find(tmp_path / "m", None)
    assert (found.resolution, found.width, found.face_type) == (64, 2, FaceType.WHOLE_FACE)
    image = np.random.default_rng(0).random((1, 64, 64, 3), np.float32)
    made = session.trainer.predict(image)[0, ..., 0]
    assert np.abs(XSegMasker(found, None).infer(list(image))[0] - np.where(made < 0.1, 0, made)).max() < 1e-4


def test_pretraining_then_masks(faces, tmp_path):
    folder = XSegFolder(tmp_path / "m")
    from dataclasses import replace

    session = open_session(folder, replace(SMALL, pretrain=True), tmp_path / "trash")
    grey = samples(faces, pretrain=True)
    session.target = 1
    train(session, grey, [], threads=1)
    learned = session.trainer.network.get_weights()
    assert session.history[0][0] > 1  # dissimilarity, not cross entropy
    after = open_session(folder, replace(SMALL, pretrain=False), tmp_path / "trash")
    assert after.iteration == 0 and after.options["pretrain"] is False
    assert all(np.array_equal(a, b) for a, b in zip(learned, after.trainer.network.get_weights(), strict=True))
    assert open_session(folder, SMALL, tmp_path / "trash").iteration == 1


def test_what_belongs_to_the_model_cannot_change(faces, tmp_path):
    from dataclasses import replace

    session = open_session(XSegFolder(tmp_path / "m"), SMALL, tmp_path / "trash")
    session.iteration = 5
    save(session, [])
    for change in ({"resolution": 128}, {"base": 4}, {"face_type": "head"}):
        with pytest.raises(UsageError, match="cannot change"):
            open_session(XSegFolder(tmp_path / "m"), replace(SMALL, **change), tmp_path / "trash")
    assert open_session(XSegFolder(tmp_path / "m"), XSegChoices(), tmp_path / "trash").iteration == 5
    anew = open_session(XSegFolder(tmp_path / "m"), replace(SMALL, base=4, restart=True), tmp_path / "trash")
    assert anew.iteration == 0 and not (tmp_path / "trash").exists()
    # Nothing is lost until the new one is saved.
    assert open_session(XSegFolder(tmp_path / "m"), XSegChoices(), tmp_path / "trash").iteration == 5

    def full(stream):
        raise OSError(errno.ENOSPC, "no space")

    writers, anew.trainer.writers = anew.trainer.writers, lambda: {"XSeg_64.npy": full}
    with pytest.raises(DiskFullError):
        save(anew, [])
    assert open_session(XSegFolder(tmp_path / "m"), XSegChoices(), tmp_path / "trash").trainer.recipe.base == 2
    anew.trainer.writers = writers
    save(anew, [])
    assert any("XSeg_64.npy" in p.name for p in (tmp_path / "trash").iterdir())
    assert open_session(XSegFolder(tmp_path / "m"), XSegChoices(), tmp_path / "trash").trainer.recipe.base == 4


@pytest.mark.parametrize("state", [{"resolution": "large"}, {"base": 0}, {"seed": -1}, {"resolution": 100}])
def test_a_state_that_no_run_has_written_is_named(faces, tmp_path, state):
    save(open_session(XSegFolder(tmp_path / "m"), SMALL, tmp_path / "trash"), [])
    (tmp_path / "m" / "XSeg_forge.json").write_text(json.dumps(state))
    with pytest.raises(CorruptFileError, match=next(iter(state))):
        open_session(XSegFolder(tmp_path / "m"), XSegChoices(), tmp_path / "trash")


def test_memory_that_is_used_up_is_code_5(faces, tmp_path, monkeypatch):
    session = open_session(XSegFolder(tmp_path / "m"), SMALL, tmp_path / "trash")
    session.target = 2

    def used_up(batch):
        raise RuntimeError("RESOURCE_EXHAUSTED: OOM when allocating")

    monkeypatch.setattr(session.trainer, "step", used_up)
    with pytest.raises(OutOfMemoryFault, match="--batch-size"):
        train(session, samples(faces), [], threads=1)


def test_weights_without_their_data_are_not_overwritten(tmp_path):
    (tmp_path / "XSeg_64.npy").write_bytes(b"x")
    with pytest.raises(InputError, match="without their"):
        open_session(XSegFolder(tmp_path), SMALL, tmp_path / "trash")


def test_prefetched_batches_come_in_order(faces):
    made = samples(faces)
    with prefetched(made, 3, 3) as batches:
        got = [next(batches) for _ in range(5)]
    assert [batch.iteration for batch in got] == [3, 4, 5, 6, 7]
    assert isinstance(got[0], XSegBatch) and np.array_equal(got[1].image, made.batch(4).image)


def test_the_stage_trains_stops_and_goes_on(faces, tmp_path):
    from core.stages.models import train_xseg

    workspace = Workspace(tmp_path / "w").create()
    arguments = ["--labels", "landmarks", "--resolution", "64", "--base", "2", "--batch-size", "2", "--threads", "2"]

    def run(*more):
        return train_xseg.run(parse(train_xseg.Options, "train-xseg", [*more, *arguments]), workspace)

    report = run("1")
    assert dict(report.rows)["their masks"] == "4 landmarks" and dict(report.rows)["faces learned from"] == 4
    assert dict(report.rows)["iterations"] == "0 -> 1" and (workspace.model / "preview" / "xseg.jpg").is_file()
    assert report.warnings and json.loads((workspace.model / "XSeg_forge.json").read_text())["base"] == 2
    (workspace.model / "STOP").touch()
    with pytest.raises(Interrupted, match="iteration 2"):
        run()
    assert dict(run("3").rows)["iterations"] == "2 -> 3"
    with pytest.raises(InputError, match="no labelled"):
        train_xseg.run(parse(train_xseg.Options, "train-xseg", ["5"]), workspace)


def test_a_face_that_cannot_be_read_is_named_and_the_others_are_learned(faces, tmp_path, caplog):
    from core.stages.models import train_xseg

    workspace = Workspace(tmp_path / "w").create()
    path = workspace.side("src").aligned / "00002_0.jpg"
    data = path.read_bytes()
    path.write_bytes(data[:-200])  # its metadata is whole
    given = ["6", "--labels", "landmarks", "--resolution", "64", "--base", "2", "--batch-size", "2"]
    with caplog.at_level("WARNING"):
        report = train_xseg.run(parse(train_xseg.Options, "train-xseg", given), workspace)
    assert dict(report.rows)["iterations"] == "0 -> 6" and dict(report.rows)["faces that cannot be read"] == 1
    assert "00002_0.jpg" in caplog.text


def test_a_side_that_cannot_be_read_is_not_left_out_silently(faces, tmp_path):
    """Without faces a side is left out; one with damaged faces is an error even if the other side is fine."""
    from core.jobs.models.train_xseg import facesets_of

    workspace = Workspace(tmp_path / "w").create()
    assert [len(found) for found in facesets_of(workspace)] == [4]
    (workspace.side("dst").aligned / "holiday.jpg").write_bytes(b"no face")
    with pytest.raises(InputError, match="no picture here is a face"):
        facesets_of(workspace)
    with pytest.raises(InputError, match="no faces to learn from"):
        facesets_of(Workspace(tmp_path / "empty").create())
