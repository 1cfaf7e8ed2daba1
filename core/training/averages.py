"""The averages of a model's weights: put in their place for a while, and read from files."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
from keras import ops

from core.formats import dfl_weights
from core.networks.builder import Network
from core.networks.keras_builder import named_variables
from core.networks.weights import check_weights
from core.training.objective.optimizers import MomentOptimizer


class Averages:
    """Those that an optimizer keeps of its variables; where it keeps none, there are none and nothing happens.

    variables: in the optimizer's order.
    networks, descriptions: that they belong to, by name.
    """

    def __init__(
        self,
        optimizer: MomentOptimizer,
        variables: list[Any],
        networks: Mapping[str, keras.Model],
        descriptions: Mapping[str, Network],
    ):
        self._optimizer, self._networks, self._descriptions = optimizer, networks, descriptions
        self._pairs = list(zip(variables, optimizer.averages, strict=True)) if optimizer.averages else []

    def by_weight(self) -> dict[int, Any]:
        """``id`` of a weight -> its average."""
        return {id(variable): mean for variable, mean in self._pairs}

    @contextmanager
    def exchanged(self) -> Iterator[None]:
        """Within it weights and averages have changed places."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        for variable, mean in self._pairs:
            # TensorFlow and PyTorch hand out the live tensor, which the next line would change.
            value = ops.copy(variable.value)
            variable.assign(mean.value)
            mean.assign(value)

    def load(self, files: Mapping[str, Path]) -> None:
        """Take over saved averages. files: by name of the network; the others' averages start from their weights.

        Raises:
            InputError: a file is of another shape.
            CorruptFileError: a file is damaged.
        """
        averages = self.by_weight()
        for name, model in self._networks.items() if averages else ():
            if name not in files:
                self._optimizer.restart_averages(model.trainable_variables)
                continue
            weights = dfl_weights.read_weights(files[name])
            check_weights(self._descriptions[name], weights, files[name])
            for key, variable in named_variables(model).items():
                if id(variable) in averages:
                    averages[id(variable)].assign(weights[key])
