"""liae: two codes (AB for what both faces share, B for the target only), one decoder."""

from core.networks.archs import _parts
from core.networks.builder import Graph, Network, Value
from core.networks.config import ModelConfig

DECODER_SRC = DECODER_DST = "decoder"


def networks(config: ModelConfig) -> dict[str, Network]:
    channels = 2 * config.ae_dims
    return {
        "encoder": _parts.encoder(config),
        "inter_AB": _parts.inter(config, channels),
        "inter_B": _parts.inter(config, channels),
        "decoder": _parts.decoder(config, 2 * channels),
    }


def src_code(graph: Graph, x: Value) -> Value:
    code = graph.call("inter_AB", graph.call("encoder", x))
    # The decoder takes two codes; the source has no code of its own, so the shared one stands in both places.
    return graph.concat([code, code])


def dst_codes(graph: Graph, x: Value, morph: Value | None = None) -> tuple[Value, Value]:
    encoded = graph.call("encoder", x)
    both, own = graph.call("inter_AB", encoded), graph.call("inter_B", encoded)
    return graph.concat([own, both]), graph.concat([both, both])


def src_codes(graph: Graph, x: Value, morph: Value | None = None) -> tuple[Value, Value]:
    own_of_dst, both = dst_codes(graph, x)
    return both, own_of_dst
