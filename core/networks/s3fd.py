"""S3FD: face detector at six scales (DeepFaceLab's ``S3FD.npy``)."""

import itertools

from core.networks.builder import Builder, Network, Value

# Subtracted from the channels of the RGB input; the order is that of the trained file.
MEANS = (104.0, 117.0, 123.0)


def s3fd_network() -> Network:
    """RGB image 0..255 of any size -> twelve maps.

    They are, for each stride of 4, 8, ..., 128, the class probabilities (background, face) and the box offsets (4).
    """
    return Network(s3fd, (None, None, 3))


def s3fd(b: Builder, x: Value) -> tuple[Value, ...]:
    """VGG-16 with further halvings, and two heads on each of six sizes."""
    x = b.shift(x, [-mean for mean in MEANS])
    x = b.max_pool(_stage(b, x, 1, 2, 64))
    x = b.max_pool(_stage(b, x, 2, 2, 128))
    f3 = _stage(b, x, 3, 3, 256)
    f4 = _stage(b, b.max_pool(f3), 4, 3, 512)
    f5 = _stage(b, b.max_pool(f4), 5, 3, 512)
    # The fully connected layers of VGG as convolutions; with this padding the trained map is larger than its input.
    x = b.relu(b.conv(b.max_pool(f5), "fc6", 1024, 3, pad=3))
    f6 = b.relu(b.conv(x, "fc7", 1024, 1))
    f7 = _narrow(b, f6, "conv6", 256)
    f8 = _narrow(b, f7, "conv7", 128)
    # Early maps have larger numbers than late ones; a norm with a learned scale makes them comparable.
    levels = [(b.l2_norm(f, f"conv{i}_3_norm"), f"conv{i}_3_norm") for i, f in ((3, f3), (4, f4), (5, f5))]
    levels += [(f6, "fc7"), (f7, "conv6_2"), (f8, "conv7_2")]
    heads = [_heads(b, feature, name) for feature, name in levels]
    return tuple(itertools.chain.from_iterable(heads))


def _stage(b: Builder, x: Value, number: int, count: int, width: int) -> Value:
    for i in range(1, count + 1):
        x = b.relu(b.conv(x, f"conv{number}_{i}", width, 3))
    return x


def _narrow(b: Builder, x: Value, name: str, width: int) -> Value:
    x = b.relu(b.conv(x, f"{name}_1", width, 1))
    return b.relu(b.conv(x, f"{name}_2", 2 * width, 3, stride=2))


def _heads(b: Builder, x: Value, name: str) -> tuple[Value, Value]:
    first = name == "conv3_3_norm"
    scores = b.conv(x, f"{name}_mbox_conf", 4 if first else 2, 3)
    if first:  # three kinds of background, the strongest counts
        background = b.maximum(b.maximum(b.channels(scores, 0, 1), b.channels(scores, 1, 2)), b.channels(scores, 2, 3))
        scores = b.concat([background, b.channels(scores, 3, 4)])
    return b.softmax(scores), b.conv(x, f"{name}_mbox_loc", 4, 3)
