"""The encoder, inter and decoder that the face-swap architectures share (DeepFaceLab's DeepFakeArchi).

letters: ``u`` normalises the encoder's output, ``d`` doubles the output by a sub-pixel head, ``t`` is the deeper
network with residual blocks in the encoder, ``c`` uses x * cos(x) in place of the leaky ReLU. R is the resolution.
"""

from core.networks.builder import Builder, Value


def activation(b: Builder, x: Value, slope: float, letters: str) -> Value:
    """The non-linearity after a convolution; slope: of the leaky ReLU."""
    return b.x_cos_x(x) if "c" in letters else b.lrelu(x, slope)


def down(b: Builder, x: Value, name: str, channels: int, letters: str) -> Value:
    """Half the size."""
    return activation(b, b.conv(x, f"{name}/conv1", channels, 5, stride=2), 0.1, letters)


def up(b: Builder, x: Value, name: str, channels: int, letters: str) -> Value:
    """Twice the size, by sub-pixel convolution."""
    return b.depth_to_space(activation(b, b.conv(x, f"{name}/conv1", 4 * channels, 3), 0.1, letters))


def residual(b: Builder, x: Value, name: str, channels: int, letters: str) -> Value:
    """The same shape, two convolutions beside a shortcut."""
    y = activation(b, b.conv(x, f"{name}/conv1", channels, 3), 0.2, letters)
    return activation(b, b.add(x, b.conv(y, f"{name}/conv2", channels, 3)), 0.2, letters)


def encoder(b: Builder, x: Value, e_dims: int, letters: str) -> Value:
    """Image (R, R, 3) -> vector of (R // 16)^2 * 8 e_dims, with ``t`` (R // 32)^2 * 8 e_dims."""
    if "t" in letters:
        # The residual blocks come after the first and the last halving only.
        x = residual(b, down(b, x, "down1", e_dims, letters), "res1", e_dims, letters)
        for i, factor in enumerate((2, 4, 8, 8), start=2):
            x = down(b, x, f"down{i}", factor * e_dims, letters)
        x = residual(b, x, "res5", 8 * e_dims, letters)
    else:
        for i, factor in enumerate((1, 2, 4, 8)):
            x = down(b, x, f"down1/downs_{i}", factor * e_dims, letters)
    x = b.flatten(x)
    return b.pixel_norm(x) if "u" in letters else x


def inter(b: Builder, x: Value, ae_dims: int, channels: int, grid: int, letters: str) -> Value:
    """Vector -> map (grid, grid, channels), without ``t`` twice as large."""
    x = b.dense(b.dense(x, "dense1", ae_dims), "dense2", grid * grid * channels)
    x = b.unflatten(x, grid, grid, channels)
    return x if "t" in letters else up(b, x, "upscale1", channels, letters)


def decoder(b: Builder, x: Value, d_dims: int, mask_dims: int, letters: str) -> tuple[Value, Value]:
    """Map -> (image (R, R, 3), mask (R, R, 1)), both 0..1."""
    return decoder_image(b, x, d_dims, letters), decoder_mask(b, x, mask_dims, letters)


def decoder_image(b: Builder, x: Value, d_dims: int, letters: str) -> Value:
    """Map -> image (R, R, 3), 0..1, with the decoder's variables for images only."""
    for i, factor in enumerate(_widths(letters)):
        x = up(b, x, f"upscale{i}", factor * d_dims, letters)
        x = residual(b, x, f"res{i}", factor * d_dims, letters)
    if "d" not in letters:
        return b.sigmoid(b.conv(x, "out_conv", 3, 1))
    # Four heads, one for each pixel of a 2 x 2 square of the doubled image.
    # The first is the head of the network without d, so it alone has a kernel of 1, as in the files.
    heads = [b.conv(x, "out_conv", 3, 1), *(b.conv(x, f"out_conv{i}", 3, 3) for i in (1, 2, 3))]
    return b.sigmoid(b.depth_to_space(b.concat(heads)))


def decoder_mask(b: Builder, x: Value, mask_dims: int, letters: str) -> Value:
    """Map -> mask (R, R, 1), 0..1, with the decoder's variables for masks only."""
    # Masks are not doubled by a head but by one more upscale.
    factors = (*_widths(letters), 1) if "d" in letters else _widths(letters)
    for i, factor in enumerate(factors):
        x = up(b, x, f"upscalem{i}", factor * mask_dims, letters)
    return b.sigmoid(b.conv(x, "out_convm", 1, 1))


def _widths(letters: str) -> tuple[int, ...]:
    """Channels after each upscale, in units of the decoder's dimensions."""
    return (8, 8, 4, 2) if "t" in letters else (8, 4, 2)
