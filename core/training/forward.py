"""What the networks make of a batch while they train: src and dst run through shared networks together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keras import ops

from core.networks.keras_builder import morph

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


def forward(
    kind: str, networks: Mapping[str, Any], inputs: Mapping[str, Tensor], *, swap: bool = False, stopped: bool = False
) -> Views:
    """Run ``inputs["warped"]`` (src then dst, (2B, R, R, 3)) through the networks of a ``df``, ``liae`` or ``amp`` model.

    amp: ``inputs["share"]``, (2B, inter_dims), is 1 where the code of src comes from src's own network (the second half is not used);
    ``inputs["morph"]``, (2B, 1), how much of the swap does, 0..1, for the swap only.
    """
    return _KINDS[kind](networks, inputs, swap, stopped)


def _df(networks: Mapping[str, Any], inputs: Mapping[str, Tensor], swap: bool, stopped: bool) -> Views:
    code_src, code_dst = ops.split(networks["inter"](networks["encoder"](inputs["warped"])), 2)
    src, dst = networks["decoder_src"](code_src), networks["decoder_dst"](code_dst)
    image, mask = (ops.concatenate([a, b]) for a, b in zip(src, dst, strict=True))
    return Views(image, mask, code_src, code_dst, **_swaps(networks["decoder_src"], code_dst, swap, stopped))


def _liae(networks: Mapping[str, Any], inputs: Mapping[str, Tensor], swap: bool, stopped: bool) -> Views:
    encoded = networks["encoder"](inputs["warped"])
    ab_src, ab_dst = ops.split(networks["inter_AB"](encoded), 2)
    own = networks["inter_B"](ops.split(encoded, 2)[1])
    code_src, code_dst = ops.concatenate([ab_src, ab_src], axis=-1), ops.concatenate([own, ab_dst], axis=-1)
    image, mask = networks["decoder"](ops.concatenate([code_src, code_dst]))
    swapped = _swaps(networks["decoder"], ops.concatenate([ab_dst, ab_dst], axis=-1), swap, stopped)
    return Views(image, mask, code_src, code_dst, **swapped)


def _amp(networks: Mapping[str, Any], inputs: Mapping[str, Tensor], swap: bool, stopped: bool) -> Views:
    encoded = networks["encoder"](inputs["warped"])
    encoded_src, encoded_dst = ops.split(encoded, 2)
    other_src, code_dst = ops.split(networks["inter_dst"](encoded), 2)
    own_src = networks["inter_src"](encoded_src)
    share = ops.cast(ops.split(inputs["share"], 2)[0], own_src.dtype)[:, None, None, :]
    code_src = own_src * share + other_src * (1 - share)
    image, mask = networks["decoder"](ops.concatenate([code_src, code_dst]))
    if not swap:
        return Views(image, mask, code_src, code_dst)
    amount = ops.split(inputs["morph"], 2)[1][:, :, None, None]
    code = morph(networks["inter_src"](encoded_dst), code_dst, amount)
    return Views(image, mask, code_src, code_dst, **_swaps(networks["decoder"], code, swap, stopped))


def _swaps(decoder: Any, code: Tensor, swap: bool, stopped: bool) -> dict[str, Tensor]:
    """The swap, and the swap that teaches only the decoder."""
    made: dict[str, Tensor] = {}
    if swap:
        made["swap"], made["swap_mask"] = decoder(code)
    if stopped:
        made["swap_stopped"] = decoder(ops.stop_gradient(code))[0]
    return made


_KINDS = {"df": _df, "liae": _liae, "amp": _amp}
