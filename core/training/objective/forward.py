"""What the networks make of a batch while they train: src and dst run through shared networks together."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from keras import ops

from core.networks.keras_builder import morph

Tensor = Any
Networks = Mapping[str, Any]


@dataclass(frozen=True)
class Views:
    """Decoded faces of a batch, float32, 0..1; B is the number of faces of one side.

    image: src then dst, (2B, R, R, 3).
    mask: src then dst, (2B, R, R, 1).
    code_src, code_dst: what the decoders got, (B, h, w, C); df: also what the code discriminator sees.
    swap, swap_mask: the dst face as src, (B, R, R, 3) and (B, R, R, 1). None unless asked for.
    swap_stopped: the same image with no gradient into the code. None unless asked for.
    """

    image: Tensor
    mask: Tensor
    code_src: Tensor
    code_dst: Tensor
    swap: Tensor = None
    swap_mask: Tensor = None
    swap_stopped: Tensor = None

    def present(self) -> dict[str, Tensor]:
        """What was asked for, by name: Keras hands on dicts of tensors."""
        return {name: value for name, value in vars(self).items() if value is not None}


def forward(
    architecture: str, networks: Networks, inputs: Mapping[str, Tensor], optional: Collection[str] = ()
) -> Views:
    """Run ``inputs["warped"]``, src then dst, (2B, R, R, 3), through the networks of a model.

    architecture: ``df``, ``liae`` or ``amp``.
    optional: ``swap`` and ``swap_stopped`` as they are asked for.

    ``amp`` takes two more inputs: ``share``, (2B, inter_dims), is 1 where the code of src comes from src's own network
    (the second half is not used); ``morph``, (2B, 1), is how much of the swap does, 0..1, for the swap only.
    """
    return ARCHITECTURES[architecture](networks, inputs, optional)


def _df(networks: Networks, inputs: Mapping[str, Tensor], optional: Collection[str]) -> Views:
    # One pass for both sides: a batch twice as large is faster than two.
    code_src, code_dst = ops.split(networks["inter"](networks["encoder"](inputs["warped"])), 2)
    src, dst = networks["decoder_src"](code_src), networks["decoder_dst"](code_dst)
    image, mask = (ops.concatenate([a, b]) for a, b in zip(src, dst, strict=True))
    return Views(image, mask, code_src, code_dst, **_swaps(networks["decoder_src"], code_dst, optional))


def _liae(networks: Networks, inputs: Mapping[str, Tensor], optional: Collection[str]) -> Views:
    # The decoder reads in the first half of a code whose face it is: src has AB there, dst its own B. The swap is a dst
    # face with AB in both halves, as if it were src.
    encoded = networks["encoder"](inputs["warped"])
    ab_src, ab_dst = ops.split(networks["inter_AB"](encoded), 2)
    own = networks["inter_B"](ops.split(encoded, 2)[1])
    code_src, code_dst = ops.concatenate([ab_src, ab_src], axis=-1), ops.concatenate([own, ab_dst], axis=-1)
    image, mask = networks["decoder"](ops.concatenate([code_src, code_dst]))
    swapped = ops.concatenate([ab_dst, ab_dst], axis=-1)
    return Views(image, mask, code_src, code_dst, **_swaps(networks["decoder"], swapped, optional))


def _amp(networks: Networks, inputs: Mapping[str, Tensor], optional: Collection[str]) -> Views:
    encoded = networks["encoder"](inputs["warped"])
    encoded_src, encoded_dst = ops.split(encoded, 2)
    other_src, code_dst = ops.split(networks["inter_dst"](encoded), 2)
    own_src = networks["inter_src"](encoded_src)
    # Some channels of a src code come from dst's network, so that both networks learn codes that mix.
    share = ops.cast(ops.split(inputs["share"], 2)[0], own_src.dtype)[:, None, None, :]
    code_src = own_src * share + other_src * (1 - share)
    image, mask = networks["decoder"](ops.concatenate([code_src, code_dst]))
    # Batches for training have no morph: no term of the objective of AMP looks at the swap.
    if not optional:
        return Views(image, mask, code_src, code_dst)
    amount = ops.split(inputs["morph"], 2)[1][:, :, None, None]
    swapped = morph(networks["inter_src"](encoded_dst), code_dst, amount)
    return Views(image, mask, code_src, code_dst, **_swaps(networks["decoder"], swapped, optional))


def _swaps(decoder: Any, code: Tensor, optional: Collection[str]) -> dict[str, Tensor]:
    """The swap, and the swap that teaches only the decoder."""
    made: dict[str, Tensor] = {}
    if "swap" in optional:
        made["swap"], made["swap_mask"] = decoder(code)
    if "swap_stopped" in optional:
        made["swap_stopped"] = decoder(ops.stop_gradient(code))[0]
    return made


ARCHITECTURES: dict[str, Callable[[Networks, Mapping[str, Tensor], Collection[str]], Views]] = {
    "df": _df,
    "liae": _liae,
    "amp": _amp,
}
