"""What the terms of the objective look at: the prepared batch, what the networks made of it, networks that judge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from keras import ops

from core.training.objective.filters import gaussian_blur
from core.training.objective.forward import Views
from core.training.objective.moving import moved_input, moved_targets

Tensor = Any
_TARGETS = ("target", "mask", "eyes_mouth")


@dataclass(frozen=True)
class Traits:
    """In what the objectives of models differ beside the weights of their terms.

    masked_training: only what the soft mask covers counts.
    blur_out_mask: targets are blurred outside of the mask.
    two_scales: structural similarity in two windows; None decides by resolution.
    full_inside: the soft mask is 1 well inside of the face.
    exact: keep the original's background mask (of src) instead of the mended one (of the swap).
    channels_first: the original's total variation runs over rows and channels.
    gan_both: the patch discriminator sees dst too.
    """

    masked_training: bool = True
    blur_out_mask: bool = False
    two_scales: bool | None = None
    full_inside: bool = True
    exact: bool = False
    channels_first: bool = False
    gan_both: bool = False

    @property
    def variation_over_channels(self) -> bool:
        """The defect is kept only in exact training."""
        return self.exact and self.channels_first


@dataclass(frozen=True)
class Scene:
    """All images are float32, src then dst along the first axis, (2B, R, R, 3) and masks (2B, R, R, 1), 0..1.

    target: what the networks shall make.
    mask: the face.
    eyes_mouth: what counts extra.
    soft: the mask with a soft edge.
    views: what the networks made.
    discriminators: frozen networks that judge, by name.
    """

    traits: Traits
    target: Tensor
    mask: Tensor
    eyes_mouth: Tensor
    soft: Tensor
    views: Views
    discriminators: Mapping[str, Any] = field(default_factory=dict)

    # Products that several terms use are made once: each would get gradients of its own, which are then added.
    @cached_property
    def wanted(self) -> Tensor:
        """The target, black outside of the soft mask in masked training."""
        return self.target * self.soft if self.traits.masked_training else self.target

    @cached_property
    def made(self) -> Tensor:
        """The decoded faces, black outside of the soft mask in masked training."""
        return self.views.image * self.soft if self.traits.masked_training else self.views.image

    @cached_property
    def src_image(self) -> Tensor:
        """The decoded src faces, (B, R, R, 3)."""
        return src_of(self.views.image)

    @cached_property
    def made_around_dst(self) -> Tensor:
        """What the networks made outside of the dst faces, (B, R, R, 3)."""
        return dst_of(self.views.image) * (1 - dst_of(self.soft))


def exhibits(scene: Scene) -> dict[str, Tensor]:
    """What discriminators tell apart: real and decoded faces, and the codes of both sides; float32."""
    return {
        "real": shown(scene.target, scene),
        "fake": shown(scene.views.image, scene),
        "code_src": ops.cast(scene.views.code_src, "float32"),
        "code_dst": ops.cast(scene.views.code_dst, "float32"),
    }


def shown(image: Tensor, scene: Scene) -> Tensor:
    """Targets or decoded faces as the patch discriminator sees them: (B, R, R, 3) of src, or (2B, R, R, 3) of both."""
    image = image * scene.soft if scene.traits.masked_training else image
    return image if scene.traits.gan_both else src_of(image)


def src_of(both: Tensor) -> Tensor:
    """The first half of a tensor of both sides."""
    return ops.split(both, 2)[0]


def dst_of(both: Tensor) -> Tensor:
    """The second half of a tensor of both sides."""
    return ops.split(both, 2)[1]


def in_unit_range(x: Tensor) -> Tensor:
    """Images and masks as float32, 0..1: uint8 is converted here, on the device, a quarter of the way to it."""
    return ops.cast(x, "float32") / 255 if ops.dtype(x) == "uint8" else x


def input_of(x: Mapping[str, Tensor]) -> Tensor:
    """What the networks see of a batch, (2B, R, R, 3): float32, 0..1."""
    return moved_input(x) if "motion" in x else in_unit_range(x["warped"])


def scene_of(x: Mapping[str, Tensor], views: Views, traits: Traits, discriminators: Mapping[str, Any]) -> Scene:
    """A batch as ``training_inputs`` has it, with its final targets and the soft mask."""
    # PyTorch hands the objective what the trainer was given: arrays.
    x = {name: ops.convert_to_tensor(value) for name, value in x.items()}
    x = moved_targets(x) if "motion" in x else {name: in_unit_range(x[name]) for name in _TARGETS}
    return Scene(
        traits=traits,
        target=blur_outside(x["target"], x["mask"]) if traits.blur_out_mask else x["target"],
        mask=x["mask"],
        eyes_mouth=x["eyes_mouth"],
        soft=soft_mask(x["mask"], traits.full_inside),
        views=views,
        discriminators=discriminators,
    )


def soft_mask(mask: Tensor, full_inside: bool = True) -> Tensor:
    """The mask with a soft outer edge: twice its blur, at most 1.

    full_inside: False for the blur itself, soft on both sides of the edge.
    """
    blurred = gaussian_blur(mask, max(1, mask.shape[1] // 32))
    # The blur is 0.5 on the edge: cut there and doubled, it is 1 inside and soft outside.
    return 2 * ops.clip(blurred, 0, 0.5) if full_inside else blurred


def blur_outside(target: Tensor, mask: Tensor) -> Tensor:
    """The target with its background replaced by a blur that takes no color from the face."""
    sigma = target.shape[1] / 128
    outside = gaussian_blur(target * (1 - mask), sigma)
    # How much of each window is background: divided by it, a window on the edge is as bright as the others.
    share = 1 - gaussian_blur(mask, sigma)
    share = ops.where(share == 0, 1.0, share)  # well inside of the face, where the quotient does not count
    return target * mask + (outside / share) * (1 - mask)
