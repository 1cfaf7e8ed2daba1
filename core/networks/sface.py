"""SFace, which tells whose face it sees, with what it sees on the way there."""

from core.networks.builder import Builder, Network, Value

SIDE = 112
# A convolution of each channel by itself and one of 1 x 1 pixels: channels after both, and the stride of the first.
_PAIRS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
# Numbers of the layers, of which the first is 1, behind which the features are an output: the last of each size.
_SEEN = (2, 4, 6, 12)
_NUMBERS = 128


def sface_network() -> Network:
    """RGB image (112, 112, 3) -1..1 -> maps (112, 112, 64), (56, 56, 128), (28, 28, 256), (14, 14, 512), and (128,)."""
    return Network(sface, (SIDE, SIDE, 3))


def sface(b: Builder, x: Value) -> tuple[Value, ...]:
    """Features, from fine to coarse, and the numbers that say whose face it is. Norms are part of the convolutions."""
    x = b.prelu(b.conv(x, "conv_1", 32, 3), "conv_1_relu")
    seen = []
    for i, (channels, stride) in enumerate(_PAIRS, start=2):
        x = b.prelu(b.depthwise(x, f"conv_{i}_dw", 3, stride=stride), f"conv_{i}_dw_relu")
        x = b.prelu(b.conv(x, f"conv_{i}", channels, 1), f"conv_{i}_relu")
        if i in _SEEN:
            seen.append(x)
    return *seen, b.dense(b.flatten(x), "fc1", _NUMBERS)


def convolutions() -> list[str]:
    """The names of the convolutions, in order."""
    pairs = [(f"conv_{i}_dw", f"conv_{i}") for i in range(2, len(_PAIRS) + 2)]
    return ["conv_1", *(name for pair in pairs for name in pair)]
