"""The training recipe: every option that is saved with a model, with the original's name, meaning and range.

A new model takes the defaults; a resumed one its saved values, except where a person chose another. What fixes the
networks cannot change. What was chosen is a mapping, field of the recipe -> value; a ``Recipe`` is what comes of it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.fields import FieldInfo

from core.errors import InputError, UsageError
from core.networks import config
from core.networks.config import ModelConfig
from core.networks.discriminators import gan_network
from core.options import fixed, flag_name
from core.training.kinds import KINDS, Kind

Chosen = Mapping[str, Any]


class Recipe(BaseModel):
    """How a model is trained. ``kind`` is in the names of its files; the other fields are keys of its ``data.dat``.

    The defaults are those of SAEHD; other kinds have values of their own, see ``kinds``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, protected_namespaces=())

    kind: Literal["SAEHD", "AMP", "Quick96"] = fixed(
        "SAEHD", description="class of the model; by default that of the present model, or SAEHD"
    )
    resolution: int = fixed(
        224,
        ge=64,
        le=640,
        description="side of the networks' images in pixels; a multiple of 16, with d or t in archi of 32",
    )
    face_type: Literal["h", "mf", "f", "wf", "head"] = fixed(
        "wf", description="how much of the face is trained: half, mid-full, full, whole face, head"
    )
    archi: str = fixed("liae-udt", description="architecture: df or liae, a dash, and any of the letters u d t c")
    ae_dims: int = fixed(512, ge=32, le=1024, description="width of the bottleneck")
    e_dims: int = fixed(64, ge=16, le=256, description="width of the encoder")
    d_dims: int = fixed(64, ge=16, le=256, description="width of the decoder")
    d_mask_dims: int = fixed(32, ge=16, le=256, description="width of the decoder's mask branch")
    inter_dims: int = fixed(1024, ge=32, le=2048, description="AMP only: width of the code between encoder and decoder")
    morph_factor: float = Field(
        0.5, ge=0.1, le=0.5, description="AMP only: share of the code that a src face takes from src's own network"
    )
    batch_size: int = Field(
        12,
        ge=1,
        le=1024,
        description="samples of each side in an iteration; more is smoother, slower and needs more memory",
    )
    masked_training: bool = Field(True, description="learn the inside of the face mask only")
    eyes_mouth_prio: bool = Field(True, description="extra weight on eyes and mouth")
    uniform_yaw: bool = Field(True, description="show rare directions of view as often as common ones")
    blur_out_mask: bool = Field(True, description="blur what is outside the mask in the targets")
    adabelief: bool = Field(True, description="AdaBelief as the optimizer, else RMSprop")
    lr_dropout: Literal["n", "y", "cpu"] = Field(
        "n",
        description="move only a random third of the weights in each iteration, with a cosine rate; near the end, "
        "when the loss falls no more: from the beginning it holds everything up",
    )
    random_warp: bool = Field(
        True, description="warp the networks' inputs; switch it off near the end (liae: that freezes inter_AB)"
    )
    random_src_flip: bool = Field(False, description="mirror src faces at random")
    random_dst_flip: bool = Field(True, description="mirror dst faces at random")
    random_hsv_power: float = Field(0.0, ge=0, le=0.3, description="random hue, saturation and value of src inputs")
    ct_mode: Literal["none", "rct", "lct", "mkl", "idt", "sot"] = Field(
        "none", description="give src faces the colors of random dst faces"
    )
    clipgrad: bool = Field(False, description="clip the gradient's norm at 1")
    true_face_power: float = Field(0.0, ge=0, le=1, description="df only: push the codes of src towards those of dst")
    face_style_power: float = Field(0.0, ge=0, le=100, description="let the swap take the dst face's colors")
    bg_style_power: float = Field(0.0, ge=0, le=100, description="let the swap take the surroundings of the dst image")
    match_colors: bool = Field(
        False, description="ours: give all src faces, once, the mean colors and contrasts of the dst faces"
    )
    frequency_power: float = Field(
        0.0,
        ge=0,
        le=10,
        description="ours: compare spectra, too: fine detail counts as much as large shapes; 1 is much",
    )
    swap_mask_power: float = Field(
        0.0, ge=0, le=10, description="ours: the swap's mask learns from those of the dst faces"
    )
    perceptual_power: float = Field(
        0.0,
        ge=0,
        le=10,
        description="ours: a network that tells people apart sees the same in made and wanted faces; 3 is much",
    )
    gan_power: float = Field(
        0.0, ge=0, le=5, description="sharpen with a discriminator; only for the very end, after a backup"
    )
    gan_patch_size: int = Field(28, ge=3, le=640, description="how many pixels the discriminator looks at")
    gan_dims: int = Field(16, ge=4, le=512, description="width of the discriminator")
    pretrain: bool = Field(False, description="pretraining: both sides learn the same mixed faceset, without warp")
    target_iter: int = Field(
        500_000,
        ge=0,
        description="where the original stops; kept for it",
    )
    autobackup_hour: int = Field(0, ge=0, le=24, description="hours between automatic backups, 0 for none")
    write_preview_history: bool = Field(True, description="keep old preview images")

    @field_validator("lr_dropout", mode="before")
    @classmethod
    def _old_lr_dropout(cls, value: Any) -> Any:
        # Old files say yes and no. isinstance, because 1 == True would let numbers through.
        return {True: "y", False: "n"}.get(value, value) if isinstance(value, bool) else value


def _is_fixed(info: FieldInfo) -> bool:
    marks = info.json_schema_extra
    return isinstance(marks, dict) and bool(marks.get("fixed"))


FIXED = tuple(name for name, info in Recipe.model_fields.items() if _is_fixed(info))
SAVED = tuple(name for name in Recipe.model_fields if name != "kind")


def validated(chosen: Chosen) -> dict[str, Any]:
    """The values as the recipe takes them.

    Raises:
        UsageError: for a name that is none of the recipe's, or a value that makes no sense.
    """
    try:
        recipe = Recipe(**chosen)
    except ValidationError as error:
        raise UsageError("wrong option", where=_faults(error, flag_name)) from None
    return {name: getattr(recipe, name) for name in chosen}


def of_new_model(chosen: Chosen, kind: str, preset: Chosen = MappingProxyType({})) -> Recipe:
    """The recipe of a new model: the kind's own values, those of a preset, and what was chosen.

    Raises:
        UsageError: for an option that the kind does not have.
    """
    k = KINDS[kind]
    return Recipe(**{**k.defaults, **preset, **k.forced, **_allowed(chosen, k), "kind": kind})


def of_saved_model(chosen: Chosen, saved: Mapping[str, Any], where: Any, kind: str = "SAEHD") -> Recipe:
    """The recipe of a model that exists: its own values, and what was chosen now. where: the file they are from.

    Raises:
        UsageError: where a chosen value contradicts one that is fixed, or is none of the kind's.
        InputError: where a saved value makes no sense.
    """
    k = KINDS[kind]
    chosen = _allowed(chosen, k)
    _require_unchanged(chosen, saved)
    kept = {name: saved[name] for name in k.choosable if name in saved and name in Recipe.model_fields}
    try:
        return Recipe(**{**kept, **k.forced, **chosen, "kind": kind})
    except ValidationError as error:
        raise InputError(
            "the saved options of the model are not valid",
            where=where,
            why=_faults(error, str),
            hint="give a valid value as a flag",
        ) from None


def _faults(error: ValidationError, named: Callable[[str], str]) -> str:
    return "; ".join(f"{named(str(item['loc'][0]))}: {item['msg']} ({item['input']!r})" for item in error.errors())


def _require_unchanged(chosen: Chosen, saved: Mapping[str, Any]) -> None:
    conflicts = [
        f"{flag_name(name)} {chosen[name]} but the model has {saved[name]}"
        for name in FIXED
        if name in chosen and name in saved and chosen[name] != saved[name]
    ]
    if conflicts:
        raise UsageError(
            "a model's networks cannot change",
            where="; ".join(conflicts),
            hint="leave these flags out, or start another model with --model NAME",
        )


def _allowed(chosen: Chosen, kind: Kind) -> dict[str, Any]:
    """The same. Raises UsageError naming what is not an option of the kind."""
    if chosen.get("kind", kind.name) != kind.name:
        raise UsageError(
            "a model keeps its kind",
            where=f"--kind {chosen['kind']}",
            why=f"the model is {kind.name}",
            hint="leave --kind out, or start another model with --model NAME",
        )
    foreign = [name for name in Recipe.model_fields if name in chosen and name not in (*kind.choosable, "kind")]
    if foreign:
        own = [name for name in kind.choosable if name in Recipe.model_fields]
        raise UsageError(
            f"{kind.name} models have no such option",
            where=", ".join(map(flag_name, foreign)),
            why=f"their options are {', '.join(own)}",
            hint="leave it out, or train another kind of model: " + ", ".join(KINDS),
        )
    return dict(chosen)


def require_trainable(recipe: Recipe, *, exact: bool = False) -> None:
    """Raises UsageError for combinations that cannot be built or trained. exact: as the original trains."""
    if exact:
        _require_known_to_the_original(recipe)
    if recipe.kind != "AMP" and recipe.archi == "amp":
        raise UsageError(
            "amp is no architecture of a SAEHD model",
            where="--archi amp",
            hint="--kind AMP starts a model of that kind",
        )
    if recipe.face_type not in KINDS[recipe.kind].face_types:
        raise UsageError(
            f"{recipe.kind} models cannot have this face type",
            where=f"--face-type {recipe.face_type}",
            hint=f"one of {', '.join(KINDS[recipe.kind].face_types)}",
        )
    config.validate(config_of(recipe))
    if recipe.true_face_power and not recipe.archi.startswith("df"):
        raise UsageError(
            "true face needs a df architecture",
            where=f"--true-face-power {recipe.true_face_power}",
            why=f"the model is {recipe.archi}",
            hint="use --true-face-power 0",
        )
    if recipe.gan_power:
        # Described only for its complaint about a patch size that does not fit.
        gan_network(recipe.resolution, recipe.gan_patch_size, recipe.gan_dims)


def _require_known_to_the_original(recipe: Recipe) -> None:
    used = _own_in_use(recipe)
    if used:
        raise UsageError(
            "exact training has no such option",
            where=", ".join(map(flag_name, used)),
            why="DeepFaceLab does not know it",
            hint="leave it out, or train without --dfl-exact",
        )


def config_of(recipe: Recipe) -> ModelConfig:
    """What the networks are built from."""
    inter_dims = recipe.inter_dims if recipe.archi == "amp" else 0
    return ModelConfig(
        resolution=recipe.resolution,
        face_type=recipe.face_type,
        archi=recipe.archi,
        ae_dims=recipe.ae_dims,
        e_dims=recipe.e_dims,
        d_dims=recipe.d_dims,
        d_mask_dims=recipe.d_mask_dims,
        inter_dims=inter_dims,
    )


def to_saved(recipe: Recipe) -> dict[str, Any]:
    """The options as ``data.dat`` holds them, in the original's order."""
    names = (*KINDS[recipe.kind].options, *_own_in_use(recipe))
    # The original wants to know where weights are kept; here the key has no meaning.
    return {name: True if name == "models_opt_on_gpu" else getattr(recipe, name) for name in names}


def _own_in_use(recipe: Recipe) -> list[str]:
    """Options that the original does not know and that are not as by default."""
    defaults = Recipe.model_fields
    return [name for name in KINDS[recipe.kind].own if getattr(recipe, name) != defaults[name].default]


def effective(recipe: Recipe) -> Recipe:
    """What really applies: pretraining overrides a number of options while it is on; the saved ones stay."""
    if not recipe.pretrain:
        return recipe
    return recipe.model_copy(
        update={
            "random_warp": False,
            "random_src_flip": True,
            "random_dst_flip": True,
            "random_hsv_power": 0.0,
            "gan_power": 0.0,
            "lr_dropout": "n",
            # The original keeps this term in pretraining, though the discriminator that it asks does not learn then.
            "true_face_power": 0.0,
            "face_style_power": 0.0,
            "bg_style_power": 0.0,
            "swap_mask_power": 0.0,
            "uniform_yaw": True,
            "ct_mode": "none",
            "match_colors": False,
        }
    )
