"""The train stage as a person runs it, at a tiny size: resume, refusals, archives, model folders, kill -9."""

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from golden_files import golden_path
from paths import ROOT
from runner import flags
from training_cases import TINY, make_faceset, make_workspace

from core.checkpoints.model_folder import ModelFolder
from core.checkpoints.selection import discover
from core.errors import InputError, UsageError
from core.formats import dfl_image, dfl_weights
from core.imaging.masks import encode_mask
from core.options import parse
from core.stages.models import train
from core.training import start
from core.training.choices import Choices
from core.training.recipe import Recipe
from core.training.settings import TrainerSettings
from core.training.sources import facesets
from core.training.trainer import Trainer
from core.types import Polygon
from core.workspace import Workspace

FILES = ("encoder.npy", "inter_AB.npy", "inter_B.npy", "decoder.npy", "src_dst_opt.npy", "data.dat")


def run(root, *, options=TINY, **more):
    return train.run(train.Options(workers=0, **options, **more), Workspace(root))


@pytest.mark.parametrize("on_device", [False, True])
def test_stopped_and_resumed_equals_uninterrupted_bit_for_bit(tmp_path, on_device):
    own = {"frequency_power": 0.3, "swap_mask_power": 0.5, "match_colors": True}
    own |= {} if on_device else {"perceptual_power": 0.5}  # its network is the larger part of the time
    more = {"random_hsv_power": 0.1, "ct_mode": "rct", "seed": 5, "warp_on_device": on_device, **own}
    whole, parts = (make_workspace(tmp_path / name) for name in ("whole", "parts"))
    report = run(whole, target_iter=4, **more)
    run(parts, target_iter=2, **more)
    run(parts, options={}, target_iter=4)
    for name in FILES:
        assert (whole / f"model/swap_SAEHD_{name}").read_bytes() == (parts / f"model/swap_SAEHD_{name}").read_bytes(), (
            name
        )
    assert all(path.is_file() for path in report.outputs) and any(path.suffix == ".dfm" for path in report.outputs)
    assert [json.loads(line)["iter"] for line in (parts / "model/metrics.jsonl").read_text().splitlines()] == [
        1,
        2,
        3,
        4,
    ]
    assert (
        dict(run(parts, options={}, target_iter=3).rows)["iterations"] == "4 -> 4"
    )  # already there: exported, no error
    with pytest.raises(UsageError, match="--ae-dims 64 but the model has 32"):
        run(parts, options={}, ae_dims=64)


@pytest.mark.usefixtures("eager")
def test_where_samples_are_warped_stays_with_the_model_and_hardly_shows(tmp_path):
    folder = ModelFolder(make_workspace(tmp_path) / "model", "swap")
    root = folder.folder.parent
    losses = []
    for number, given in enumerate((True, None, False), 1):
        run(root, options=TINY if given else {}, target_iter=number, warp_on_device=given)
        kept = start.planned(folder, Choices(), tmp_path).settings
        assert kept.warp_on_device == (given is not False)
    for given in (True, False):
        other = make_workspace(tmp_path / str(given))
        run(other, target_iter=1, warp_on_device=given, seed=5)
        losses.append(dfl_weights.read_data(other / "model/swap_SAEHD_data.dat").loss_history[0])
    assert losses[0] == pytest.approx(losses[1], rel=0.02) and losses[0] != losses[1]
    with pytest.raises(UsageError, match="--no-warp-on-device"):
        run(root, options={}, target_iter=4, warp_on_device=True, dfl_exact=True)


@pytest.mark.usefixtures("eager")
def test_the_preview_shows_no_face_that_is_gone(tmp_path, caplog):
    root = make_workspace(tmp_path)
    run(root, target_iter=1)

    def sample():
        return dfl_weights.read_data(root / "model/swap_SAEHD_data.dat").preview_sample

    first = sample()
    run(root, options={}, target_iter=2)
    assert np.array_equal(sample()[0][1], first[0][1])
    for path in sorted((root / "data_src/aligned").iterdir())[:3]:
        path.unlink()
    with caplog.at_level("INFO"):
        run(root, options={}, target_iter=3)
    assert "the faces have changed" in caplog.text and not np.array_equal(sample()[0][1], first[0][1])


def test_the_target_is_one_option_whatever_the_kind_and_no_part_of_the_model(tmp_path):
    for arguments in (["7"], ["--target-iter", "7"], ["--kind", "Quick96", "7"], ["7", "--target-iter", "7"]):
        options = parse(train.Options, "train", arguments)
        assert train._settings(options).target == 7 and "target_iter" not in train._choices(options).recipe
    assert train._settings(parse(train.Options, "train", [])).target == 0
    with pytest.raises(UsageError, match="TARGET_ITER is 7, --target-iter is 8"):
        parse(train.Options, "train", ["7", "--target-iter", "8"])
    options = parse(train.Options, "train", ["--archi", "df", "--no-pretrain", "--seed", "3"])
    choices = train._choices(options)
    assert choices.recipe == {"archi": "df", "pretrain": False} and choices.seed == 3 and choices.precision is None


@pytest.mark.usefixtures("eager")
def test_a_model_folder_of_the_original_goes_on(tmp_path):
    root, original = make_workspace(tmp_path), golden_path("dfl-model/model_folder")
    for path in original.iterdir():
        if path.is_file():
            shutil.copyfile(path, root / "model" / path.name)
    (name,) = discover(root / "model")
    before = dfl_weights.read_data(root / f"model/{name}_SAEHD_data.dat")
    run(root, options={}, target_iter=before.iteration + 1)
    after = dfl_weights.read_data(root / f"model/{name}_SAEHD_data.dat")
    assert after.iteration == before.iteration + 1 and after.loss_history[: before.iteration] == before.loss_history
    assert {k: v for k, v in after.options.items() if k != "models_opt_on_gpu"} == {
        k: v for k, v in before.options.items() if k != "models_opt_on_gpu"
    }
    moved = dfl_weights.read_optimizer(root / f"model/{name}_SAEHD_src_dst_opt.npy")
    theirs = dfl_weights.read_optimizer(original / f"{name}_SAEHD_src_dst_opt.npy")
    assert moved.iterations == theirs.iterations + 1


def test_no_faces_and_several_models_and_bad_names(tmp_path):
    root = make_workspace(tmp_path, 1)
    shutil.rmtree(root / "data_dst/aligned")
    with pytest.raises(InputError, match="4_extract_dst_faces"):
        run(root, target_iter=1)
    for name in ("a", "b"):
        (root / f"model/{name}_SAEHD_data.dat").write_bytes(b"x")
    with pytest.raises(UsageError, match="--model NAME"):
        run(root, target_iter=1)
    for name in ("", ".hidden", "a/b"):
        with pytest.raises(ValueError, match="no slash"):
            train.Options(model=name)


def test_random_dst_faces_fill_an_empty_side(tmp_path):
    make_faceset(tmp_path / "faces", 3, (1, 2, 3))
    assets = tmp_path / "assets"
    assets.mkdir()
    with zipfile.ZipFile(assets / "random_dst_face_set.zip", "w") as archive:
        for path in (tmp_path / "faces").iterdir():
            archive.write(path, f"set/{path.name}")
        archive.writestr("set/readme.exe", b"no")
    workspace = Workspace(tmp_path / "ws", assets).create()
    make_faceset(workspace.side("src").aligned, 2, (9, 9, 200))
    src, dst = facesets.facesets(Recipe(), workspace, None)
    assert (len(src), len(dst)) == (2, 3)
    assert sorted(p.name for p in workspace.side("dst").aligned.iterdir()) == [f"0000{i}_0.jpg" for i in range(3)]


@pytest.mark.parametrize(("exact", "src"), [(False, "1 xseg, 1 polygons, 1 hull"), (True, "1 xseg, 2 hull")])
def test_the_log_says_where_the_masks_come_from(tmp_path, caplog, exact, src):
    root = make_workspace(tmp_path, 3)
    drawn, stored, _ = sorted((root / "data_src/aligned").iterdir())
    square = Polygon(True, np.array([(20, 20), (70, 20), (70, 70)], np.float32))
    for path, changes in (
        (drawn, {"polygons": (square,)}),
        (stored, {"polygons": (square,), "xseg_mask": encode_mask(np.ones((16, 16)))}),
    ):
        dfl_image.write(path, path.read_bytes(), replace(dfl_image.read(path), **changes))
    session = SimpleNamespace(
        recipe=Recipe(**TINY), trainer=SimpleNamespace(settings=TrainerSettings(exact=exact)), validation_count=0
    )
    with caplog.at_level("INFO"):
        facesets.batch_settings(session, Workspace(root))
    assert f"src masks: {src}" in caplog.messages and "dst masks: 3 hull" in caplog.messages


def pretrained(tmp_path):
    """Archive of a small df model with a seed of its own, and the trainer that made it."""
    recipe = Recipe(**{**TINY, "archi": "df-u"})
    trainer = Trainer(recipe, TrainerSettings(seed=9))
    folder = ModelFolder(tmp_path / "made", "old name")
    folder.folder.mkdir()
    from core.training.session import Session

    Session(folder, recipe, trainer, iteration=77).save()
    archive = tmp_path / "assets/pretrained_model.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as out:
        for path in folder.folder.glob("*_SAEHD_*"):
            out.write(path, path.name)
    return archive.parent, trainer


def test_a_new_model_starts_from_the_pretrained_one(tmp_path):
    assets, trainer = pretrained(tmp_path)
    folder = ModelFolder(tmp_path / "model", "swap")
    session = start.open_session(folder, Choices({"batch_size": 3}), assets)
    assert (
        session.recipe.archi == "df-u"
        and session.recipe.ae_dims == 32
        and session.recipe.batch_size == 3
        and session.iteration == 0
    )
    ours, theirs = session.trainer.weights(), trainer.weights()
    assert all((ours[name][key] == theirs[name][key]).all() for name in theirs for key in theirs[name])
    assert not list((tmp_path / "model").glob(".pre*"))
    with pytest.raises(UsageError, match="df-u"):
        start.open_session(folder, Choices({"archi": "liae-ud"}), assets)
    fresh = start.open_session(folder, Choices(TINY, use_pretrained=False), assets)
    assert fresh.recipe.archi == "liae-udt"


def test_discriminators_are_saved_and_taken_over(tmp_path):
    recipe = Recipe(**{**TINY, "archi": "df-ud"}, gan_power=0.1, gan_patch_size=8, true_face_power=0.1)
    first, second = (Trainer(recipe, TrainerSettings(seed=seed)) for seed in (1, 2))
    writers = first.writers()
    assert {"GAN.npy", "GAN_opt.npy", "code_discriminator.npy", "D_code_opt.npy", "src_dst_opt.npy"} <= set(writers)
    files = {}
    for name, write in writers.items():
        files[name] = tmp_path / name
        with open(files[name], "wb") as stream:
            write(stream)
    second.load(files)
    for a, b in zip(first.discriminators, second.discriminators, strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a.network.get_weights(), b.frozen.get_weights(), strict=True))
    assert "ms_D_src/in_conv/weight_0:0" in dfl_weights._read_dict(files["GAN_opt.npy"])
    del files["decoder_src.npy"]
    with pytest.raises(InputError, match="--reinit-part decoder_src"):
        second.load(files)
    second.load(files, ("decoder_src",))


def test_leaving_pretraining_keeps_encoder_and_decoder_only(tmp_path):
    recipe = Recipe(**TINY, pretrain=True)
    trainer = Trainer(recipe, TrainerSettings(seed=4))
    assert not trainer.optimizer._frozen  # inter_AB learns too, unless the original's defect is asked for
    for model in trainer.networks.values():
        model.set_weights([w + 1 for w in model.get_weights()])
    folder = ModelFolder(tmp_path / "model", "swap")
    folder.folder.mkdir()
    start.Session(folder, recipe, trainer, iteration=50, history=[[1.0, 1.0]] * 50).save()
    session = start.open_session(folder, Choices({"pretrain": False}), tmp_path)
    before, after = trainer.weights(), session.trainer.weights()
    same = {name: all((before[name][key] == after[name][key]).all() for key in before[name]) for name in before}
    assert same == {"encoder": True, "inter_AB": False, "inter_B": False, "decoder": True}
    assert session.iteration == 0 and session.history == []
    with pytest.raises(UsageError, match="--pretrain-faces"):
        facesets.facesets(recipe, Workspace(tmp_path), None)


def test_without_random_warp_inter_ab_rests_but_keeps_its_moments():
    trainer = Trainer(Recipe(**TINY, random_warp=False), TrainerSettings())
    names = trainer.variable_names()
    assert trainer.optimizer._frozen == {i for i, name in enumerate(names) if name.startswith("inter_AB/")}
    assert {name for slot, name, _ in trainer.optimizer.slot_arrays(names)} == set(names)


@pytest.mark.e2e
def test_kill_9_while_training_then_resume(tmp_path, eager):
    root = make_workspace(tmp_path)
    environment = {**os.environ, "WORKSPACE": str(root)}
    command = [
        sys.executable,
        "-m",
        "core",
        "train",
        *flags({**TINY, "archi": "liae", "workers": 1}),
        "--save-minutes",
        "0.001",
    ]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and process.poll() is None and _saved(root) < 3:
            time.sleep(0.05)
        process.kill()
    done = _saved(root)
    assert done >= 3
    run(root, options={}, target_iter=done + 2)
    assert _saved(root) == done + 2


def _saved(root):
    folder = ModelFolder(root / "model", "swap")
    return dfl_weights.read_data(folder.load(repair=False).files["data.dat"]).iteration if folder.exists() else 0
