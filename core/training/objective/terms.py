"""The objective of the autoencoder: the DeepFaceLab format's losses, with their weights, from views and a batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from core.training.forward import Views, forward
from core.training.objective import losses

Tensor = Any


@dataclass(frozen=True)
class Terms:
    """Which terms the objective has. face_style, bg_style: power / 100; true_face, gan: powers; exact: the original's background mask (of
    the source) instead of the mended one (of the swap).

    What kinds differ in: two_scales: DSSIM with two windows, None decides by resolution; full_inside: the soft mask is 1 well inside the face;
    dst_background, dst_variation: weights of what is made outside of the dst face; channels_first: the original's total variation runs over
    rows and channels; gan_name: in the optimizer's keys; gan_both: the discriminator sees dst too; untrained: networks that stay as they are.
    """

    masked: bool = True
    eyes_mouth_prio: bool = False
    blur_out_mask: bool = False
    face_style: float = 0.0
    bg_style: float = 0.0
    true_face: float = 0.0
    gan: float = 0.0
    exact: bool = False
    two_scales: bool | None = None
    full_inside: bool = True
    dst_background: float = 0.0
    dst_variation: float = 0.0
    channels_first: bool = False
    gan_name: str = "D_src"
    gan_both: bool = False
    untrained: tuple[str, ...] = ()

    @property
    def original_variation(self) -> bool:
        return self.exact and self.channels_first

    @property
    def needs_swap(self) -> bool:
        return bool(self.face_style or self.bg_style)


class Autoencoder(keras.Model):
    """The networks of a model with their training objective; every Keras backend trains it through ``train_on_batch``.

    Input: a dict of float32 tensors, src then dst along the first axis: warped, target (2B, R, R, 3), mask, eyes_mouth (2B, R, R, 1).
    ``judges``: frozen twins of the discriminators by name (``gan``, ``code``). ``reported`` holds the mean src and dst loss of the last step.
    """

    def __init__(self, kind: str, networks: Mapping[str, keras.Model], terms: Terms, judges: Mapping[str, keras.Model]):
        super().__init__(name="autoencoder")
        self.kind, self.terms = kind, terms
        self.networks, self.judges = dict(networks), dict(judges)
        for still in (*self.judges.values(), *(self.networks[name] for name in terms.untrained)):
            still.trainable = False
        self.reported = self.add_weight(
            shape=(2,), initializer="zeros", trainable=False, name="reported", dtype="float32"
        )

    def call(self, inputs: Mapping[str, Tensor], training: bool = False) -> dict[str, Tensor]:
        views = forward(
            self.kind, self.networks, inputs, swap=self.terms.needs_swap, stopped=bool(self.terms.face_style)
        )
        return {name: value for name, value in vars(views).items() if value is not None}

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """The sum over the batch of the per-sample objective."""
        batch, views = prepared(x, self.terms), Views(**y_pred)
        src, dst = ops.split(reconstruction(batch, views, self.terms), 2)
        src = src + styles(batch, views, self.terms)
        self.reported.assign(ops.stack([ops.mean(src), ops.mean(dst)]))
        return ops.sum(
            src + dst + surroundings(batch, views, self.terms) + judged(batch, views, self.terms, self.judges)
        )


def prepared(x: Mapping[str, Tensor], terms: Terms) -> dict[str, Tensor]:
    """The batch with its final targets, and the soft mask."""
    x = {
        name: ops.convert_to_tensor(value) for name, value in x.items()
    }  # PyTorch hands the objective what the trainer was given
    target = losses.blur_outside(x["target"], x["mask"]) if terms.blur_out_mask else x["target"]
    return {
        "target": target,
        "mask": x["mask"],
        "eyes_mouth": x["eyes_mouth"],
        "soft": losses.soft_mask(x["mask"], terms.full_inside),
    }


def reconstruction(batch: Mapping[str, Tensor], views: Views, terms: Terms) -> Tensor:
    """(2B,): how far both sides are from their own faces."""
    return losses.reconstruction(
        batch["target"],
        batch["mask"],
        batch["eyes_mouth"],
        views.image,
        views.mask,
        batch["soft"],
        masked=terms.masked,
        eyes_mouth_prio=terms.eyes_mouth_prio,
        two_scales=terms.two_scales,
    )


def styles(batch: Mapping[str, Tensor], views: Views, terms: Terms) -> Tensor:
    """(B,): what the swap is asked to take from the dst picture; 0 without style powers."""
    total: Tensor = 0.0
    dst, dst_mask = ops.split(views.image, 2)[1], ops.split(views.mask, 2)[1]
    if terms.face_style:
        made, wanted = views.swap_stopped * ops.stop_gradient(views.swap_mask), ops.stop_gradient(dst * dst_mask)
        total = total + losses.style_loss(made, wanted, dst.shape[1] // 8, 10000 * terms.face_style)
    if terms.bg_style:
        face = ops.split(batch["soft"], 2)[0] if terms.exact else losses.soft_mask(views.swap_mask * dst_mask)
        outside = 1 - ops.stop_gradient(ops.clip(face, 0, 1))
        total = total + losses.background_style(views.swap, ops.split(batch["target"], 2)[1], outside, terms.bg_style)
    return total


def surroundings(batch: Mapping[str, Tensor], views: Views, terms: Terms) -> Tensor:
    """(B,): what is made outside of the dst face; 0 for kinds without such terms."""
    if not terms.dst_background:
        return 0.0
    image, target, outside = (ops.split(t, 2)[1] for t in (views.image, batch["target"], 1 - batch["soft"]))
    made = image * outside
    return terms.dst_background * losses.mean_square(
        made, target * outside
    ) + terms.dst_variation * losses.total_variation(made, terms.original_variation)


def judged(batch: Mapping[str, Tensor], views: Views, terms: Terms, judges: Mapping[str, Any]) -> Tensor:
    """(B,): what the discriminators say of what was made, and what keeps src's surroundings in place meanwhile; 0 without discriminators."""
    total: Tensor = 0.0
    if terms.true_face:
        total = total + terms.true_face * losses.sigmoid_cross_entropy(1, judges["code"](views.code_src))
    if not terms.gan:
        return total
    said = sum(losses.sigmoid_cross_entropy(1, logits) for logits in judges["gan"](shown(batch, views, terms)[1]))
    total = total + terms.gan * (sum(ops.split(said, 2)) if terms.gan_both else said)
    if terms.masked:
        image, target, soft = (ops.split(t, 2)[0] for t in (views.image, batch["target"], batch["soft"]))
        background = 0.02 * losses.mean_square(image * (1 - soft), target * (1 - soft))
        total = total + 1e-6 * losses.total_variation(image, terms.original_variation) + background
    return total


def shown(batch: Mapping[str, Tensor], views: Views, terms: Terms) -> tuple[Tensor, Tensor]:
    """The real and the made faces as the discriminator sees them: those of src, (B, R, R, 3), or of src and dst, (2B, R, R, 3)."""
    real, made = batch["target"], views.image
    if terms.masked:
        real, made = real * batch["soft"], made * batch["soft"]
    return (real, made) if terms.gan_both else (ops.split(real, 2)[0], ops.split(made, 2)[0])


class Critic(keras.Model):
    """A discriminator that learns to tell ``real`` (label 1) from ``fake`` (label 0). weight: of each of the two in every map of logits."""

    def __init__(self, network: keras.Model, weight: float = 0.5):
        super().__init__(name=f"critic_{network.name}")
        self.network, self.weight = network, weight

    def call(self, inputs: Mapping[str, Tensor], training: bool = False) -> Tensor:
        return self.network(ops.concatenate([inputs["real"], inputs["fake"]]))

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """The weighted cross entropy of each label, for every map of logits, summed over the batch."""
        total = 0.0
        for logits in y_pred if isinstance(y_pred, (list, tuple)) else [y_pred]:
            real, fake = ops.split(logits, 2)
            total = total + self.weight * (
                losses.sigmoid_cross_entropy(1, real) + losses.sigmoid_cross_entropy(0, fake)
            )
        return ops.sum(total)
