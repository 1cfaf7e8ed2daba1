"""What can be changed while pictures run: checked when it is changed, so that no picture can fail of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import UsageError
from core.merge import expressions, names
from core.merge.settings import MergeSettings

# What a picture of the moment has: the masks of the model, and those that are drawn by landmarks.
MASKS = ("learned_prd", "learned_dst", "hull", "components", "extended", "whole", "full")
# A box that shows the face without its frame is nothing to be played.
MODES = tuple(word for word in names.MODES if word != "raw-predict")
COLORS = tuple(word for word in names.COLORS if word != "manual-balance")
_TEXTS = ("mode", "mask", "color")
_NUMBERS = ("opacity", "erode", "feather_in", "feather_out", "scale", "sharpen_amount", "color_strength")


@dataclass(frozen=True)
class Controls:
    """How the picture is made.

    settings: how a face is put in. morph: 0..1, of AMP models. swap: whether faces are swapped at all. badge: whether
    the picture says that it is synthetic.

    Raises:
        UsageError: a mode or a mask that live pictures do not have, a morph value out of its range.
    """

    settings: MergeSettings = field(default_factory=MergeSettings)
    morph: float = 1.0
    swap: bool = True
    badge: bool = True

    def __post_init__(self) -> None:
        missing = sorted(expressions.parse(self.settings.mask).names - set(MASKS))
        if missing:
            raise UsageError(f"live pictures have no mask {missing[0]}", hint=f"there are {', '.join(MASKS)}")
        if self.settings.mode not in MODES:
            raise UsageError("no mode for live pictures", where=self.settings.mode, hint=", ".join(MODES))
        if not 0 <= self.morph <= 1:
            raise UsageError("morph is out of its range", where=str(self.morph), hint="0 to 1")

    def changed(self, asked: Mapping[str, Any]) -> "Controls":
        """With other values; names as in ``shown``.

        Raises:
            UsageError: an unknown name, a value of another kind or out of its range.
        """
        settings: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for name, value in asked.items():
            if name in _TEXTS:
                settings[name] = _of(name, value, str)
            elif name in _NUMBERS:
                settings[name] = _number(name, value)
            elif name in ("swap", "badge"):
                own[name] = _of(name, value, bool)
            elif name == "morph":
                own[name] = _number(name, value)
            else:
                raise UsageError("no such control", where=str(name)[:60])
        return replace(self, settings=replace(self.settings, **settings), **own)

    def shown(self) -> dict[str, Any]:
        """All values, as JSON."""
        settings = {name: getattr(self.settings, name) for name in (*_TEXTS, *_NUMBERS)}
        return {**settings, "morph": self.morph, "swap": self.swap, "badge": self.badge}


def _of(name: str, value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise UsageError(f"{name} is not of its kind", where=str(value)[:60], hint=f"{kind.__name__} is expected")
    return value


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise UsageError(f"{name} is no number", where=str(value)[:60])
    return float(value)
