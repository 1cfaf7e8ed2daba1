"""df: one shared code, a decoder for each face."""

from core.networks.archs import _parts
from core.networks.builder import Graph, Network, Value
from core.networks.config import ModelConfig

DECODER_SRC, DECODER_DST = "decoder_src", "decoder_dst"


def networks(config: ModelConfig) -> dict[str, Network]:
    return {
        "encoder": _parts.encoder(config),
        "inter": _parts.inter(config, config.ae_dims),
        "decoder_src": _parts.decoder(config, config.ae_dims),
        "decoder_dst": _parts.decoder(config, config.ae_dims),
    }


def src_code(graph: Graph, x: Value) -> Value:
    return graph.call("inter", graph.call("encoder", x))


def dst_codes(graph: Graph, x: Value, morph: Value | None = None) -> tuple[Value, Value]:
    code = src_code(graph, x)
    return code, code


def src_codes(graph: Graph, x: Value, morph: Value | None = None) -> tuple[Value, Value]:
    return dst_codes(graph, x)
