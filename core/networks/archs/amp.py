"""amp: two inters for one code; the swap takes a share of the channels from each (``morph``)."""

from functools import partial

from core.networks.archs import _blocks, _parts
from core.networks.builder import Builder, Graph, Network, Value
from core.networks.config import ModelConfig

DECODER_SRC = DECODER_DST = "decoder"


def networks(config: ModelConfig) -> dict[str, Network]:
    size, side = config.resolution, config.resolution // 32  # the encoder halves five times
    inter = Network(partial(_inter, side=side, channels=config.inter_dims), (config.ae_dims,))
    return {
        "encoder": Network(partial(_encoder, config=config), (size, size, 3)),
        "inter_src": inter,
        "inter_dst": inter,
        "decoder": _parts.decoder(config, config.inter_dims),
    }


def _encoder(b: Builder, x: Value, config: ModelConfig) -> Value:
    # The first dense layer is in the encoder's file here, not in that of the inters.
    return b.dense(_blocks.encoder(b, x, config.e_dims, config.parsed().letters), "dense1", config.ae_dims)


def _inter(b: Builder, x: Value, side: int, channels: int) -> Value:
    return b.unflatten(b.dense(x, "dense2", side * side * channels), side, side, channels)


def src_code(graph: Graph, x: Value) -> Value:
    return graph.call("inter_src", graph.call("encoder", x))


def dst_codes(graph: Graph, x: Value, morph: Value | None = None) -> tuple[Value, Value]:
    """``morph``: shape (1,), 0..1, the share of channels that come from the source's inter; None is all of them."""
    encoded = graph.call("encoder", x)
    own, other = graph.call("inter_dst", encoded), graph.call("inter_src", encoded)
    return own, other if morph is None else graph.morph(other, own, morph)


def src_codes(graph: Graph, x: Value, morph: Value | None = None) -> tuple[Value, Value]:
    """``morph``: the share of channels that come from the target's inter; None is all of them."""
    encoded = graph.call("encoder", x)
    other, own = graph.call("inter_dst", encoded), graph.call("inter_src", encoded)
    return own, other if morph is None else graph.morph(other, own, morph)
