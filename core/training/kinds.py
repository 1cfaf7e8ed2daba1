"""The kinds of models as data: SAEHD, AMP, Quick96.

What a kind does otherwise than its neighbours is said here and, for the way through its networks, in one function of
``core.training.objective.forward``.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from core.networks.config import QUICK96


@dataclass(frozen=True)
class Kind:
    """What the models of a kind have in common.

    name: the class in the names of their files.
    options: what ``data.dat`` holds, in the original's order; only they and ``own`` can be chosen for the recipe.
    own: options that the original does not know; ``data.dat`` holds those that differ from their defaults.
    defaults: recipe fields of a new model, where they are not the recipe's own.
    forced: recipe fields that always have this value.
    rate: of learning.
    cosine: period of the rate under dropout in iterations, 0 for a constant rate.
    untrained: networks that the original leaves at their first values, and so does exact training.
    objective: weights of terms and traits of the objective that are not the recipe's to choose.
    face_types: that a model may have.
    scale: of the random motion, as in ``augment.Ranges``.
    repeat_every: every so many-th batch is the one before, unwarped; 0 for never.
    sample_arrays: how many arrays of each side ``data.dat`` keeps for previews.
    morphs: what shares of the source a preview shows.
    """

    name: str
    options: tuple[str, ...]
    own: tuple[str, ...] = ()
    defaults: dict[str, Any] = field(default_factory=dict)
    forced: dict[str, Any] = field(default_factory=dict)
    rate: float = 5e-5
    cosine: int = 500
    untrained: tuple[str, ...] = ()
    objective: dict[str, Any] = field(default_factory=dict)
    face_types: tuple[str, ...] = ("h", "mf", "f", "wf", "head")
    scale: float = 0.15
    repeat_every: int = 0
    sample_arrays: int = 4
    morphs: tuple[float, ...] = (1.0,)

    @property
    def choosable(self) -> tuple[str, ...]:
        """All options that its models have."""
        return (*self.options, *self.own)


_RUN = (
    "autobackup_hour",
    "write_preview_history",
    "target_iter",
    "random_src_flip",
    "random_dst_flip",
    "batch_size",
    "gan_power",
    "gan_patch_size",
    "gan_dims",
)

# Against what the original leaves soft, small or in another light.
ADDED = {"match_colors": False, "frequency_power": 0.0, "swap_mask_power": 0.0, "perceptual_power": 0.0}

SAEHD = Kind(
    "SAEHD",
    options=(
        "resolution",
        "face_type",
        "models_opt_on_gpu",
        "archi",
        "ae_dims",
        "e_dims",
        "d_dims",
        "d_mask_dims",
        "masked_training",
        "eyes_mouth_prio",
        "uniform_yaw",
        "blur_out_mask",
        "adabelief",
        "lr_dropout",
        "random_warp",
        "random_hsv_power",
        "true_face_power",
        "face_style_power",
        "bg_style_power",
        "ct_mode",
        "clipgrad",
        "pretrain",
        *_RUN,
    ),
    own=tuple(ADDED),
)

AMP = Kind(
    "AMP",
    options=(
        "resolution",
        "face_type",
        "models_opt_on_gpu",
        "ae_dims",
        "inter_dims",
        "e_dims",
        "d_dims",
        "d_mask_dims",
        "morph_factor",
        "uniform_yaw",
        "blur_out_mask",
        "lr_dropout",
        "random_warp",
        "ct_mode",
        "clipgrad",
        *_RUN,
    ),
    # Batches of AMP do not say how much of the source a swap shall have.
    own=tuple(name for name in ADDED if name != "swap_mask_power"),
    # 22: a third of the usual d_dims, rounded up to an even number, as the original proposes it.
    defaults={"ae_dims": 256, "d_mask_dims": 22, "batch_size": 8},
    forced={
        "archi": "amp",
        "masked_training": True,
        "eyes_mouth_prio": True,
        "adabelief": True,
        "random_hsv_power": 0.0,
        "true_face_power": 0.0,
        "face_style_power": 0.0,
        "bg_style_power": 0.0,
        "pretrain": False,
        "swap_mask_power": 0.0,
    },
    untrained=("inter_src", "inter_dst"),
    objective={
        "two_scales": True,
        "dst_background": 0.1,
        "dst_variation": 1e-6,
        # The original runs AMP with channels first even on a CPU, and its total variation follows the axes.
        "channels_first": True,
        "gan_name": "GAN",
        "gan_both": True,
    },
    face_types=("f", "wf", "head"),
    morphs=(0.25, 0.5, 0.75, 1.0),
)

# The width is 0 where a model has no such code; the recipe's field begins at 32.
_QUICK96_NETWORKS = {name: value for name, value in asdict(QUICK96).items() if name != "inter_dims"}

QUICK96_KIND = Kind(
    "Quick96",
    options=("batch_size",),
    defaults={"batch_size": 4},
    forced={
        **_QUICK96_NETWORKS,
        "masked_training": True,
        "eyes_mouth_prio": False,
        "uniform_yaw": False,
        "blur_out_mask": False,
        "adabelief": False,
        "lr_dropout": "y",
        "random_warp": True,
        "random_src_flip": False,
        "random_dst_flip": False,
        "random_hsv_power": 0.0,
        "ct_mode": "none",
        "clipgrad": False,
        "true_face_power": 0.0,
        "face_style_power": 0.0,
        "bg_style_power": 0.0,
        "gan_power": 0.0,
        "pretrain": False,
        **ADDED,
    },
    rate=2e-4,
    cosine=0,
    # Its soft mask is the plain blur, without the doubling that the others have.
    objective={"two_scales": False, "full_inside": False},
    scale=0.05,
    repeat_every=3,
    sample_arrays=3,
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in (SAEHD, AMP, QUICK96_KIND)}
