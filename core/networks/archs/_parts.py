"""Networks that several architectures have in common."""

from functools import partial

from core.networks.archs import _blocks
from core.networks.builder import Network
from core.networks.config import ModelConfig


def encoder(config: ModelConfig) -> Network:
    """Image (R, R, 3) -> vector."""
    build = partial(_blocks.encoder, e_dims=config.e_dims, letters=config.parsed().letters)
    return Network(build, (config.resolution, config.resolution, 3))


def code_length(config: ModelConfig) -> int:
    """Length of the encoder's output."""
    side = config.resolution // (32 if "t" in config.parsed().letters else 16)
    return side * side * 8 * config.e_dims


def inter(config: ModelConfig, channels: int) -> Network:
    """Vector -> map (side, side, channels) of ``code_side``."""
    letters = config.parsed().letters
    build = partial(_blocks.inter, ae_dims=config.ae_dims, channels=channels, grid=grid(config), letters=letters)
    return Network(build, (code_length(config),))


def grid(config: ModelConfig) -> int:
    """Side of the inter's map before its own upscale."""
    return config.resolution // (32 if "d" in config.parsed().letters else 16)


def code_side(config: ModelConfig) -> int:
    """Side of the map that goes into a decoder."""
    return grid(config) * (1 if "t" in config.parsed().letters else 2)


def decoder(config: ModelConfig, channels: int) -> Network:
    """Map (side, side, channels) -> (image (R, R, 3), mask (R, R, 1)); parts: ``image`` and ``mask``."""
    letters = config.parsed().letters
    side = code_side(config)
    parts = {
        "image": partial(_blocks.decoder_image, d_dims=config.d_dims, letters=letters),
        "mask": partial(_blocks.decoder_mask, mask_dims=config.d_mask_dims, letters=letters),
    }
    build = partial(_blocks.decoder, d_dims=config.d_dims, mask_dims=config.d_mask_dims, letters=letters)
    return Network(build, (side, side, channels), parts)
