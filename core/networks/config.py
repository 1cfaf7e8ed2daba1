"""What fixes the networks of a model: a small dataclass, its checks, and how it is read from a model's options."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import InputError, UsageError

TYPES = ("df", "liae")
LETTERS = "udtc"
KINDS = ("SAEHD", "AMP", "Quick96")
SAEHD_KEYS = ("resolution", "face_type", "archi", "ae_dims", "e_dims", "d_dims", "d_mask_dims")


@dataclass(frozen=True)
class Archi:
    """kind: df, liae or amp; letters: a subset of ``udtc`` in that order."""

    kind: str
    letters: str


@dataclass(frozen=True)
class ModelConfig:
    """resolution: pixels; face_type: short name (h mf f wf head); archi: ``liae-udt``, or ``amp``; the rest: network widths.
    inter_dims is AMP's only."""

    resolution: int
    face_type: str
    archi: str
    ae_dims: int
    e_dims: int
    d_dims: int
    d_mask_dims: int
    inter_dims: int = 0

    def parsed(self) -> Archi:
        """Raises UsageError."""
        return parse_archi(self.archi)


QUICK96 = ModelConfig(96, "f", "df-ud", 128, 64, 64, 16)


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
    widths = {
        "ae_dims": config.ae_dims,
        "e_dims": config.e_dims,
        "d_dims": config.d_dims,
        "d_mask_dims": config.d_mask_dims,
    }
    if config.archi == "amp":
        widths["inter_dims"] = config.inter_dims
    for name, value in widths.items():
        if value < 1:
            raise UsageError("wrong network width", where=f"{name} {value}", hint="use a positive number")
    return config


def config_from_options(options: Mapping[str, Any], kind: str = "SAEHD") -> ModelConfig:
    """The config that a model's saved options describe. Raises InputError where they are incomplete, UsageError where they make no sense."""
    if kind == "Quick96":
        return QUICK96
    keys = SAEHD_KEYS if kind == "SAEHD" else (*(k for k in SAEHD_KEYS if k != "archi"), "inter_dims")
    missing = [k for k in keys if k not in options]
    if missing:
        raise InputError(
            "the model's options are incomplete",
            where=", ".join(missing),
            hint=f"the data.dat of a {kind} model has them; is it the right file?",
        )
    values = {k: str(options[k]) if k in ("face_type", "archi") else int(options[k]) for k in keys}
    return validate(ModelConfig(**({"archi": "amp"} | values)))  # type: ignore[arg-type]
