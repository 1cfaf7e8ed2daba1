"""What the networks make of a batch while they train: src and dst run through shared networks together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keras import ops

Tensor = Any


@dataclass(frozen=True)
class Views:
    """Decoded faces of a batch, N x R x R x C. image, mask: src then dst, (2B, ...); code_src, code_dst: what the decoders got (df: also
    what the code discriminator sees); swap, swap_mask: the dst face as src; swap_stopped: the same with no gradient into the code.
    The swaps are None unless asked for."""

    image: Tensor
    mask: Tensor
    code_src: Tensor
    code_dst: Tensor
    swap: Tensor = None
    swap_mask: Tensor = None
    swap_stopped: Tensor = None


def forward(kind: str, networks: Mapping[str, Any], x: Tensor, *, swap: bool = False, stopped: bool = False) -> Views:
    """Run ``x`` (src then dst, (2B, R, R, 3)) through the networks of a ``df`` or ``liae`` model."""
    return _KINDS[kind](networks, x, swap, stopped)


def _df(networks: Mapping[str, Any], x: Tensor, swap: bool, stopped: bool) -> Views:
    code_src, code_dst = ops.split(networks["inter"](networks["encoder"](x)), 2)
    src, dst = networks["decoder_src"](code_src), networks["decoder_dst"](code_dst)
    image, mask = (ops.concatenate([a, b]) for a, b in zip(src, dst, strict=True))
    return Views(image, mask, code_src, code_dst, **_swaps(networks["decoder_src"], code_dst, swap, stopped))


def _liae(networks: Mapping[str, Any], x: Tensor, swap: bool, stopped: bool) -> Views:
    encoded = networks["encoder"](x)
    ab_src, ab_dst = ops.split(networks["inter_AB"](encoded), 2)
    own = networks["inter_B"](ops.split(encoded, 2)[1])
    code_src, code_dst = ops.concatenate([ab_src, ab_src], axis=-1), ops.concatenate([own, ab_dst], axis=-1)
    image, mask = networks["decoder"](ops.concatenate([code_src, code_dst]))
    swapped = _swaps(networks["decoder"], ops.concatenate([ab_dst, ab_dst], axis=-1), swap, stopped)
    return Views(image, mask, code_src, code_dst, **swapped)


def _swaps(decoder: Any, code: Tensor, swap: bool, stopped: bool) -> dict[str, Tensor]:
    """The swap, and the swap that teaches only the decoder."""
    made: dict[str, Tensor] = {}
    if swap:
        made["swap"], made["swap_mask"] = decoder(code)
    if stopped:
        made["swap_stopped"] = decoder(ops.stop_gradient(code))[0]
    return made


_KINDS = {"df": _df, "liae": _liae}
