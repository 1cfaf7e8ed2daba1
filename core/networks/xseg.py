"""XSeg: the network that draws face masks (DeepFaceLab's ``XSeg_256.npy``)."""

from functools import partial

from core.networks.builder import Builder, Network, Value

RESOLUTION, BASE = 256, 32
# Six halvings: a resolution is a multiple of this.
STEP = 64
# Per level from the full size down: convolutions, width in units of the base, blur that halves the map afterwards.
_LEVELS = ((2, 1, 4), (2, 2, 3), (2, 4, 2), (3, 8, 2), (3, 8, 2), (3, 8, 2))
_UP_WIDTHS = (1, 2, 4, 4, 4, 4)


def xseg_network(base: int = BASE, *, resolution: int = RESOLUTION, pretrain: bool = False) -> Network:
    """Image (R, R, 3) BGR 0..1 -> logits of the mask (R, R, 1). Files of the original hold 256 px, base 32.

    base: channels of the first level.
    pretrain: without the shortcuts.
    """
    return Network(partial(xseg, base=base, side=resolution // STEP, pretrain=pretrain), (resolution, resolution, 3))


def xseg(b: Builder, x: Value, base: int, side: int, pretrain: bool) -> Value:
    """A U with two dense layers at its bottom; side: of the map there."""
    skips = []
    for level, (count, width, blur) in enumerate(_LEVELS):
        for i in range(1, count + 1):
            x = _normalised(b, b.conv(x, f"conv{level}{i}/conv", width * base, 3), f"conv{level}{i}")
        # Zeros and not nothing, so that the variables are the same and pretrained weights can be used.
        skips.append(b.zeros_like(x) if pretrain else x)
        x = b.blur_pool(x, blur)
    x = b.dense(b.dense(b.flatten(x), "dense1", 512), "dense2", side * side * 8 * base)
    x = b.unflatten(x, side, side, 8 * base)
    for level in reversed(range(len(_LEVELS))):
        count, width, _ = _LEVELS[level]
        x = _normalised(b, b.conv_transpose(x, f"up{level}/conv", _UP_WIDTHS[level] * base, 3), f"up{level}")
        # This order, which is the other way round in the GAN's U, is that of the files.
        x = b.concat([x, skips[level]])
        for i in range(count, 0, -1):
            x = _normalised(b, b.conv(x, f"uconv{level}{i}/conv", width * base, 3), f"uconv{level}{i}")
    return b.conv(x, "out_conv", 1, 3)


def _normalised(b: Builder, x: Value, name: str) -> Value:
    return b.tlu(b.frn(x, f"{name}/frn"), f"{name}/tlu")
