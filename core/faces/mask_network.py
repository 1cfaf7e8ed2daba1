"""Descriptions of masking networks that people bring: one small JSON file beside the ONNX file.

``docs/masks.md`` explains each key.
"""

from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import CorruptFileError, InputError, UsageError
from core.faces.contract import FloatArray
from core.safe_files import read_object

_LARGEST = 1_000_000  # bytes of a description
Label = Annotated[int, Field(ge=0, lt=1 << 16)]
Crop = Literal["face", "head", "legacy", "h", "mf", "f", "wf"]

_CELEBA = {
    "background": [0],
    "face": [1, 2, 3, 10, 11, 12, 13],
    "eyes": [4, 5],
    "glasses": [6],
    "ears": [7, 8, 9],
    "neck": [14],
    "necklace": [15],
    "cloth": [16],
    "hair": [17],
    "hat": [18],
}
_FIVE = {"background": [0], "face": [1], "ears": [2], "hair": [3], "glasses": [4]}
_VGG = {"crop": "face", "colour": "bgr", "divide": 1.0, "mean": "crop"}
# What well-known families of face masking networks expect; a description names one and may change any part of it.
PRESETS: dict[str, dict[str, Any]] = {
    "bisenet-19": {
        "size": 512,
        "crop": "face",
        "colour": "rgb",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "output": "labels",
        "labels": _CELEBA,
        "include": ["face", "eyes", "glasses"],
    },
    "bisenet-5": {
        "size": 512,
        "crop": "face",
        "colour": "rgb",
        "mean": [0.384, 0.314, 0.279],
        "std": [0.324, 0.286, 0.275],
        "output": "labels",
        "labels": _FIVE,
        "include": ["face", "glasses"],
    },
    "unet-dfl": {"size": 256, "crop": "legacy", "colour": "bgr", "output": "probability"},
    "vgg-clear": {**_VGG, "size": 300, "output": "softmax", "channel": -1},
    "vgg-obstructed": {**_VGG, "size": 500, "output": "softmax", "channel": 0, "invert": True},
}


class Description(BaseModel):
    """How to feed a network and how to read its answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    model: str = Field(description="ONNX file beside the description")
    size: int = Field(ge=16, le=4096, description="side of the square input in pixels")
    crop: Crop = Field(
        description="what the input shows: face, head, legacy (centred as in faceswap), or a face type h mf f wf"
    )
    colour: Literal["bgr", "rgb"] = Field("rgb", description="order of the channels")
    layout: Literal["nchw", "nhwc"] = Field("nchw", description="order of the input's axes")
    divide: float = Field(255.0, gt=0, description="pixels 0..255 are divided by this")
    mean: list[float] | Literal["crop"] = Field(
        [0.0, 0.0, 0.0], description="then this is taken away, one number a channel; crop: the crop's own mean"
    )
    std: list[float] = Field([1.0, 1.0, 1.0], description="then it is divided by this")
    result: str | None = Field(None, description="name of the output to read; the first when left out")
    output: Literal["labels", "softmax", "sigmoid", "probability"] = Field(
        description="labels: the channel with the highest value is the label; softmax, sigmoid: applied here; "
        "probability: 0..1 as it is"
    )
    channel: int = Field(0, description="which channel is the mask (not for labels); -1 is the last")
    invert: bool = Field(False, description="the mask is what that channel is not")
    labels: dict[str, list[Label]] = Field({}, description="names of areas and their label numbers")
    include: list[str] = Field([], description="areas that belong to the mask")

    @model_validator(mode="after")
    def _consistent(self) -> "Description":
        if self.mean != "crop" and len(self.mean) != 3 or len(self.std) != 3 or 0 in self.std:
            raise ValueError("mean and std need three numbers each, std without zeros")
        unknown = [name for name in self.include if name not in self.labels]
        if unknown:
            raise ValueError(f"include names areas that labels has not: {', '.join(unknown)}")
        if self.output == "labels" and not self.include:
            raise ValueError("output labels needs labels and include")
        return self

    def choose(self, include: tuple[str, ...], exclude: tuple[str, ...]) -> "Description":
        """The description with areas taken in or left out; with hair, the crop of a face network becomes the head.

        Raises:
            UsageError: there is no such area, or none is left.
        """
        unknown = [name for name in (*include, *exclude) if name not in self.labels]
        if unknown:
            known = ", ".join(self.labels) or "none: its output is no label map"
            raise UsageError("this network has no such area", where=", ".join(unknown), hint=f"areas: {known}")
        # dict.fromkeys drops what is named twice and, other than a set, keeps the order.
        chosen = [name for name in dict.fromkeys((*self.include, *include)) if name not in exclude]
        if not chosen and self.labels:
            raise UsageError("nothing is left of the mask", where="--exclude")
        # The crop around the face cuts hair off.
        crop = "head" if "hair" in chosen and self.crop == "face" else self.crop
        return self.model_copy(update={"include": chosen, "crop": crop})

    @property
    def numbers(self) -> list[int]:
        """The labels that belong to the mask."""
        return sorted(set(chain.from_iterable(self.labels[name] for name in self.include)))


def read_description(path: Path) -> Description:
    """The description in a JSON file, on top of the preset that it names.

    Raises:
        InputError: there is no such file, or something is wrong with it, which it names.
    """
    if not path.exists():
        raise InputError("no such description of a masking network", where=path)
    try:
        raw = read_object(path, "no description", _LARGEST)
    except CorruptFileError as error:
        raise _wrong(path, error.why) from None
    preset = raw.pop("preset", None)
    if preset is not None and (not isinstance(preset, str) or preset not in PRESETS):
        raise _wrong(path, f"preset {str(preset)[:80]!r} is unknown; there are {', '.join(PRESETS)}")
    try:
        return Description(**((PRESETS[preset] if preset else {}) | raw))
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, item['loc'])) or 'description'}: {item['msg']}" for item in error.errors()]
        raise _wrong(path, "; ".join(lines)[:1000]) from None
    except (TypeError, ValueError) as error:  # a key that is no name of anything, a text that is none
        raise _wrong(path, str(error)) from None


def _wrong(path: Path, why: str) -> InputError:
    return InputError(
        "cannot use the description of a masking network", where=path, why=why, hint="docs/masks.md has examples"
    )


def network_input(description: Description, crop: NDArray[np.uint8]) -> FloatArray:
    """A crop, uint8 (size, size, 3) BGR, as the network takes it: float32 in its layout, without the batch axis."""
    values = crop.astype(np.float32) / description.divide
    if description.colour == "rgb":
        values = values[..., ::-1]
    mean = values.mean((0, 1)) if description.mean == "crop" else np.array(description.mean, np.float32)
    values = (values - mean) / np.array(description.std, np.float32)
    if description.layout == "nchw":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values, np.float32)


def mask_of(description: Description, output: NDArray) -> FloatArray:
    """The masks, float32 (n, h, w), 0..1, in an output.

    output: (n, c, h, w) or (n, h, w, c), as the layout says, or (n, h, w).

    Raises:
        InputError: it has another shape, or fewer channels or labels than the description says.
    """
    values = np.asarray(output)
    if values.ndim == 4 and description.layout == "nhwc":
        values = values.transpose(0, 3, 1, 2)
    if description.output == "labels":
        return _labelled(description, values)
    if values.ndim == 3:
        values = values[:, None]
    if values.ndim != 4 or not -values.shape[1] <= description.channel < values.shape[1]:
        raise _unexpected(output)
    mask = _activated(values.astype(np.float32), description.output)[:, description.channel]
    # A network of a person's own may give anything; a NaN would spread when the mask is resized.
    mask = np.clip(np.nan_to_num(mask), 0, 1).astype(np.float32)
    return 1 - mask if description.invert else mask


def _labelled(description: Description, values: NDArray) -> FloatArray:
    """A map of labels, or scores of labels whose best one counts."""
    if not description.numbers:
        raise InputError(
            "the description has no labels of the areas that it includes", why=", ".join(description.include)
        )
    if values.ndim == 4 and values.shape[1] > 1:
        if max(description.numbers) >= values.shape[1]:
            raise InputError(
                "the network has fewer labels than its description",
                why=f"{values.shape[1]} channels, label {max(description.numbers)} is wanted",
            )
        numbers = values.argmax(1)
    elif values.ndim in (3, 4):
        numbers = np.rint(values.reshape(values.shape[0], *values.shape[-2:])).astype(np.int64)
    else:
        raise _unexpected(values)
    mask = np.isin(numbers, description.numbers).astype(np.float32)
    return 1 - mask if description.invert else mask


def _activated(values: FloatArray, kind: str) -> FloatArray:
    # Bounded, because an exponential of a large number overflows.
    if kind == "sigmoid":
        return (1 / (1 + np.exp(-np.clip(values, -80, 80)))).astype(np.float32)
    if kind == "softmax":
        powers = np.exp(values - values.max(1, keepdims=True))
        return powers / powers.sum(1, keepdims=True)
    return values


def _unexpected(output: NDArray) -> InputError:
    return InputError(
        "the network's output is not what its description says",
        why=f"shape {np.shape(output)}",
        hint="check output, channel, layout and result in the description",
    )
