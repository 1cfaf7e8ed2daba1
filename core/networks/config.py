"""What fixes the networks of a model: a small dataclass, its validation, and how it is read from a model's options."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import InputError, UsageError

TYPES = ("df", "liae")
LETTERS = "udtc"
KINDS = ("SAEHD", "AMP", "Quick96")
_WIDTHS = ("ae_dims", "e_dims", "d_dims", "d_mask_dims")


@dataclass(frozen=True)
class Archi:
    """An architecture string, read.

    kind: df, liae or amp.
    letters: a subset of ``udtc`` in that order.
    """

    kind: str
    letters: str


@dataclass(frozen=True)
class ModelConfig:
    """What fixes the networks of a model.

    resolution: side of the images, pixels.
    face_type: short name (h mf f wf head).
    archi: such as ``liae-udt``, or ``amp``.
    ae_dims, e_dims, d_dims, d_mask_dims: widths of the code, the encoder, the decoder's image and mask branches.
    inter_dims: channels of AMP's code maps; 0 for the others.
    """

    resolution: int
    face_type: str
    archi: str
    ae_dims: int
    e_dims: int
    d_dims: int
    d_mask_dims: int
    inter_dims: int = 0

    def parsed(self) -> Archi:
        """Raises UsageError for an unknown architecture."""
        return parse_archi(self.archi)


# Of the original, which has no options for it.
QUICK96 = ModelConfig(
    resolution=96,
    face_type="f",
    archi="df-ud",
    ae_dims=128,
    e_dims=64,
    d_dims=64,
    d_mask_dims=16,
)


def parse_archi(text: str) -> Archi:
    """``df``, ``liae-udt``, ...; letters in any order, repeats do no harm. Raises UsageError."""
    if text == "amp":  # the t encoder and the dt decoder with normalised codes
        return Archi("amp", "udt")
    kind, dash, letters = text.partition("-")
    if kind not in TYPES or bool(dash) != bool(letters) or set(letters) - set(LETTERS):
        raise UsageError(
            "unknown architecture",
            where=text,
            hint="df or liae, then if wanted a dash and any of the letters u d t c, such as liae-udt",
        )
    return Archi(kind, "".join(letter for letter in LETTERS if letter in letters))


def resolution_step(archi: str) -> int:
    """Resolutions of this architecture are multiples of 16, with ``d`` or ``t`` of 32."""
    # The encoder halves four times, with ``t`` five times; ``d`` doubles the decoder's output.
    return 32 if set("dt") & set(parse_archi(archi).letters) else 16


def validate(config: ModelConfig) -> ModelConfig:
    """The same config. Raises UsageError for a resolution or a width that cannot be built."""
    step = resolution_step(config.archi)
    if config.resolution < step or config.resolution % step:
        below = max(step, config.resolution // step * step)
        raise UsageError(
            "wrong resolution",
            where=str(config.resolution),
            why=f"{config.archi} needs a multiple of {step}",
            hint=f"use {below} or {below + step}",
        )
    widths = (*_WIDTHS, "inter_dims") if config.archi == "amp" else _WIDTHS
    for name in widths:
        value = getattr(config, name)
        if value < 1:
            raise UsageError("wrong network width", where=f"{name} {value}", hint="use a positive number")
    return config


def config_from_options(options: Mapping[str, Any], kind: str = "SAEHD") -> ModelConfig:
    """The config that a model's saved options describe. kind: the class of the model.

    Raises:
        InputError: options are missing.
        UsageError: they make no sense.
    """
    # Its data.dat has no sizes: they are fixed.
    if kind == "Quick96":
        return QUICK96
    needed = ["resolution", "face_type", *_WIDTHS, "archi" if kind == "SAEHD" else "inter_dims"]
    missing = [key for key in needed if key not in options]
    if missing:
        raise InputError(
            "the model's options are incomplete",
            where=", ".join(missing),
            hint=f"the data.dat of a {kind} model has them; is it the right file?",
        )
    config = ModelConfig(
        resolution=int(options["resolution"]),
        face_type=str(options["face_type"]),
        archi=str(options["archi"]) if kind == "SAEHD" else "amp",
        **{name: int(options[name]) for name in _WIDTHS},
        inter_dims=0 if kind == "SAEHD" else int(options["inter_dims"]),
    )
    return validate(config)
