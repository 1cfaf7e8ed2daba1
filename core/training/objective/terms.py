"""The terms of the objective: what the autoencoder is trained to make small.

A new term is a function and a line of ``TERMS``. Its weight is an option: a field of ``recipe.Recipe``, among the
``options`` of the kinds of models that shall have it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from keras import ops

from core.training.kinds import KINDS
from core.training.objective import losses
from core.training.objective.scene import Scene, Traits, dst_of, shown, soft_mask, src_of
from core.training.recipe import Recipe, effective

Tensor = Any


class Group(Enum):
    """Where a term counts. People see only the reported losses: in the progress line, metrics and loss plot."""

    # In the reported losses of both sides: (2B,), src then dst.
    RECONSTRUCTION = "reconstruction"
    # Of both sides, (2B,), and not reported: losses with and without it can be compared.
    DETAIL = "detail"
    # In the reported loss of src: (B,).
    STYLE = "style"
    # Not reported: (B,).
    SURROUNDINGS = "surroundings"
    ADVERSARIAL = "adversarial"


@dataclass(frozen=True)
class Term:
    """One term of the objective.

    name: of the term.
    group: where it counts.
    weight: a number, or the name of the option that is the weight: of the recipe, or of the kind's ``objective``.
    loss: (scene, weight) -> the weighted loss of each sample.
    needs: names of options without which the term is left out; it is too where its weight is 0.
    views: of the optional ones in ``forward.Views``, those that it looks at.
    discriminator: the network that it asks, ``patch``, ``code`` or ``face``.
    """

    name: str
    group: Group
    weight: float | str
    loss: Callable[[Scene, float], Tensor]
    needs: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    discriminator: str = ""

    def weight_in(self, options: Mapping[str, Any]) -> float:
        """The weight that a model with these options gives it, 0 where the term is left out."""
        if not all(options.get(name) for name in self.needs):
            return 0.0
        return float(options.get(self.weight, 0.0)) if isinstance(self.weight, str) else self.weight


def structure(scene: Scene, weight: float) -> Tensor:
    """Structural dissimilarity of target and decoded face."""
    return losses.multiscale_dssim(scene.wanted, scene.made, scene.traits.two_scales, weight)


def pixels(scene: Scene, weight: float) -> Tensor:
    """Squared difference of target and decoded face."""
    return weight * losses.mean_square(scene.wanted, scene.made)


def mask(scene: Scene, weight: float) -> Tensor:
    """Squared difference of the mask and the decoded one."""
    return weight * losses.mean_square(scene.mask, scene.views.mask)


def eyes_and_mouth(scene: Scene, weight: float) -> Tensor:
    """Absolute difference where it counts extra."""
    # The plain images, not those under the soft mask: eyes and mouth count in full also near its edge.
    return weight * ops.mean(ops.abs((scene.target - scene.views.image) * scene.eyes_mouth), axis=(1, 2, 3))


def frequency(scene: Scene, power: float) -> Tensor:
    """The spectra of target and decoded face differ little: fine detail counts as much as large shapes."""
    return 10 * power * losses.spectral_distance(scene.wanted, scene.made)


def perceptual(scene: Scene, power: float) -> Tensor:
    """A face network sees the same in target and decoded face."""
    return power * scene.discriminators["face"]((scene.wanted, scene.made))


def face_style(scene: Scene, power: float) -> Tensor:
    """The swap's face takes the colors of the dst face; only the decoder learns from it."""
    # The masks say where the face is and must not become smaller to please this term.
    swap = scene.views.swap_stopped * ops.stop_gradient(scene.views.swap_mask)
    dst = ops.stop_gradient(dst_of(scene.views.image) * dst_of(scene.views.mask))
    return losses.style_loss(swap, dst, blur=dst.shape[1] // 8, weight=10000 * (power / 100))


def background_style(scene: Scene, power: float) -> Tensor:
    """The swap's surroundings are those of the dst image."""
    swap = scene.views.swap
    # The mended mask is the swap's own: with that of src, as in the original, parts of the swapped face are background.
    face = src_of(scene.soft) if scene.traits.exact else soft_mask(scene.views.swap_mask * dst_of(scene.views.mask))
    outside = 1 - ops.stop_gradient(ops.clip(face, 0, 1))
    made, wanted = swap * outside, dst_of(scene.target) * outside
    difference = losses.dissimilarity(made, wanted, losses.NEAR) + losses.mean_square(made, wanted)
    return 10 * (power / 100) * difference


def dst_background(scene: Scene, weight: float) -> Tensor:
    """What is made outside of the dst face is what is there."""
    wanted = dst_of(scene.target) * (1 - dst_of(scene.soft))
    return weight * losses.mean_square(scene.made_around_dst, wanted)


def dst_variation(scene: Scene, weight: float) -> Tensor:
    """What is made outside of the dst face is smooth."""
    return weight * losses.total_variation(scene.made_around_dst, scene.traits.variation_over_channels)


def swap_mask(scene: Scene, power: float) -> Tensor:
    """The mask of the swap is that of the dst face, which the src faces alone do not teach."""
    return 10 * power * losses.mean_square(dst_of(scene.mask), scene.views.swap_mask)


def true_face(scene: Scene, weight: float) -> Tensor:
    """The code discriminator takes src codes for dst codes."""
    return weight * losses.sigmoid_cross_entropy(1, scene.discriminators["code"](scene.views.code_src))


def gan(scene: Scene, weight: float) -> Tensor:
    """The patch discriminator takes decoded faces for real ones."""
    maps = scene.discriminators["patch"](shown(scene.views.image, scene))
    loss = sum(losses.sigmoid_cross_entropy(1, logits) for logits in maps)
    return weight * (sum(ops.split(loss, 2)) if scene.traits.gan_both else loss)


def src_background(scene: Scene, weight: float) -> Tensor:
    """What is made outside of the src face is what is there: the discriminator does not look at it."""
    outside = 1 - src_of(scene.soft)
    return weight * losses.mean_square(scene.src_image * outside, src_of(scene.target) * outside)


def src_variation(scene: Scene, weight: float) -> Tensor:
    """The decoded src faces are smooth: a discriminator likes noise."""
    return weight * losses.total_variation(scene.src_image, scene.traits.variation_over_channels)


# Weights and order are the original's; the order of sums decides the last bits of a loss.
_MASKED_GAN = ("gan_power", "masked_training")
TERMS = (
    Term("structure", Group.RECONSTRUCTION, 10, structure),
    Term("pixels", Group.RECONSTRUCTION, 10, pixels),
    Term("mask", Group.RECONSTRUCTION, 10, mask),
    Term("eyes and mouth", Group.RECONSTRUCTION, 300, eyes_and_mouth, needs=("eyes_mouth_prio",)),
    Term("frequency", Group.DETAIL, "frequency_power", frequency),
    Term("perceptual", Group.DETAIL, "perceptual_power", perceptual, discriminator="face"),
    Term("face style", Group.STYLE, "face_style_power", face_style, views=("swap", "swap_stopped")),
    Term("background style", Group.STYLE, "bg_style_power", background_style, views=("swap",)),
    Term("dst background", Group.SURROUNDINGS, "dst_background", dst_background),
    Term("dst variation", Group.SURROUNDINGS, "dst_variation", dst_variation),
    Term("swap mask", Group.SURROUNDINGS, "swap_mask_power", swap_mask, views=("swap",)),
    Term("true face", Group.ADVERSARIAL, "true_face_power", true_face, discriminator="code"),
    Term("gan", Group.ADVERSARIAL, "gan_power", gan, discriminator="patch"),
    Term("src background", Group.ADVERSARIAL, 0.02, src_background, needs=_MASKED_GAN),
    Term("src variation", Group.ADVERSARIAL, 1e-6, src_variation, needs=_MASKED_GAN),
)


@dataclass(frozen=True)
class Objective:
    """What a model is trained towards.

    weights: of the terms that it has, by name, in the order of ``TERMS``.
    traits: how they are computed.
    untrained: networks that stay as they are.
    gan_name: of the patch discriminator in the keys of its optimizer.
    """

    weights: Mapping[str, float]
    traits: Traits = Traits()
    untrained: tuple[str, ...] = ()
    gan_name: str = "D_src"

    @property
    def terms(self) -> list[Term]:
        return [term for term in TERMS if self.weights.get(term.name)]

    @property
    def views(self) -> frozenset[str]:
        """The optional views that its terms look at."""
        return frozenset(view for term in self.terms for view in term.views)

    @property
    def discriminators(self) -> frozenset[str]:
        """Names of the networks that its terms ask."""
        return frozenset(term.discriminator for term in self.terms if term.discriminator)

    def has(self, group: Group) -> bool:
        """Whether a term counts there."""
        return any(term.group is group for term in self.terms)

    def total(self, group: Group, scene: Scene) -> Tensor:
        """The sum of the weighted losses of a group, 0 without any."""
        return sum(term.loss(scene, self.weights[term.name]) for term in self.terms if term.group is group)


def objective_of(recipe: Recipe, exact: bool) -> Objective:
    """The objective that a recipe asks for. exact: with the original's defects."""
    recipe, kind = effective(recipe), KINDS[recipe.kind]
    options = {name: getattr(recipe, name) for name in Recipe.model_fields} | kind.objective
    weights = {term.name: term.weight_in(options) for term in TERMS}
    traits = {name: value for name, value in options.items() if name in Traits.__dataclass_fields__}
    return Objective(
        weights={name: weight for name, weight in weights.items() if weight},
        traits=Traits(exact=exact, **traits),
        untrained=kind.untrained if exact else (),
        gan_name=kind.objective.get("gan_name", Objective.gan_name),
    )
