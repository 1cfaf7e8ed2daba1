"""A model in training: networks, objective and optimizers, one step at a time; from and to the files of a model."""

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from core.checkpoints.model_folder import Write
from core.data.batches import TrainingBatch
from core.errors import DivergedError, InputError
from core.formats import dfl_weights
from core.formats.dfl_weights import AVERAGED
from core.networks import archs
from core.networks.keras_builder import build_network, get_weights, set_weights
from core.networks.weights import initial_weights
from core.training.averages import Averages
from core.training.hardware import devices
from core.training.hardware.machine import compiled
from core.training.inputs import preview_inputs, training_inputs
from core.training.kinds import KINDS
from core.training.objective.autoencoder import Autoencoder, Viewer
from core.training.objective.discriminators import Discriminators, discriminator_networks
from core.training.objective.optimizers import KEEP, AdaBelief, RMSprop
from core.training.objective.parts import GradientSum, Update, require_even
from core.training.objective.perceptual import face_judges
from core.training.objective.terms import objective_of
from core.training.recipe import Recipe, config_of, effective
from core.training.settings import TrainerSettings
from core.training.weight_files import (
    SCALES,
    load_optimizer,
    load_scales,
    names_of,
    write_network,
    write_optimizer,
    write_scales,
)

log = logging.getLogger(__name__)
OPTIMIZER = "src_dst_opt"
# Mixed: the layers compute in half precision, their weights stay float32.
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
# 25 halvings below the first scale.
SMALLEST_SCALE = 2.0**-10


@dataclass(frozen=True)
class Reported:
    """The numbers of a step that may still run, on the device.

    losses: mean of src and dst, (2,). scales: of the loss in float16, by the optimizer's name.
    """

    losses: Any
    scales: Mapping[str, Any]


class Trainer:
    """The networks of a recipe with their objective; they have first values until ``load`` gives them saved ones.

    xla: compile the steps or not; None compiles where it is known to help.
    """

    def __init__(self, recipe: Recipe, settings: TrainerSettings, *, xla: bool | None = None):
        self.recipe, self.settings, self.config = recipe, settings, config_of(recipe)
        self.descriptions = archs.networks(self.config)
        require_even(settings.parts, settings.devices, recipe.batch_size)
        self.devices = devices.chosen(settings.devices, recipe.batch_size)
        with devices.scope(self.devices):
            self._build(compiled(bool(self.devices)) if xla is None else xla)

    def _build(self, xla: bool) -> None:
        recipe, settings, policy = self.recipe, self.settings, POLICIES[self.settings.precision]
        self.networks = {
            name: build_network(name, network, seed=settings.seed, dtype=policy)
            for name, network in self.descriptions.items()
        }
        architecture, objective = self.config.parsed().kind, objective_of(recipe, settings.exact)
        self.discriminators = Discriminators(
            architecture,
            self.networks,
            objective,
            discriminator_networks(objective, recipe, self.descriptions),
            seed=settings.seed,
            optimizer=self._optimizer,
            dtype=policy,
            xla=xla,
            devices=self.devices,
        )
        # In exact training, and where no step sees the whole batch, discriminators look for themselves.
        own_pass = settings.exact or bool(self.devices) or settings.parts > 1
        kept = {} if own_pass else self.discriminators.exhibit_shapes(recipe.batch_size)
        judges = self.discriminators.frozen | face_judges(objective, recipe, policy)
        self.model = Autoencoder(architecture, self.networks, objective, judges, kept)
        self.optimizer = self._optimizer(OPTIMIZER, self._frozen())
        # Now and not at the first step: a saved state goes into its slots before that.
        self.optimizer.build(self.model.trainable_variables)
        self.averages = Averages(self.optimizer, self.model.trainable_variables, self.networks, self.descriptions)
        optimizer = self.optimizer
        if settings.parts > 1:
            variables = self.model.trainable_variables
            optimizer = GradientSum(self.optimizer, variables)
            self.update = Update(self.optimizer, optimizer, variables, xla)
        self.model.compile(optimizer=optimizer, jit_compile=xla)
        devices.share(self.model, self.devices, sides=2)

    def ready(self, batch: TrainingBatch) -> TrainingBatch:
        """A copy of a batch with its inputs on the device. Another thread may call it while a step runs."""
        # A copy of its own: backends may take an array for their tensor as it is, and workers soon fill it again.
        copies: dict[str, Any] = {name: array.copy() for name, array in batch.arrays().items()}
        own = replace(batch, **copies)
        inputs: dict[str, Any] = training_inputs(own, self.recipe, self.settings.seed)
        # Several devices share the arrays out for themselves.
        if not self.devices:
            inputs = {name: ops.convert_to_tensor(array) for name, array in inputs.items()}
        return replace(own, inputs=inputs)

    def step(self, batch: TrainingBatch) -> tuple[float, float]:
        """One iteration on a batch of both sides. Returns the mean src and dst loss before it. Raises as ``read``."""
        return self.read(self.begin(batch))

    def begin(self, batch: TrainingBatch) -> Reported:
        """Start one iteration on a batch of both sides. Where the backend can, it returns while the device computes."""
        x = batch.inputs or training_inputs(batch, self.recipe, self.settings.seed)
        with devices.scope(self.devices):
            losses = [self._gradients(part) for part in devices.slices(x, self.settings.parts, sides=2)]
            if self.settings.parts > 1:
                self.update.step()
            self.discriminators.step(x, self.model.exhibits)
            scales = {o.name: ops.copy(o.scale.value) for o in self._optimizers() if o.scaled}
            return Reported(sum(losses) / len(losses), scales)

    def _gradients(self, x: Mapping[str, Any]) -> Any:
        """The step of a batch, or what it takes of a part of one. Returns the mean losses."""
        self.model.train_on_batch(dict(x))
        # A copy: the next step changes the variable, and JAX gives its buffer away.
        return ops.copy(self.model.reported.value)

    def read(self, reported: Reported) -> tuple[float, float]:
        """Wait for a step. Returns the mean src and dst loss before it.

        Raises:
            DivergedError: when float16 cannot go on.
        """
        # Overflowed steps are skipped and the scale of the loss halves, which soon ends. If it does not, the gradients
        # themselves are not finite.
        for name, scale in reported.scales.items():
            if float(ops.convert_to_numpy(scale)) < SMALLEST_SCALE:
                raise DivergedError(
                    "no step is finite in float16 any more",
                    where=name,
                    hint="go on with --precision bfloat16 or float32",
                )
        src, dst = ops.convert_to_numpy(reported.losses)
        return float(src), float(dst)

    def _optimizers(self) -> list[Any]:
        return [self.optimizer, *self.discriminators.optimizers()]

    def views(
        self, src: NDArray[np.float32], dst: NDArray[np.float32], morph: float = 1.0
    ) -> dict[str, NDArray[np.float32]]:
        """Faces (n, R, R, 3) as the networks decode them: ss, dd, sd (n, R, R, 3), dd_mask, sd_mask (n, R, R, 1).

        All float32, 0..1. morph: for AMP, the share of the source in the swap ``sd``, 0..1.
        """
        with self.averaged():
            return self._viewer(preview_inputs(src, dst, self.recipe, morph))

    def averaged(self) -> AbstractContextManager[None]:
        """Within it the networks have the averages of their weights, where averages are kept."""
        return self.averages.exchanged()

    def _viewer(self, x: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        if not hasattr(self, "_viewing"):
            self._viewing = Viewer(self.config.parsed().kind, self.networks)
            self._viewing.compile(jit_compile=False)
        made = self._viewing.predict_on_batch(dict(x))
        n = len(x["warped"]) // 2
        return {
            "ss": made["image"][:n],
            "dd": made["image"][n:],
            "sd": made["swap"],
            "dd_mask": made["mask"][n:],
            "sd_mask": made["swap_mask"],
        }

    def writers(self) -> dict[str, Write]:
        """File name without prefix -> function that writes it, one tensor in memory at a time."""
        averages = self.averages.by_weight()
        files: dict[str, Write] = {}
        for name, model in self.networks.items():
            files[f"{name}.npy"] = partial(write_network, model)
            if averages:
                files[f"{AVERAGED}{name}.npy"] = partial(write_network, model, values=averages)
        files[f"{OPTIMIZER}.npy"] = partial(write_optimizer, self.optimizer, self.variable_names())
        if self.optimizer.scaled:
            files[SCALES] = partial(write_scales, self._optimizers())
        return files | self.discriminators.writers()

    def weights(self) -> dict[str, dict[str, NDArray[np.float32]]]:
        """A copy of the weights, network -> key -> array."""
        return {name: get_weights(model) for name, model in self.networks.items()}

    def variable_names(self) -> list[str]:
        """The names of the trained variables in the optimizer's order: ``encoder/down1/conv1/weight:0``."""
        return names_of(self.networks, self.model.trainable_variables)

    def load(self, files: Mapping[str, Path], reinit: tuple[str, ...] = ()) -> None:
        """Take over saved networks, and the optimizer's state where there is one.

        files: by name without prefix. reinit: names of networks that start anew.

        Raises:
            InputError: when a network's file is missing, or there is no network of such a name.
            CorruptFileError: when a file is damaged or of another shape.
        """
        parts = [*self.networks, *self.discriminators.parts()]
        unknown = [name for name in reinit if name not in parts]
        if unknown:
            raise InputError("no such part of the model", where=", ".join(unknown), hint=f"parts: {', '.join(parts)}")
        for name in self.networks:
            self._load_network(name, files, name in reinit)
        self._load_optimizer(files.get(f"{OPTIMIZER}.npy"))
        self.discriminators.load(files, reinit)
        averages = {name: files.get(f"{AVERAGED}{name}.npy") for name in self.networks if name not in reinit}
        self.averages.load({name: path for name, path in averages.items() if path})
        if self.optimizer.scaled:
            load_scales(self._optimizers(), files.get(SCALES))

    def _load_network(self, name: str, files: Mapping[str, Path], anew: bool) -> None:
        if anew:
            log.info("%s starts anew", name)
            first = initial_weights(name, self.descriptions[name], self.settings.seed)
            set_weights(self.networks[name], self.descriptions[name], first, where=name)
            return
        path = files.get(f"{name}.npy")
        if path is None:
            raise InputError(
                "a part of the model is missing",
                where=f"{name}.npy",
                hint=f"restore the file from a backup, or give --reinit-part {name} to start that part anew",
            )
        set_weights(self.networks[name], self.descriptions[name], dfl_weights.read_weights(path), where=str(path))

    def _load_optimizer(self, path: Path | None) -> None:
        if path is None:
            log.warning("there is no saved state of the optimizer: its moments start at zero")
            self.optimizer.load_slots(self.variable_names(), 0, {})
            return
        load_optimizer(self.optimizer, self.variable_names(), path)

    def serves(self, recipe: Recipe, settings: TrainerSettings) -> bool:
        """Whether these networks would be built for that, too: at most the learning rate is another."""
        return recipe == self.recipe and replace(settings, rate=self.settings.rate) == self.settings

    def reset_rate(self, factor: float) -> None:
        """Multiply the learning rate of all optimizers by ``factor``."""
        self.take_rate(self.settings.rate * factor)

    def set_rate(self, rate: float) -> None:
        """Learn with this learning rate from now on."""
        self.take_rate(rate / KINDS[self.recipe.kind].rate)

    def take_rate(self, factor: float) -> None:
        """Learn with the rate of the kind times ``factor`` from now on."""
        self.settings = replace(self.settings, rate=factor)
        for optimizer in self._optimizers():
            optimizer.learning_rate = KINDS[self.recipe.kind].rate * self.settings.rate

    def _frozen(self) -> list[Any]:
        """Without random warp a liae model keeps inter_AB as it is; in pretraining that is a defect of the original."""
        recipe = effective(self.recipe)
        mended = recipe.pretrain and not self.settings.exact
        if recipe.random_warp or mended or "inter_AB" not in self.networks:
            return []
        return list(self.networks["inter_AB"].trainable_variables)

    def _optimizer(self, name: str, frozen: list[Any] | tuple = ()) -> Any:
        recipe, kind = effective(self.recipe), KINDS[self.recipe.kind]
        dropout = recipe.lr_dropout != "n"
        made = AdaBelief if recipe.adabelief else RMSprop
        return made(
            kind.rate * self.settings.rate,
            cosine=kind.cosine if dropout else 0,
            keep=KEEP if dropout else 1.0,
            clip_norm=1.0 if recipe.clipgrad else 0.0,
            seed=self.settings.seed,
            frozen=frozen,
            scaled=self.settings.precision == "float16",
            ema=self.settings.ema if name == OPTIMIZER else 0.0,
            name=name,
        )
