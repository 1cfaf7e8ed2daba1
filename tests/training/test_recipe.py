"""Options of a model: what is fixed, what is kept, what is refused."""

import pytest

from core.errors import InputError, UsageError
from core.options import Options
from core.training import recipe as recipes
from core.training.recipe import Recipe


def test_defaults_of_a_new_model():
    saved = recipes.to_saved(Recipe())
    assert (saved["resolution"], saved["archi"], saved["ae_dims"], saved["batch_size"], saved["lr_dropout"]) == (
        224,
        "liae-udt",
        512,
        12,
        "n",
    )
    assert saved["uniform_yaw"] and saved["blur_out_mask"] and not saved["clipgrad"] and saved["gan_patch_size"] == 28
    assert list(saved)[:4] == ["resolution", "face_type", "models_opt_on_gpu", "archi"] and len(saved) == 31


def test_a_resumed_model_keeps_its_values_unless_told_otherwise():
    saved = {**recipes.to_saved(Recipe()), "resolution": 128, "batch_size": 3, "clipgrad": True}
    resumed = recipes.of_saved_model({"batch_size": 5}, saved, "data.dat")
    assert (resumed.resolution, resumed.batch_size, resumed.clipgrad) == (128, 5, True)


def test_a_fixed_option_cannot_change_and_both_values_are_named():
    with pytest.raises(UsageError, match="--ae-dims 64 but the model has 512"):
        recipes.of_saved_model({"ae_dims": 64}, recipes.to_saved(Recipe()), "data.dat")
    assert recipes.of_saved_model({"ae_dims": 512}, recipes.to_saved(Recipe()), "data.dat").ae_dims == 512


def test_old_lr_dropout_and_senseless_values():
    assert recipes.of_saved_model({}, {"lr_dropout": True}, "x").lr_dropout == "y"
    assert recipes.of_saved_model({}, {"lr_dropout": False}, "x").lr_dropout == "n"
    with pytest.raises(InputError, match="batch_size"):
        recipes.of_saved_model({}, {"batch_size": -4}, "x")


def test_combinations_that_cannot_be_built():
    with pytest.raises(UsageError, match="multiple of 32"):
        recipes.require_trainable(Recipe(resolution=80))
    with pytest.raises(UsageError, match="df"):
        recipes.require_trainable(Recipe(true_face_power=0.1))
    with pytest.raises(UsageError, match="patch size"):
        recipes.require_trainable(Recipe(gan_power=0.1, gan_patch_size=126))


def test_a_recipe_is_a_value_of_its_own(monkeypatch):
    monkeypatch.setenv("FORGE_BATCH_SIZE", "3")
    recipe = Recipe(ae_dims=64)
    assert recipe.batch_size == 12 and recipe == Recipe(ae_dims=64) != Recipe()
    assert not isinstance(recipe, Options)
    with pytest.raises(ValueError, match="frozen"):
        recipe.batch_size = 3


def test_chosen_values_are_validated_by_name():
    assert recipes.validated({"batch_size": "3", "kind": "AMP"}) == {"batch_size": 3, "kind": "AMP"}
    assert recipes.validated({}) == {}
    with pytest.raises(UsageError, match="--ae-dims: Input should be greater than or equal to 32"):
        recipes.validated({"ae_dims": 3})
    with pytest.raises(UsageError, match="--target: Extra inputs"):
        recipes.validated({"target": 3})


def test_pretraining_overrides_without_forgetting():
    recipe = Recipe(pretrain=True, random_warp=True, gan_power=0.5)
    forced = recipes.effective(recipe)
    assert (
        not forced.random_warp
        and forced.random_src_flip
        and forced.gan_power == 0
        and forced.lr_dropout == "n"
        and forced.uniform_yaw
    )
    assert recipe.random_warp and recipe.gan_power == 0.5
