"""The discriminators of a training run: the GAN on faces and, for df, the one on codes (true face).

The autoencoder is judged by a frozen twin of each; after its step the discriminators learn on the same batch with the updated
autoencoder, and the twins take over their weights.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from core.formats import dfl_weights
from core.networks.builder import Network
from core.networks.discriminators import code_network, gan_network
from core.networks.keras_builder import build_network, set_weights
from core.networks.weights import initial_weights
from core.training.forward import Views, forward
from core.training.hardware.devices import share
from core.training.objective.terms import Critic, Terms, prepared, shown
from core.training.weight_files import Write, load_optimizer, names_of, write_network, write_optimizer

log = logging.getLogger(__name__)
Batch = Mapping[str, NDArray[np.float32]]
# The first fields of a player.
_CODE = ("code_discriminator", "dis", "D_code_opt", "code_dst", "code_src")
_GAN = ("GAN_opt", "real", "fake")
_HALF = 0.5


@dataclass(frozen=True)
class Player:
    """One discriminator. file: of its weights; name: in the optimizer's keys; optimizer_file; real, fake: what it tells apart."""

    file: str
    name: str
    optimizer_file: str
    real: str
    fake: str
    description: Network
    network: keras.Model
    twin: keras.Model
    critic: Critic

    def learn(self, seen: Batch) -> None:
        self.critic.train_on_batch({"real": seen[self.real], "fake": seen[self.fake]})
        self.lend()

    def start_anew(self, seed: int) -> None:
        """First values and no moments, also where training has spoilt both."""
        set_weights(self.network, self.description, initial_weights(self.name, self.description, seed), where=self.file)
        self.lend()
        self.critic.optimizer.load_slots(self.variable_names, 0, {})

    def lend(self) -> None:
        """Give the twin the weights."""
        for theirs, ours in zip(self.twin.variables, self.network.variables, strict=True):
            theirs.assign(ops.copy(ours.value))

    @property
    def variable_names(self) -> list[str]:
        return names_of({self.name: self.network}, self.critic.trainable_variables)


class Observer(keras.Model):
    """What the discriminators are shown: real and made faces, and the codes of both sides."""

    def __init__(self, kind: str, networks: Mapping[str, keras.Model], terms: Terms):
        super().__init__(name="observer")
        self.kind, self.networks, self.terms = kind, dict(networks), terms

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        views: Views = forward(self.kind, self.networks, inputs)
        real, fake = shown(prepared(inputs, self.terms), views, self.terms)
        return {
            "real": real,
            "fake": fake,
            **{key: ops.cast(getattr(views, key), "float32") for key in ("code_src", "code_dst")},
        }


class Critics:
    """None, one or two discriminators, as ``terms`` ask for. ``judges``: the frozen twins, for the autoencoder's objective."""

    def __init__(
        self,
        kind: str,
        networks: Mapping[str, keras.Model],
        terms: Terms,
        *,
        gan: tuple[int, int],
        seed: int,
        optimizer: Callable[[str], Any],
        dtype: str = "float32",
        xla: bool = False,
        devices: Sequence[str] = (),
    ):
        """gan: (patch size, width); optimizer: name -> a new optimizer; dtype: policy of the layers; xla: compile the steps; devices: that share
        a batch. Raises UsageError for a patch size that does not fit."""
        self._seed, self._dtype, self._xla, self._devices = seed, dtype, xla, devices
        self._players: dict[str, Player] = {}
        if terms.true_face:
            side, _, channels = networks["inter"].output_shape[1:]
            self._add("code", _CODE, code_network(side, channels), seed, optimizer, _HALF)
        if terms.gan:
            resolution = networks["encoder"].input_shape[1]
            weight = _HALF / 4 if terms.gan_both else _HALF  # an eighth of each of two sides, two labels and two maps
            self._add("gan", ("GAN", terms.gan_name, *_GAN), gan_network(resolution, *gan), seed, optimizer, weight)
        self.judges = {key: player.twin for key, player in self._players.items()}
        self._observer = Observer(kind, networks, terms)
        self._observer.compile(jit_compile=xla)
        share(self._observer, devices, sides=2)

    def _add(
        self,
        key: str,
        names: tuple[str, str, str, str, str],
        description: Network,
        seed: int,
        make: Callable[[str], Any],
        weight: float,
    ) -> None:
        network = build_network(names[1], description, seed=seed, dtype=self._dtype)
        twin = build_network(f"{names[1]}_twin", description, seed=None, dtype=self._dtype)
        critic = Critic(network, weight)
        optimizer = make(names[2])
        optimizer.build(critic.trainable_variables)
        critic.compile(optimizer=optimizer, jit_compile=self._xla)
        share(critic, self._devices, sides=1)
        self._players[key] = Player(*names, description, network, twin, critic)
        self._players[key].lend()

    def step(self, x: Batch) -> None:
        """Train the discriminators on the batch ``x``."""
        if not self._players:
            return
        seen = self._observer.predict_on_batch(dict(x))
        for player in self._players.values():
            player.learn(seen)

    def players(self) -> list[Player]:
        return list(self._players.values())

    def parts(self) -> list[str]:
        """Names of the weight files, without suffix."""
        return [player.file for player in self._players.values()]

    def optimizers(self) -> list[Any]:
        return [player.critic.optimizer for player in self._players.values()]

    def writers(self) -> dict[str, Write]:
        """File name without prefix -> function that writes it."""
        files: dict[str, Write] = {}
        for player in self._players.values():
            files[f"{player.file}.npy"] = partial(write_network, player.network)
            files[f"{player.optimizer_file}.npy"] = partial(
                write_optimizer, player.critic.optimizer, player.variable_names
            )
        return files

    def load(self, files: Mapping[str, Path], reinit: tuple[str, ...] = ()) -> None:
        """Take over saved discriminators; one that was never trained starts anew. Raises InputError for one of another shape."""
        for player in self._players.values():
            path, optimizer_path = files.get(f"{player.file}.npy"), files.get(f"{player.optimizer_file}.npy")
            if path is None or player.file in reinit:
                log.info("%s starts anew", player.file)
                player.start_anew(self._seed)
                continue
            set_weights(
                player.network,
                player.description,
                dfl_weights.read_weights(path),
                where=f"{path} (--reinit-part {player.file} starts it anew)",
            )
            player.lend()
            if optimizer_path is not None:
                load_optimizer(player.critic.optimizer, player.variable_names, optimizer_path)
