"""How far two faces are from each other for SFace, a network that tells people apart; it is frozen."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from core.faces.embedders.sface import TEMPLATE, five_points
from core.geometry import landmarks as lm
from core.geometry.align import FaceType, face_matrix, transform_points
from core.inference.sface_weights import sface_weights
from core.networks.keras_builder import build_network, set_weights
from core.networks.sface import SIDE, sface_network
from core.training.objective.terms import Objective
from core.training.recipe import Recipe

Tensor = Any
# Of the outputs, fine maps first and the person last: their gradients in the image are about as large.
_WEIGHTS = (2, 1, 0.5, 0.25, 0.05)
_EPSILON = 1e-6


class FaceDistance(keras.Model):
    """Distance of the faces of two batches, each (N, R, R, 3) BGR, 0..1: (N,) float32, 0 where they are the same.

    face_type: short name of how much the images show. resolution: their side, pixels.
    dtype: a Keras dtype policy of the network.

    Raises:
        EnvironmentFault: the weights of SFace are not installed.
        CorruptFileError: they are not the ones that are trusted.
    """

    def __init__(self, face_type: str, resolution: int, dtype: Any = None):
        super().__init__(name="face_distance", dtype="float32")
        description = sface_network()
        self.network = build_network("sface", description, seed=None, dtype=dtype)
        set_weights(self.network, description, sface_weights(), where="SFace")
        self.network.trainable = False
        self.rows, self.columns = crop_bands(FaceType.parse(face_type), resolution)
        self.built = True  # it has no weights but the network's; Keras would warn of a part that is not built

    def call(self, inputs: Sequence[Tensor], training: bool = False) -> Tensor:
        seen = (self.network(self.crop(image)) for image in inputs)
        distances = (cosine_distance(a, b) for a, b in zip(*seen, strict=True))
        return sum(weight * distance for weight, distance in zip(_WEIGHTS, distances, strict=True))

    def crop(self, image: Tensor) -> Tensor:
        """The faces as the network sees them: (N, 112, 112, 3), RGB, -1..1."""
        wide = ops.einsum("oh,bhwc->bowc", self.rows, image)
        bgr = ops.einsum("ow,bhwc->bhoc", self.columns, wide)
        return (ops.flip(bgr, axis=-1) * 255 - 127.5) / 128


def face_judges(objective: Objective, recipe: Recipe, dtype: Any) -> dict[str, FaceDistance]:
    """The network that a term of the objective asks how far faces are apart, by the name that it asks for."""
    if "face" not in objective.discriminators:
        return {}
    return {"face": FaceDistance(recipe.face_type, recipe.resolution, dtype)}


def cosine_distance(a: Tensor, b: Tensor) -> Tensor:
    """One minus the cosine of the channels of maps or vectors, its mean over the places: (N,) float32."""
    a, b = ops.cast(a, "float32"), ops.cast(b, "float32")
    lengths = (ops.sum(a * a, axis=-1) + _EPSILON) * (ops.sum(b * b, axis=-1) + _EPSILON)
    cosines = ops.sum(a * b, axis=-1) * ops.rsqrt(lengths)
    return 1 - ops.mean(ops.reshape(cosines, (-1, math.prod(a.shape[1:-1]))), axis=-1)


def crop_bands(face_type: FaceType, resolution: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Matrices, (112, R) each, that resample rows and columns of aligned faces to SFace's crop of the mean face.

    Without a turn, for aligned faces are upright. What lies outside of the image is black.
    """
    points = np.empty((lm.COUNT, 2))
    points[17:] = lm.MEAN_51
    # The mean face has no jaw. With all of it at the nose, no crop takes it for a turned head.
    points[:17] = points[27]
    five = five_points(transform_points(points, face_matrix(points, resolution, face_type)))
    # The least squares of a scale and a shift.
    middle, template_middle = five.mean(axis=0), TEMPLATE.mean(axis=0)
    centred = five - middle
    scale = (centred * (TEMPLATE - template_middle)).sum() / (centred**2).sum()
    columns, rows = (_band(resolution, scale, shift) for shift in template_middle - scale * middle)
    return rows, columns


def _band(length: int, scale: float, shift: float) -> NDArray[np.float32]:
    """Linear interpolation; where the image becomes smaller, the mean of as much as a pixel of the crop covers."""
    centres = ((np.arange(SIDE) - shift) / scale)[:, None]
    # With as many pixels on both sides of the image: they are black, and their share is left out.
    pixels = np.arange(-length, 2 * length)
    weights = np.maximum(0, 1 - np.abs(pixels - centres) / max(1, 1 / scale))
    return (weights / weights.sum(axis=1, keepdims=True))[:, length : 2 * length].astype(np.float32)
