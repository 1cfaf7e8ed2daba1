"""The terms that the original lacks: known values, gradients against differences, what a model keeps of them."""

import keras
import numpy as np
import pytest
from keras import ops

from core.errors import UsageError
from core.training import recipe as recipes
from core.training.kinds import ADDED
from core.training.objective import losses
from core.training.objective.forward import Views
from core.training.objective.scene import scene_of
from core.training.objective.terms import Group, objective_of
from core.training.recipe import Recipe

POWERS = ("frequency_power", "perceptual_power", "swap_mask_power")


def numpy(x):
    return ops.convert_to_numpy(x)


def pair():
    return np.random.RandomState(4).rand(2, 2, 64, 64, 3).astype(np.float32)


def gradient(function, x):
    """Of the sum of a function at ``x``, as the backend computes it."""
    if keras.backend.backend() == "jax":
        import jax

        return numpy(jax.grad(lambda value: ops.sum(function(value)))(x))
    if keras.backend.backend() == "torch":
        value = ops.convert_to_tensor(x).requires_grad_()
        ops.sum(function(value)).backward()
        return value.grad.cpu().numpy()
    import tensorflow as tf

    value = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(value)
        total = ops.sum(function(value))
    return tape.gradient(total, value).numpy()


def test_the_gradient_is_what_the_loss_differs_by():
    target, made = pair()
    wanted = ops.convert_to_tensor(target)
    found = gradient(lambda x: losses.spectral_distance(wanted, x), made)
    # Along the gradient itself, where a difference is largest against rounding.
    step = 1e-3 * found / np.abs(found).max()
    above, below = (float(numpy(ops.sum(losses.spectral_distance(wanted, made + side * step)))) for side in (1, -1))
    assert (above - below) / 2 == pytest.approx(float((found * step).sum()), rel=0.02)
    assert np.isfinite(gradient(lambda x: losses.spectral_distance(wanted, x), target)).all()


def test_spectra_tell_fine_differences_from_flat_ones():
    flat = np.full((1, 64, 64, 3), 0.5, np.float32)
    checks = flat + 0.1 * (np.indices((64, 64)).sum(0) % 2 - 0.5)[None, :, :, None].astype(np.float32)
    noise = flat + 0.05 * np.random.RandomState(1).choice([-1, 1], flat.shape).astype(np.float32)
    same, one, many = (float(numpy(losses.spectral_distance(flat, x))[0]) for x in (flat, checks, noise))
    # The same squared difference: one wave is a single value of the spectrum, noise is all of them.
    assert same < one < many / 10 and many == pytest.approx(0.05 * np.sqrt(np.pi) / 2, rel=0.05)


def test_the_mask_of_the_swap_is_compared_with_that_of_dst_only():
    src, dst = np.zeros((1, 64, 64, 1), np.float32), np.ones((1, 64, 64, 1), np.float32)
    batch = {"target": np.zeros((2, 64, 64, 3), np.float32), "mask": np.concatenate([src, dst])}
    objective = objective_of(Recipe(swap_mask_power=0.5, eyes_mouth_prio=False), exact=False)
    views = {
        name: Views(batch["target"], batch["mask"], None, None, swap_mask=ops.convert_to_tensor(made))
        for name, made in (("as dst", dst), ("as src", src))
    }
    found = {}
    for name, seen in views.items():
        scene = scene_of(batch | {"eyes_mouth": batch["mask"]}, seen, objective.traits, {})
        found[name] = numpy(objective.total(Group.SURROUNDINGS, scene))
    assert found["as dst"] == pytest.approx([0]) and found["as src"] == pytest.approx([5])
    assert objective.views == {"swap"}


def test_they_are_off_count_for_both_sides_and_do_not_show_in_the_losses():
    assert not any(getattr(Recipe(), name) for name in ADDED)
    assert not objective_of(Recipe(), exact=False).has(Group.DETAIL)
    objective = objective_of(Recipe(**dict.fromkeys(POWERS, 0.5)), exact=False)
    assert [term.name for term in objective.terms if term.group is Group.DETAIL] == ["frequency", "perceptual"]


def test_a_model_keeps_them_where_they_are_used():
    plain, used = Recipe(), Recipe(frequency_power=0.5)
    assert not set(ADDED) & recipes.to_saved(plain).keys()
    saved = recipes.to_saved(used)
    assert saved["frequency_power"] == 0.5 and "swap_mask_power" not in saved
    assert recipes.of_saved_model({}, saved, "data.dat") == used
    assert recipes.of_saved_model({"frequency_power": 0.0}, saved, "data.dat") == plain


def test_exact_training_and_other_kinds_refuse_them():
    recipes.require_trainable(Recipe(), exact=True)
    recipes.require_trainable(Recipe(frequency_power=0.5))
    with pytest.raises(UsageError, match=r"(?s)--frequency-power, --swap-mask-power.*DeepFaceLab does not know"):
        recipes.require_trainable(Recipe(frequency_power=0.5, swap_mask_power=1), exact=True)
    with pytest.raises(UsageError, match="--perceptual-power"):
        recipes.require_trainable(Recipe(perceptual_power=1), exact=True)
    assert recipes.of_new_model({"perceptual_power": 1.0}, "AMP").perceptual_power == 1
    with pytest.raises(UsageError, match="--perceptual-power"):
        recipes.of_new_model({"perceptual_power": 1.0}, "Quick96")
    for kind in ("Quick96", "AMP"):
        with pytest.raises(UsageError, match="--swap-mask-power"):
            recipes.of_new_model({"swap_mask_power": 1.0}, kind)
