"""Layers that Keras itself does not have. Names of weights are those of the files."""

import keras
from keras import ops


class FilterResponseNorm(keras.layers.Layer):
    """x / sqrt(mean over height and width of x^2 + |eps|) * weight + bias."""

    def build(self, shape: tuple) -> None:
        self.weight = self.add_weight(name="weight", shape=(shape[-1],), initializer="ones")
        self.bias = self.add_weight(name="bias", shape=(shape[-1],), initializer="zeros")
        self.eps = self.add_weight(name="eps", shape=(1,), initializer=keras.initializers.Constant(1e-6))

    def call(self, x):
        energy = ops.mean(ops.square(x), axis=(1, 2), keepdims=True)
        # Absolute, because eps is trained as well and may become negative.
        return x * ops.rsqrt(energy + ops.abs(self.eps)) * self.weight + self.bias


class ThresholdedUnit(keras.layers.Layer):
    """max(x, tau)."""

    def build(self, shape: tuple) -> None:
        self.tau = self.add_weight(name="tau", shape=(shape[-1],), initializer="zeros")

    def call(self, x):
        return ops.maximum(x, self.tau)


class FrozenBatchNorm(keras.layers.Layer):
    """Batch normalisation with the stored statistics: networks with it are only run, never trained."""

    def build(self, shape: tuple) -> None:
        self.weight = self.add_weight(name="weight", shape=(shape[-1],), initializer="ones")
        self.bias = self.add_weight(name="bias", shape=(shape[-1],), initializer="zeros")
        self.running_mean = self.add_weight(
            name="running_mean", shape=(shape[-1],), initializer="zeros", trainable=False
        )
        # Starts at zero as in the original; a file of trained weights always replaces it.
        self.running_var = self.add_weight(name="running_var", shape=(shape[-1],), initializer="zeros", trainable=False)

    def call(self, x):
        return (x - self.running_mean) * (ops.rsqrt(self.running_var + 1e-5) * self.weight) + self.bias


class ChannelL2Norm(keras.layers.Layer):
    """x / (length over the channels + 1e-10) * weight."""

    def build(self, shape: tuple) -> None:
        self.weight = self.add_weight(name="weight", shape=(1, 1, 1, shape[-1]), initializer="ones")

    def call(self, x):
        return x / (ops.sqrt(ops.sum(ops.square(x), axis=-1, keepdims=True)) + 1e-10) * self.weight
