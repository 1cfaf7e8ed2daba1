"""AMP and Quick96 beside SAEHD: options, choice of the model, files, objective, resume, preview, export."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
from golden_files import golden_json
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import convolve1d
from training_cases import make_workspace

from core.checkpoints.model_folder import ModelFolder
from core.checkpoints.selection import choose, choose_or_new
from core.data.batches import BatchMaker, BatchSettings, TrainingBatch
from core.errors import InputError, UsageError
from core.faceset.store import open_faceset
from core.formats import dfl_weights
from core.geometry.align import FaceType
from core.networks.config import QUICK96
from core.stages.models import export, train
from core.stages.models import model as model_stage
from core.training import kinds, start
from core.training import recipe as recipes
from core.training.choices import Choices
from core.training.hooks.preview import columns, sample_of
from core.training.inputs import shares, training_inputs
from core.training.recipe import Recipe
from core.training.session import usable_sample
from core.training.settings import TrainerSettings
from core.training.trainer import Trainer
from core.workspace import Workspace

pytestmark = pytest.mark.usefixtures("eager")
AMP = {
    "kind": "AMP",
    "resolution": 64,
    "ae_dims": 32,
    "inter_dims": 48,
    "e_dims": 16,
    "d_dims": 16,
    "d_mask_dims": 16,
    "batch_size": 2,
}
SMALL96 = {"resolution": 64, "ae_dims": 32, "e_dims": 16, "d_dims": 16, "d_mask_dims": 16}


@pytest.fixture
def small96(monkeypatch):
    """Quick96 with networks small enough for a test."""
    monkeypatch.setitem(kinds.KINDS, "Quick96", replace(kinds.QUICK96_KIND, forced=kinds.QUICK96_KIND.forced | SMALL96))


def begun(**given):
    recipe = recipes.of_new_model(given, given.get("kind", "SAEHD"))
    recipes.require_trainable(recipe)
    return recipe


def random_batch(recipe, seed=3, iteration=0):
    random, side = np.random.RandomState(seed), (2, recipe.batch_size, recipe.resolution, recipe.resolution)
    face = np.zeros((*side, 1), np.float32)
    face[:, :, 10:-12, 14:-9] = 1
    eyes = face * (random.rand(*side, 1) > 0.8)
    return TrainingBatch(
        iteration, *(random.rand(*side, 3).astype(np.float32) for _ in range(2)), face, eyes.astype(np.float32)
    )


# Options


def test_every_option_of_a_kind_is_a_field_and_what_is_no_option_is_forced_or_not_used():
    fields = set(Recipe.model_fields) - {"kind"}
    unused = {
        "SAEHD": {"inter_dims", "morph_factor"},
        "AMP": set(),
        "Quick96": {
            "inter_dims",
            "morph_factor",
            "gan_patch_size",
            "gan_dims",
            "target_iter",
            "autobackup_hour",
            "write_preview_history",
        },
    }
    for name, kind in kinds.KINDS.items():
        assert set(kind.choosable) - {"models_opt_on_gpu"} | set(kind.forced) | unused[name] == fields, name
        assert not set(kind.choosable) & set(kind.forced)


def test_new_models_have_the_values_of_their_kind():
    amp, quick = begun(kind="AMP"), begun(kind="Quick96")
    assert (amp.resolution, amp.face_type, amp.ae_dims, amp.inter_dims, amp.morph_factor, amp.d_mask_dims) == (
        224,
        "wf",
        256,
        1024,
        0.5,
        22,
    )
    assert recipes.config_of(quick) == QUICK96 and recipes.to_saved(quick) == {"batch_size": 4}
    saved = list(recipes.to_saved(amp))
    assert saved[:4] == ["resolution", "face_type", "models_opt_on_gpu", "ae_dims"] and saved[-1] == "gan_dims"
    assert not {"archi", "masked_training", "adabelief", "pretrain"} & set(saved)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"kind": "AMP", "archi": "df-ud"}, "--archi"),
        ({"kind": "AMP", "pretrain": True}, "--pretrain"),
        ({"kind": "Quick96", "resolution": 96}, "--resolution"),
        ({"kind": "Quick96", "gan_power": 0.1}, "--gan-power"),
        ({"inter_dims": 64}, "--inter-dims"),
        ({"kind": "SAEHD", "morph_factor": 0.4}, "--morph-factor"),
    ],
)
def test_an_option_that_the_kind_does_not_have_is_refused(given, named):
    kind = given.get("kind", "SAEHD")
    with pytest.raises(UsageError, match=f"(?s){kind} models have no such option.*{named}"):
        recipes.of_new_model(given, kind)
    with pytest.raises(UsageError, match=f"(?s){kind} models have no such option.*{named}"):
        recipes.of_saved_model(given, {}, "data.dat", kind)


def test_amp_is_a_kind_and_no_architecture():
    with pytest.raises(UsageError, match="--kind AMP"):
        recipes.require_trainable(recipes.of_new_model({"archi": "amp"}, "SAEHD"))
    with pytest.raises(UsageError, match="--face-type h"):
        begun(kind="AMP", face_type="h")


def test_the_right_model_among_several(tmp_path):
    workspace = Workspace(tmp_path).create()

    def save(name, kind):
        data = dfl_weights.ModelData(3, {"batch_size": 4})
        ModelFolder(workspace.model, name, kind).save(
            3, {"data.dat": lambda stream: dfl_weights.write_data(stream, data)}
        )

    assert choose_or_new(workspace.model).prefix == "swap_SAEHD"
    assert choose_or_new(workspace.model, None, "Quick96").prefix == "swap_Quick96"
    save("swap", "AMP")
    assert (
        choose_or_new(workspace.model).prefix
        == choose_or_new(workspace.model, "swap").prefix
        == choose(workspace.model).prefix
        == "swap_AMP"
    )
    assert choose_or_new(workspace.model, "other", "SAEHD").prefix == "other_SAEHD"
    for name in (None, "swap"):
        with pytest.raises(UsageError, match=r"(?s)no SAEHD model.*swap \(AMP\)"):
            choose_or_new(workspace.model, name, "SAEHD")
    save("face", "Quick96")
    with pytest.raises(UsageError, match=r"(?s)several models.*swap \(AMP\), face \(Quick96\).*--model NAME"):
        choose_or_new(workspace.model)
    assert choose_or_new(workspace.model, None, "Quick96").prefix == "face_Quick96"
    save("face", "SAEHD")
    with pytest.raises(UsageError, match="(?s)--kind SAEHD or Quick96"):
        choose_or_new(workspace.model, "face")
    with pytest.raises(InputError, match="(?s)--kind SAEHD or Quick96"):
        choose(workspace.model, "face")
    assert model_stage.run(model_stage.Options(action="list", model="swap"), workspace).title.endswith("swap_AMP")
    listed = model_stage.run(model_stage.Options(action="list"), workspace)
    assert [name for name, _ in listed.rows] == ["face_SAEHD: save 3", "swap_AMP: save 3", "face_Quick96: save 3"]
    assert choose(workspace.model, "face", "SAEHD").prefix == "face_SAEHD"


def test_a_flag_that_contradicts_the_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match="(?s)keeps its kind.*--kind AMP"):
        start.open_session(ModelFolder(tmp_path, "swap", "Quick96"), Choices({"kind": "AMP"}), tmp_path)


# Random parts


def test_shares_have_the_number_of_ones_and_are_a_function_of_their_words():
    drawn = shares(6, 50, 0.33, (1, 2, 3))
    assert (
        set(np.unique(drawn)) == {0, 1}
        and (drawn.sum(axis=1) == 16).all()
        and len({row.tobytes() for row in drawn}) == 6
    )
    assert (drawn == shares(6, 50, 0.33, (1, 2, 3))).all() and (drawn != shares(6, 50, 0.33, (1, 2, 4))).any()
    recipe = begun(**AMP)
    assert training_inputs(random_batch(recipe), recipe, 0)["share"].shape == (4, 48)
    assert "share" not in training_inputs(random_batch(recipe), begun(), 0)


def test_every_third_batch_is_the_one_before_unwarped(tmp_path):
    root = make_workspace(tmp_path)
    faces = [open_faceset(root / f"data_{side}/aligned") for side in ("src", "dst")]
    maker = BatchMaker(BatchSettings(*faces, 64, FaceType.FULL, 2, seed=1, dst_flip=False, scale=0.05, repeat_every=3))
    made = [maker.make(number) for number in range(8)]
    for number, batch in enumerate(made):
        again = number in (3, 6)
        assert (batch.warped == batch.target).all() == again
        if number:
            assert (batch.target == made[number - 1].target).all() == again
    plain = BatchMaker(replace(maker.settings, repeat_every=0))
    assert all((made[a].warped == plain.make(b).warped).all() for a, b in ((0, 0), (2, 2), (4, 3), (5, 4), (7, 5)))


# Objective, against a second way to compute it


def blurred(x, sigma):
    size = max(3, int(4 * sigma))
    size += size % 2 == 0
    taps = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * sigma**2))
    for axis in (1, 2):
        x = convolve1d(x, taps / taps.sum(), axis=axis, mode="constant")
    return x


def dssim(a, b, size):
    places = (np.arange(size) - (size - 1) / 2) ** 2
    window = np.exp(-(places[:, None] + places) / (2 * 1.5**2))
    window /= window.sum()

    def mean(x):
        return np.einsum("bhwcij,ij->bhwc", sliding_window_view(x, (size, size), (1, 2)), window)

    ma, mb = mean(a), mean(b)
    ssim = (
        (2 * ma * mb + 1e-4)
        / (ma**2 + mb**2 + 1e-4)
        * (2 * (mean(a * b) - ma * mb) + 9e-4)
        / (mean(a * a + b * b) - ma**2 - mb**2 + 9e-4)
    )
    return ((1 - ssim.mean(axis=(1, 2))) / 2).mean(axis=-1)


def bce(label, z):
    return (np.maximum(z, 0) - z * label + np.log1p(np.exp(-np.abs(z)))).mean(axis=(1, 2, 3))


def variation(x, axes):
    return sum((np.diff(x, axis=axis) ** 2).sum(axis=(1, 2, 3)) for axis in axes)


def square(x):
    return (x**2).mean(axis=(1, 2, 3))


def sides(batch, views):
    """(target, mask, eyes and mouth, image, image mask) of src and of dst, float64."""
    image, mask = (np.asarray(views[name], np.float64) for name in ("image", "mask"))
    n = len(image) // 2
    return [
        (
            batch.target[i].astype(float),
            batch.mask[i].astype(float),
            batch.eyes_mouth[i].astype(float),
            image[i * n : i * n + n],
            mask[i * n : i * n + n],
        )
        for i in (0, 1)
    ]


def outputs(trainer, batch):
    x = training_inputs(batch, trainer.recipe, trainer.settings.seed)
    views = trainer.model(x)
    return (
        {k: np.asarray(v) for k, v in views.items()},
        float(trainer.model.compute_loss(x=x, y_pred=views)),
        np.asarray(trainer.model.reported.value),
    )


@pytest.mark.parametrize("exact", [False, True])
def test_objective_of_amp(exact):
    recipe = begun(**AMP, gan_power=0.2, gan_patch_size=8, blur_out_mask=True, morph_factor=0.3)
    trainer, batch = Trainer(recipe, TrainerSettings(seed=2, exact=exact)), random_batch(recipe, iteration=7)
    views, total, reported = outputs(trainer, batch)
    expected, losses = 0, []
    for number, (target, mask, eyes, image, image_mask) in enumerate(sides(batch, views)):
        share = 1 - blurred(mask, 0.5)
        share[share == 0] = 1
        target = target * mask + blurred(target * (1 - mask), 0.5) / share * (1 - mask)
        soft = 2 * np.clip(blurred(mask, 2), 0, 0.5)
        t, p = target * soft, image * soft
        loss = (
            5 * dssim(t, p, 5)
            + 5 * dssim(t, p, 2)
            + 10 * square(t - p)
            + 300 * np.abs((target - image) * eyes).mean(axis=(1, 2, 3))
            + 10 * square(mask - image_mask)
        )
        losses.append(loss.mean())
        (discriminator,) = trainer.discriminators
        logits = discriminator.network(p.astype(np.float32))
        expected += loss + 0.2 * sum(bce(1, np.asarray(z, np.float64)) for z in logits)
        axes, back = (1, 3) if exact else (1, 2), square((image - target) * (1 - soft))
        expected += (
            (0.1 * back + 1e-6 * variation(image * (1 - soft), axes))
            if number
            else 0.02 * back + 1e-6 * variation(image, axes)
        )
    assert reported == pytest.approx(losses, rel=1e-5) and total == pytest.approx(expected.sum(), rel=1e-5)


def test_code_of_src_is_mixed_by_the_shares_and_dst_has_its_own():
    recipe = begun(**AMP, morph_factor=0.25)
    trainer, batch = Trainer(recipe, TrainerSettings(seed=2)), random_batch(recipe)
    x = training_inputs(batch, recipe, 2)
    views = {k: np.asarray(v) for k, v in trainer.model(x).items()}
    encoded = trainer.networks["encoder"](x["warped"])
    src, dst = (np.asarray(trainer.networks[name](encoded)) for name in ("inter_src", "inter_dst"))
    share = x["share"][:2, None, None, :] == 1
    assert share.sum() == 2 * 12
    assert views["code_src"] == pytest.approx(np.where(share, src[:2], dst[:2]), abs=1e-6) and views[
        "code_dst"
    ] == pytest.approx(dst[2:], abs=1e-6)


def test_objective_of_the_discriminator_of_amp():
    recipe = begun(**AMP, gan_power=0.2, gan_patch_size=8)
    (discriminator,) = Trainer(recipe, TrainerSettings()).discriminators
    logits = [np.random.RandomState(i).randn(8, 4, 4, 1).astype(np.float32) for i in (1, 2)]
    expected = sum(bce(1, z[:4]).sum() + bce(0, z[4:]).sum() for z in logits) / 8
    assert float(discriminator.classifier.compute_loss(y_pred=logits)) == pytest.approx(expected, rel=1e-5)


def test_objective_of_quick96(small96):
    recipe = begun(kind="Quick96", batch_size=2)
    trainer, batch = Trainer(recipe, TrainerSettings(seed=2)), random_batch(recipe)
    views, total, reported = outputs(trainer, batch)
    losses = []
    for target, mask, _, image, image_mask in sides(batch, views):
        soft = blurred(mask, 2)  # at 96 pixels it is 3
        losses.append(
            10 * dssim(target * soft, image * soft, 5)
            + 10 * square((target - image) * soft)
            + 10 * square(mask - image_mask)
        )
    assert reported == pytest.approx([loss.mean() for loss in losses], rel=1e-5) and total == pytest.approx(
        sum(losses).sum(), rel=1e-5
    )
    optimizer = trainer.optimizer
    assert (type(optimizer).__name__, float(optimizer.learning_rate), optimizer.cosine, optimizer.keep) == (
        "RMSprop",
        pytest.approx(2e-4),
        0,
        308 / 1024,
    )


# Files


def written(trainer, folder):
    folder.mkdir(exist_ok=True)
    for name, write in trainer.writers().items():
        with open(folder / name, "wb") as stream:
            write(stream)
    return {name: folder / name for name in trainer.writers()}


def keys(path):
    return set(dfl_weights._read_dict(path))


def test_exact_amp_saves_and_moves_what_the_original_does_and_ours_trains_the_inters_too(tmp_path, caplog):
    recipe = begun(**AMP, gan_power=0.1, gan_patch_size=8, lr_dropout="n")
    exact, ours = (Trainer(recipe, TrainerSettings(seed=1, exact=exact)) for exact in (True, False))
    files = written(exact, tmp_path / "exact")
    assert set(files) == {
        "encoder.npy",
        "inter_src.npy",
        "inter_dst.npy",
        "decoder.npy",
        "src_dst_opt.npy",
        "GAN.npy",
        "GAN_opt.npy",
    }

    def moments(*networks):
        paths = {f"{name}/{key.replace(':', '_')}:0" for name in networks for key in keys(files[f"{name}.npy"])}
        return {"iters:0"} | {f"{slot}_{path}" for slot in ("ms", "vs") for path in paths}

    assert keys(files["src_dst_opt.npy"]) == moments("encoder", "decoder")
    assert keys(files["GAN_opt.npy"]) == moments("GAN")
    assert keys(written(ours, tmp_path / "ours")["src_dst_opt.npy"]) == moments(
        "encoder", "inter_src", "inter_dst", "decoder"
    )
    for trainer in (exact, ours):
        before = trainer.weights()
        trainer.step(random_batch(recipe))
        moved = {
            name: any((before[name][key] != array).any() for key, array in weights.items())
            for name, weights in trainer.weights().items()
        }
        assert moved == {"encoder": True, "inter_src": trainer is ours, "inter_dst": trainer is ours, "decoder": True}
    with caplog.at_level("WARNING"):
        ours.load(files)
    assert "no state for 8 of" in caplog.text and "inter_src/dense2/weight:0" in caplog.text


def test_names_and_shapes_of_amp_are_the_originals(tmp_path):
    recipe = begun(**AMP, gan_power=0.1, gan_patch_size=8)
    for name, model in written(Trainer(recipe, TrainerSettings()), tmp_path / "files").items():
        if name in ("encoder.npy", "inter_src.npy", "inter_dst.npy", "decoder.npy", "GAN.npy"):
            part = name.removesuffix(".npy")
            listed = golden_json(f"dfl-model/manifests/AMP-64-ae32-inter48-e16-d16-m16_{part}.json")
            assert {key: list(array.shape) for key, array in dfl_weights.read_weights(model).items()} == listed, name


# The stages


def run(root, **options):
    return train.run(train.Options(workers=0, **options), Workspace(root))


@pytest.mark.parametrize(
    "given", [{**AMP, "ct_mode": "rct"}, {"kind": "Quick96", "batch_size": 2}], ids=["AMP", "Quick96"]
)
def test_stopped_and_resumed_equals_uninterrupted_bit_for_bit(tmp_path, monkeypatch, small96, given):
    monkeypatch.setattr("core.networks.config.QUICK96", recipes.config_of(begun(kind="Quick96")))
    kind = given["kind"]
    whole, parts = (make_workspace(tmp_path / name) for name in ("whole", "parts"))
    report = run(whole, target_iter=5, seed=5, **given)
    run(parts, target_iter=2, seed=5, **given)
    run(parts, target_iter=5)  # the kind need not be said again
    files = {path.name for path in (whole / "model").glob(f"swap_{kind}_*.npy")}
    assert {f"swap_{kind}_{name}.npy" for name in ("encoder", "src_dst_opt")} <= files
    for name in (*files, f"swap_{kind}_data.dat", f"swap_{kind}_summary.txt"):
        assert (whole / "model" / name).read_bytes() == (parts / "model" / name).read_bytes(), name
    assert any(path.name == f"swap_{kind}_model.dfm" and path.is_file() for path in report.outputs)
    data = dfl_weights.read_data(whole / f"model/swap_{kind}_data.dat")
    assert (
        list(data.options) == list(kinds.KINDS[kind].options)
        and [len(side) for side in data.preview_sample] == [kinds.KINDS[kind].sample_arrays] * 2
    )
    assert usable_sample(data.preview_sample, 64) is not None
    summary = (whole / f"model/swap_{kind}_summary.txt").read_text()
    assert f"swap_{kind}" in summary and "batch_size: 2" in summary and ("inter_dims" in summary) == (kind == "AMP")
    with pytest.raises(UsageError, match=f"(?s)no SAEHD model.*swap \\({kind}\\)"):
        run(parts, target_iter=6, kind="SAEHD")
    workspace = Workspace(parts)
    model_stage.run(model_stage.Options(action="backup", name="kept"), workspace)
    assert dict(model_stage.run(model_stage.Options(action="restore", name="kept"), workspace).rows) == {"iteration": 5}


def test_the_export_of_amp_is_what_the_preview_shows(tmp_path):
    root = make_workspace(tmp_path)
    recipe = begun(**AMP)
    trainer = Trainer(recipe, TrainerSettings(seed=6))
    for number in range(2):
        trainer.step(random_batch(recipe, number, number))
    start.Session(
        ModelFolder(root / "model", "m", "AMP"), recipe, trainer, iteration=2, history=[[1.0, 1.0]] * 2
    ).save()
    path = export.run(export.Options(), Workspace(root)).outputs[0]
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    src, dst = random_batch(recipe).target
    for morph in (0, 0.5, 1):
        mask, face, face_mask = session.run(None, {"in_face:0": dst, "morph_value:0": np.array([morph], np.float32)})
        views = trainer.views(src, dst, morph)
        assert (
            max(
                np.abs(a - b).max()
                for a, b in ((mask, views["dd_mask"]), (face, views["sd"]), (face_mask, views["sd_mask"]))
            )
            < 1e-5
        )
        assert (np.abs(views["sd"] - views["dd"]).max() < 1e-6) == (morph == 0)


def test_the_preview_of_amp_shows_the_steps():
    recipe = begun(**AMP)
    trainer, batch = Trainer(recipe, TrainerSettings(seed=6)), random_batch(recipe)
    shown = columns(SimpleNamespace(sample=sample_of(batch), recipe=recipe, trainer=trainer))
    assert len(shown) == 10
    for column, title, morph in ((4, "25% source", 0.25), (6, "75% source", 0.75), (7, "swap", 1.0)):
        assert shown[column][0] == title
        assert np.abs(shown[column][1] - trainer.views(*batch.target, morph)["sd"]).max() < 1e-6


def test_quick96_starts_from_bare_files(tmp_path, small96):
    import zipfile

    recipe = begun(kind="Quick96")
    trainer = Trainer(recipe, TrainerSettings(seed=9))
    trainer.optimizer.iterations.assign(11)
    (tmp_path / "assets").mkdir()
    with zipfile.ZipFile(tmp_path / "assets/pretrained_model_Quick96.zip", "w") as archive:
        for name, path in written(trainer, tmp_path / "files").items():
            archive.write(path, name)
    session = start.open_session(
        ModelFolder(tmp_path / "model", "swap", "Quick96"),
        Choices({"batch_size": 3}),
        tmp_path / "assets",
    )
    ours, theirs = session.trainer.weights(), trainer.weights()
    assert all((ours[name][key] == theirs[name][key]).all() for name in theirs for key in theirs[name])
    assert (
        session.recipe.batch_size == 3
        and session.iteration == 0
        and int(session.trainer.optimizer.iterations.value) == 11
    )
