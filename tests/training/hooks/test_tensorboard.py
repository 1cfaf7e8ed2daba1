"""Event files: what is read back is what was trained, a rollback is taken back, a missing package is named."""

import json
import sys
from types import SimpleNamespace

import pytest
from training_cases import TINY, make_workspace

from core.errors import EnvironmentFault
from core.stages.models import train
from core.training.hooks.tensorboard import TensorBoard
from core.workspace import Workspace


def events(folder):
    """What all event files hold, in the order they were written.

    Returns rows of (step, tag, value or image), and the steps from which on earlier rows do not count.
    """
    from tensorboardX.proto.event_pb2 import Event

    found, purged = [], []
    for path in sorted(folder.iterdir()):
        data, at = path.read_bytes(), 0
        while at < len(data):
            size = int.from_bytes(data[at : at + 8], "little")
            event = Event.FromString(data[at + 12 : at + 12 + size])
            at += size + 16
            found += [
                (event.step, v.tag, v.image.encoded_image_string or round(v.simple_value, 5))
                for v in event.summary.value
            ]
            purged += [event.step] if event.HasField("session_log") else []
    return found, purged


def test_what_is_written_can_be_read_back(tmp_path):
    root = make_workspace(tmp_path / "ws")
    train.run(
        train.Options(workers=0, **TINY, seed=1, target_iter=12, tensorboard=True, held_out=2, held_out_every=5),
        Workspace(root),
    )
    found, purged = events(root / "model/tensorboard/swap_SAEHD")
    lines = [json.loads(line) for line in (root / "model/metrics.jsonl").read_text().splitlines()]
    scalars = {(step, tag): value for step, tag, value in found}
    assert {step for step, tag, _ in found if tag == "loss/src"} == {1, 10, 12}  # saves, and every ten
    assert scalars[10, "loss/dst"] == pytest.approx(sum(line["dst_loss"] for line in lines[1:10]) / 9, abs=2e-5)
    assert scalars[10, "learning_rate"] == pytest.approx(5e-5)
    assert scalars[5, "held_out/src"] == pytest.approx(lines[4]["held_src"], abs=2e-5)
    assert (12, "held_out/dst") in scalars
    assert scalars[12, "preview"] == (root / "model/preview/latest.jpg").read_bytes()
    assert purged == [1]


def test_a_rollback_takes_back(tmp_path):
    def session(iteration):
        trainer = SimpleNamespace(settings=SimpleNamespace(rate=1.0))
        return SimpleNamespace(
            iteration=iteration,
            known=iteration - 1,
            history=[[1.0, 1.0]],
            spent=0.1,
            waited=0.0,
            validation_losses=[],
            trainer=trainer,
            recipe=SimpleNamespace(kind="SAEHD"),
        )

    hook = TensorBoard(tmp_path / "events", tmp_path / "none.jpg", 0)
    # The losses of the 14th are those of a save, and stay.
    for iteration in (*range(1, 21), 15, 16):
        hook.after_step(session(iteration), None)
    hook.at_end(session(16))
    assert sorted(events(tmp_path / "events")[1]) == [1, 15]


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(EnvironmentFault, match="pip install 'tensorboardX") as caught:
        TensorBoard(tmp_path, tmp_path / "x.jpg", 0)
    assert caught.value.exit_code == 4
