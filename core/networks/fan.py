"""FAN: 68 facial landmarks as heat maps (DeepFaceLab's ``2DFAN.npy`` and ``3DFAN.npy``)."""

from core.networks.builder import Builder, Network, Value

# Hourglasses in a row, their channels, landmarks, halvings within an hourglass.
STACKS, WIDTH, POINTS, DEPTH = 4, 256, 68, 4


def fan_network() -> Network:
    """RGB image (256, 256, 3) 0..1 -> heat maps (64, 64, 68)."""
    return Network(fan, (256, 256, 3))


def fan(b: Builder, x: Value) -> Value:
    """The heat maps of the last of four hourglasses."""
    x = b.relu(b.batch_norm(b.conv(x, "conv1", 64, 7, stride=2), "bn1"))
    x = b.avg_pool(_block(b, x, "conv2", 64, 128))
    x = _block(b, _block(b, x, "conv3", 128, 128), "conv4", 128, WIDTH)
    for i in range(STACKS):
        y = _block(b, _hourglass(b, x, f"m_{i}", DEPTH), f"top_m_{i}", WIDTH, WIDTH)
        y = b.relu(b.batch_norm(b.conv(y, f"conv_last_{i}", WIDTH, 1), f"bn_end_{i}"))
        maps = b.conv(y, f"l_{i}", POINTS, 1)
        if i < STACKS - 1:  # the next hourglass sees the maps of this one
            x = b.add(x, b.add(b.conv(y, f"bl_{i}", WIDTH, 1), b.conv(maps, f"al_{i}", WIDTH, 1)))
    return maps


def _block(b: Builder, x: Value, name: str, channels: int, out: int) -> Value:
    """Three convolutions, each after the one before, side by side; ``channels`` come in, ``out`` go out."""
    parts, y = [], x
    for i, width in enumerate((out // 2, out // 4, out // 4), start=1):
        y = b.conv(b.relu(b.batch_norm(y, f"{name}/bn{i}")), f"{name}/conv{i}", width, 3, bias=False)
        parts.append(y)
    if channels != out:
        x = b.conv(b.relu(b.batch_norm(x, f"{name}/down_bn1")), f"{name}/down_conv1", out, 1, bias=False)
    return b.add(b.concat(parts), x)


def _hourglass(b: Builder, x: Value, name: str, depth: int) -> Value:
    """Half the size, as often as ``depth`` says, and back; at each size a block beside the way."""
    upper = _block(b, x, f"{name}/b1", WIDTH, WIDTH)
    x = _block(b, b.avg_pool(x), f"{name}/b2", WIDTH, WIDTH)
    inner = f"{name}/b2_plus"
    x = _hourglass(b, x, inner, depth - 1) if depth > 1 else _block(b, x, inner, WIDTH, WIDTH)
    return b.add(upper, b.upsample(_block(b, x, f"{name}/b3", WIDTH, WIDTH)))
