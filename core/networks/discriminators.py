"""The two discriminators of training: a U-Net on images (GAN) and a small one on codes (true face)."""

import math
from functools import cache, partial
from itertools import product

from core.errors import UsageError
from core.networks.builder import Builder, Network, Value

_MOST_LAYERS = 9
_LARGEST_WIDTH = 512


@cache
def layer_plan(patch_size: int) -> tuple[int, ...]:
    """Strides of the 3 x 3 convolutions whose receptive field is nearest to ``patch_size``, the smaller on a tie.

    The first stride is 2, up to nine layers; of plans with one field the shortest, then the one with the largest sum of
    strides.
    """
    plans = _plans()
    return plans[min(plans, key=lambda field: (abs(field - patch_size), field))]


@cache
def _plans() -> dict[int, tuple[int, ...]]:
    """Receptive field -> the best plan that has it."""
    best: dict[int, tuple[int, ...]] = {}
    for length in range(1, _MOST_LAYERS + 1):
        # Of equals the first counts, so the order is part of the format: plans that begin with large strides come last.
        for later in product((2, 1), repeat=length - 1):
            plan = (2, *reversed(later))
            field = receptive_field(plan)
            if field not in best or _rank(plan) < _rank(best[field]):
                best[field] = plan
    return best


def _rank(plan: tuple[int, ...]) -> tuple[int, int]:
    return len(plan), -sum(plan)


def receptive_field(strides: tuple[int, ...]) -> int:
    """Side of the square of pixels that one number after these 3 x 3 convolutions depends on."""
    field, step = 3, strides[0]
    for stride in strides[1:]:
        field += 2 * step
        step *= stride
    return field


def gan_network(resolution: int, patch_size: int, width: int) -> Network:
    """The U-Net for images of ``resolution`` pixels.

    patch_size: pixels that a logit in the centre should depend on.
    width: channels of the first layer.

    Raises:
        UsageError: the resolution does not divide by the strides.
    """
    strides = layer_plan(patch_size)
    shrinking = math.prod(strides)
    if resolution % shrinking:
        raise UsageError(
            "this GAN patch size does not fit the resolution",
            where=f"gan_patch_size {patch_size}, resolution {resolution}",
            why=f"its layers shrink the image to 1/{shrinking}",
            hint=f"choose a smaller patch size; the default is {resolution // 8}",
        )
    return Network(partial(unet, strides=strides, width=width), (resolution, resolution, 3))


def unet(b: Builder, x: Value, strides: tuple[int, ...], width: int) -> tuple[Value, Value]:
    """Image (R, R, 3) -> logits of the centre of the U and of every pixel."""
    widths = [width, *(min(width * 2 ** (i + 1), _LARGEST_WIDTH) for i in range(len(strides)))]
    x = b.lrelu(b.conv(x, "in_conv", width, 1), 0.2)
    skips = []
    for i, stride in enumerate(strides):
        skips.append(x)  # before the layer, so that its transposed twin gives the same size
        x = b.lrelu(b.conv(x, f"convs_{i}", widths[i + 1], 3, stride=stride), 0.2)
    center = b.conv(x, "center_out", 1, 1)
    x = b.lrelu(b.conv(x, "center_conv", widths[-1], 1), 0.2)
    for j, i in enumerate(reversed(range(len(strides)))):
        x = b.lrelu(b.conv_transpose(x, f"upconvs_{j}", widths[i], 3, stride=strides[i]), 0.2)
        x = b.concat([skips[i], x])
    return center, b.conv(x, "out_conv", 1, 1)


def code_network(side: int, channels: int, width: int = 256) -> Network:
    """The discriminator of codes (side, side, channels)."""
    return Network(partial(code, layers=1 + side // 8, width=width), (side, side, channels))


def code(b: Builder, x: Value, layers: int, width: int) -> Value:
    """Code (side, side, channels) -> a map of logits."""
    for i in range(layers):
        # Kernel, growth and its limit are those of the original's network.
        kernel = 3 if i else 4
        x = b.lrelu(b.conv(x, f"convs_{i}", width * min(2**i, 8), kernel, stride=2), 0.1)
    return b.conv(x, "out_conv", 1, 1)
