"""The mask network in training: loss, optimizer, one step at a time, files of the DeepFaceLab format."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from core.checkpoints.model_folder import Write
from core.data.xseg_samples import XSegBatch
from core.errors import InputError
from core.formats import dfl_weights
from core.networks.keras_builder import build_network, set_weights
from core.networks.xseg import xseg_network
from core.training.hardware.machine import compiled
from core.training.objective.losses import mean_square, multiscale_dssim
from core.training.objective.optimizers import KEEP, RMSprop
from core.training.weight_files import load_optimizer, names_of, write_network, write_optimizer

NAME, OPTIMIZER = "XSeg", "opt"
LEARNING_RATE = 1e-4


@dataclass(frozen=True)
class XSegRecipe:
    """What the network is built from.

    resolution, base: side in pixels and width, 256 and 32 in files of the original.
    pretrain: learn to draw the face in grey, without shortcuts.
    seed: of everything random.
    """

    resolution: int = 256
    base: int = 32
    pretrain: bool = False
    seed: int = 0


class MaskLoss(keras.losses.Loss):
    """Cross entropy of the logits against the mask: mean over the pixels, sum over the batch."""

    def __init__(self) -> None:
        super().__init__(name="mask", reduction="sum")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=True), axis=(1, 2, 3))


class GreyLoss(keras.losses.Loss):
    """Structural dissimilarity in two windows and squared error of the grey image, sum over the batch."""

    def __init__(self) -> None:
        super().__init__(name="grey", reduction="sum")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        # The network ends in logits; as a picture they are looked at behind the sigmoid.
        made = ops.sigmoid(y_pred)
        return multiscale_dssim(y_true, made, two_scales=True) + 10 * mean_square(y_true, made)


class XSegTrainer:
    """Builds the network with first values; ``load`` gives it saved ones."""

    def __init__(self, recipe: XSegRecipe):
        self.recipe = recipe
        self.description = xseg_network(recipe.base, resolution=recipe.resolution, pretrain=recipe.pretrain)
        self.network = build_network(NAME, self.description, seed=recipe.seed)
        self.optimizer = RMSprop(LEARNING_RATE, keep=KEEP, seed=recipe.seed, name=OPTIMIZER)
        self.optimizer.build(self.network.trainable_variables)
        loss = GreyLoss() if recipe.pretrain else MaskLoss()
        self.network.compile(optimizer=self.optimizer, loss=loss, jit_compile=compiled())

    def set_rate(self, rate: float, dropout: bool) -> None:
        """Before the first step: how far weights move, and whether only a random third of them does."""
        self.optimizer.learning_rate = rate
        self.optimizer.keep = KEEP if dropout else 1.0

    def step(self, batch: XSegBatch) -> float:
        """One iteration; returns the mean loss of the batch before it."""
        # Trained on the sum, as the format's moments expect; people want a number that does not grow with the batch.
        return float(self.network.train_on_batch(batch.image, batch.target)) / len(batch.image)

    def predict(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Masks (n, R, R, 1), 0..1, of images (n, R, R, 3), float32 BGR, 0..1."""
        return ops.convert_to_numpy(ops.sigmoid(self.network.predict_on_batch(images)))

    @property
    def files(self) -> tuple[str, str]:
        """Names without prefix of the weights and the optimizer's state: ``256.npy``, ``256_opt.npy``."""
        return f"{self.recipe.resolution}.npy", f"{self.recipe.resolution}_{OPTIMIZER}.npy"

    def variable_names(self) -> list[str]:
        """In the optimizer's order: ``XSeg/conv01/conv/weight:0``."""
        return names_of({NAME: self.network}, self.network.trainable_variables)

    def writers(self) -> dict[str, Write]:
        """File name without prefix -> function that writes it."""
        weights, state = self.files
        return {
            weights: partial(write_network, self.network),
            state: partial(write_optimizer, self.optimizer, self.variable_names()),
        }

    def load(self, files: Mapping[str, Path], *, optimizer: bool = True) -> None:
        """Take over saved weights and, if ``optimizer``, its state where there is one.

        Raises:
            InputError: the weights are missing or of another size.
            CorruptFileError: a file is damaged.
        """
        weights, state = self.files
        if weights not in files:
            others = sorted(f"{NAME}_{name}" for name in files if name.endswith(".npy"))
            raise InputError(
                "no XSeg weights of this resolution",
                where=f"{NAME}_{weights}",
                why=f"there is {', '.join(others)}" if others else "",
                hint="choose the --resolution the model was made with",
            )
        set_weights(self.network, self.description, dfl_weights.read_weights(files[weights]), where=str(files[weights]))
        if optimizer and state in files:
            load_optimizer(self.optimizer, self.variable_names(), files[state])
