"""The training recipe: every option that is saved with a model, with the original's name, meaning and range.

A new model takes the defaults; a resumed one its saved values, except where a person gives another. What fixes the networks cannot change.
"""

import logging
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError, field_validator

from core.errors import InputError, UsageError
from core.networks.config import ModelConfig, validate
from core.networks.discriminators import gan_network
from core.options import Options, fixed

log = logging.getLogger(__name__)
R = TypeVar("R", bound="Recipe")


class Recipe(Options):
    """Field names are the keys of the model's ``data.dat``."""

    resolution: int = fixed(224, ge=64, le=640, description="side of the networks' pictures in pixels; a multiple of 16, with d or t in archi of 32")
    face_type: Literal["h", "mf", "f", "wf", "head"] = fixed("wf", description="how much of the face is trained: half, mid-full, full, whole face, head")
    archi: str = fixed("liae-udt", description="architecture: df or liae, a dash, and any of the letters u d t c")
    ae_dims: int = fixed(512, ge=32, le=1024, description="width of the bottleneck")
    e_dims: int = fixed(64, ge=16, le=256, description="width of the encoder")
    d_dims: int = fixed(64, ge=16, le=256, description="width of the decoder")
    d_mask_dims: int = fixed(32, ge=16, le=256, description="width of the decoder's mask branch")
    batch_size: int = Field(12, ge=1, le=1024, description="samples of each side in an iteration; more is smoother, slower and needs more memory")
    masked_training: bool = Field(True, description="learn the inside of the face mask only")
    eyes_mouth_prio: bool = Field(True, description="extra weight on eyes and mouth")
    uniform_yaw: bool = Field(True, description="show rare directions of view as often as common ones")
    blur_out_mask: bool = Field(True, description="blur what is outside the mask in the targets")
    adabelief: bool = Field(True, description="AdaBelief as the optimizer, else RMSprop")
    lr_dropout: Literal["n", "y", "cpu"] = Field("y", description="move only a random third of the weights in each iteration, with a cosine rate")
    random_warp: bool = Field(True, description="warp the networks' inputs; switch it off near the end (liae: that freezes inter_AB)")
    random_src_flip: bool = Field(False, description="mirror src faces at random")
    random_dst_flip: bool = Field(True, description="mirror dst faces at random")
    random_hsv_power: float = Field(0.0, ge=0, le=0.3, description="random hue, saturation and value of src inputs")
    ct_mode: Literal["none", "rct", "lct", "mkl", "idt", "sot"] = Field("none", description="give src faces the colours of random dst faces")
    clipgrad: bool = Field(False, description="clip the gradient's norm at 1")
    true_face_power: float = Field(0.0, ge=0, le=1, description="df only: push the codes of src towards those of dst")
    face_style_power: float = Field(0.0, ge=0, le=100, description="let the swap take the dst face's colours")
    bg_style_power: float = Field(0.0, ge=0, le=100, description="let the swap take the dst picture's surroundings")
    gan_power: float = Field(0.0, ge=0, le=5, description="sharpen with a discriminator; only for the very end, after a backup")
    gan_patch_size: int = Field(28, ge=3, le=640, description="how many pixels the discriminator looks at")
    gan_dims: int = Field(16, ge=4, le=512, description="width of the discriminator")
    pretrain: bool = Field(False, description="pretraining: both sides learn the same mixed faceset, without warp")
    target_iter: int = Field(500_000, ge=0, description="the iteration to stop at; 0 trains until stopped")
    autobackup_hour: int = Field(0, ge=0, le=24, description="hours between automatic backups, 0 for none")
    write_preview_history: bool = Field(True, description="keep old preview pictures")

    @field_validator("lr_dropout", mode="before")
    @classmethod
    def _old_lr_dropout(cls, value: Any) -> Any:
        return {True: "y", False: "n"}.get(value, value) if isinstance(value, bool) else value


FIXED = tuple(name for name, info in Recipe.model_fields.items() if (info.json_schema_extra or {}).get("fixed"))  # type: ignore[union-attr]
SAVED = tuple(name for name in Recipe.model_fields if name != "debug")


def resumed(given: R, saved: Mapping[str, Any], where: Any) -> R:
    """The recipe of a model that exists: its own values, and what was given on this command line.

    Raises UsageError where a given value contradicts one that is fixed, InputError where a saved value makes no sense.
    """
    explicit = {name: getattr(given, name) for name in given.model_fields_set}
    conflicts = [f"--{name.replace('_', '-')} {explicit[name]} but the model has {saved[name]}" for name in FIXED
                 if name in explicit and name in saved and explicit[name] != saved[name]]
    if conflicts:
        raise UsageError("a model's networks cannot change", where="; ".join(conflicts), hint="leave these flags out, or start another model with --model NAME")
    kept = {name: saved[name] for name in SAVED if name in saved}
    try:
        return type(given)(**{**kept, **explicit})
    except ValidationError as error:
        faults = "; ".join(f"{item['loc'][0]}: {item['msg']} ({item['input']!r})" for item in error.errors())
        raise InputError("the saved options of the model make no sense", where=where, why=faults, hint="give a sound value as a flag") from None


def checked(recipe: R) -> R:
    """The same recipe. Raises UsageError for combinations that cannot be built or trained."""
    validate(config_of(recipe))
    if recipe.true_face_power and not recipe.archi.startswith("df"):
        raise UsageError("true face needs a df architecture", where=f"--true-face-power {recipe.true_face_power}", why=f"the model is {recipe.archi}",
                         hint="use --true-face-power 0")
    if recipe.gan_power:
        gan_network(recipe.resolution, recipe.gan_patch_size, recipe.gan_dims)
    return recipe


def config_of(recipe: Recipe) -> ModelConfig:
    """What the networks are built from."""
    return ModelConfig(recipe.resolution, recipe.face_type, recipe.archi, recipe.ae_dims, recipe.e_dims, recipe.d_dims, recipe.d_mask_dims)


def to_saved(recipe: Recipe) -> dict[str, Any]:
    """The options as ``data.dat`` holds them, in the original's order."""
    order = ("resolution", "face_type", "models_opt_on_gpu", "archi", "ae_dims", "e_dims", "d_dims", "d_mask_dims", "masked_training", "eyes_mouth_prio",
             "uniform_yaw", "blur_out_mask", "adabelief", "lr_dropout", "random_warp", "random_hsv_power", "true_face_power", "face_style_power",
             "bg_style_power", "ct_mode", "clipgrad", "pretrain", "autobackup_hour", "write_preview_history", "target_iter", "random_src_flip",
             "random_dst_flip", "batch_size", "gan_power", "gan_patch_size", "gan_dims")
    return {name: True if name == "models_opt_on_gpu" else getattr(recipe, name) for name in order}


def effective(recipe: R) -> R:
    """What really applies: pretraining overrides a number of options while it is on; the saved ones stay as they are."""
    if not recipe.pretrain:
        return recipe
    return recipe.model_copy(update={
        "random_warp": False, "random_src_flip": True, "random_dst_flip": True, "random_hsv_power": 0.0, "gan_power": 0.0, "lr_dropout": "n",
        "face_style_power": 0.0, "bg_style_power": 0.0, "uniform_yaw": True, "ct_mode": "none",
    })
