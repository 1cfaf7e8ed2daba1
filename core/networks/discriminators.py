"""The two discriminators of training: a U-Net on images (GAN) and a small one on codes (true face)."""

from functools import cache, partial

from core.errors import UsageError
from core.networks.builder import Builder, Network, Value

PATCH_RANGE = (3, 640)
_LAYERS = 9
_LARGEST_WIDTH = 512


@cache
def layer_plan(patch_size: int) -> tuple[int, ...]:
    """Strides of the 3 x 3 convolutions whose receptive field is nearest to ``patch_size``, the smaller on a tie.

    The first stride is 2, up to nine layers; of plans with one field the shortest, then the one with the largest sum of strides.
    """
    plans = _plans()
    return plans[min(plans, key=lambda field: (abs(field - patch_size), field))]


@cache
def _plans() -> dict[int, tuple[int, ...]]:
    best: dict[int, tuple[int, ...]] = {}
    for length in range(1, _LAYERS + 1):
        for bits in range(2 ** (length - 1) - 1, -1, -1):
            plan = (2, *(2 if bits >> i & 1 else 1 for i in range(length - 1)))
            field = receptive_field(plan)
            if field not in best or (len(best[field]), -sum(best[field])) > (length, -sum(plan)):
                best[field] = plan
    return best


def receptive_field(strides: tuple[int, ...]) -> int:
    field, step = 3, strides[0]
    for stride in strides[1:]:
        field += 2 * step
        step *= stride
    return field


def gan_network(resolution: int, patch_size: int, width: int) -> Network:
    """Image (R, R, 3) -> logits of the centre of the U and of every pixel. Raises UsageError when R does not divide by the strides."""
    strides = layer_plan(patch_size)
    product = 1
    for stride in strides:
        product *= stride
    if resolution % product:
        raise UsageError(
            "this GAN patch size does not fit the resolution",
            where=f"gan_patch_size {patch_size}, resolution {resolution}",
            why=f"its layers shrink the picture to 1/{product}",
            hint=f"choose a smaller patch size; the default is {resolution // 8}",
        )
    return Network(partial(unet, strides=strides, width=width), (resolution, resolution, 3))


def unet(b: Builder, x: Value, strides: tuple[int, ...], width: int) -> tuple[Value, Value]:
    widths = [width, *(min(width * 2 ** (i + 1), _LARGEST_WIDTH) for i in range(len(strides)))]
    x = b.lrelu(b.conv(x, "in_conv", width, 1), 0.2)
    skips = []
    for i, stride in enumerate(strides):
        skips.append(x)
        x = b.lrelu(b.conv(x, f"convs_{i}", widths[i + 1], 3, stride), 0.2)
    center = b.conv(x, "center_out", 1, 1)
    x = b.lrelu(b.conv(x, "center_conv", widths[-1], 1), 0.2)
    for j, i in enumerate(reversed(range(len(strides)))):
        x = b.lrelu(b.conv_transpose(x, f"upconvs_{j}", widths[i], 3, strides[i]), 0.2)
        x = b.concat([skips[i], x])
    return center, b.conv(x, "out_conv", 1, 1)


def code_network(side: int, channels: int, width: int = 256) -> Network:
    """Code (side, side, channels) -> a map of logits."""
    return Network(partial(code, layers=1 + side // 8, width=width), (side, side, channels))


def code(b: Builder, x: Value, layers: int, width: int) -> Value:
    for i in range(layers):
        x = b.lrelu(b.conv(x, f"convs_{i}", width * min(2**i, 8), 3 if i else 4, 2), 0.1)
    return b.conv(x, "out_conv", 1, 1)
