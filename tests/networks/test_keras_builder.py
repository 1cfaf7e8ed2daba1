"""The two builders agree on every operation; weights go in and out strictly."""

from functools import partial

import keras
import numpy as np
import onnxruntime
import pytest

from core.errors import InputError
from core.networks.builder import Builder, Network
from core.networks.keras_builder import KerasBuilder, build_network, get_weights, named_variables, set_weights
from core.networks.onnx_graph import network_model
from core.networks.shapes import Tracer, output_shapes, variables

MAP = (12, 8, 6)
# fmt: off
OPERATIONS = {
    "conv 1": lambda b, x: b.conv(x, "a", 5, 1),
    "conv 3": lambda b, x: b.conv(x, "a", 5, 3),
    "conv 3 no bias": lambda b, x: b.conv(x, "a", 5, 3, bias=False),
    "conv 3 stride 2": lambda b, x: b.conv(x, "a", 5, 3, stride=2),
    "conv 5 stride 2": lambda b, x: b.conv(x, "a", 5, 5, stride=2),
    "conv 7 stride 2": lambda b, x: b.conv(x, "a", 5, 7, stride=2),
    "conv 4 stride 2": lambda b, x: b.conv(x, "a", 5, 4, stride=2),
    "conv 2": lambda b, x: b.conv(x, "a", 5, 2),
    "conv 3 pad 3": lambda b, x: b.conv(x, "a", 5, 3, pad=3),
    "depthwise": lambda b, x: b.depthwise(x, "a", 3),
    "depthwise stride 2": lambda b, x: b.depthwise(x, "a", 3, stride=2),
    "depthwise 4": lambda b, x: b.depthwise(x, "a", 4),
    "transposed stride 2": lambda b, x: b.conv_transpose(x, "a", 5, 3),
    "transposed stride 1": lambda b, x: b.conv_transpose(x, "a", 5, 3, stride=1),
    "dense": lambda b, x: b.dense(b.flatten(x), "a/b", 7),
    "flatten": lambda b, x: b.flatten(x),
    "unflatten": lambda b, x: b.unflatten(b.flatten(x), 4, 6, 24),
    "lrelu": lambda b, x: b.lrelu(x, 0.2),
    "prelu": lambda b, x: b.prelu(x, "a"),
    "relu": lambda b, x: b.relu(x),
    "x cos x": lambda b, x: b.x_cos_x(x),
    "sigmoid": lambda b, x: b.sigmoid(x),
    "softmax": lambda b, x: b.softmax(x),
    "add": lambda b, x: b.add(x, b.relu(x)),
    "shift": lambda b, x: b.shift(x, [1, 2, 3, 4, 5, 6]),
    "maximum": lambda b, x: b.maximum(x, b.sigmoid(x)),
    "concat, channels": lambda b, x: b.concat([b.channels(x, 4, 6), b.channels(x, 0, 3)]),
    "zeros": lambda b, x: b.add(x, b.zeros_like(x)),
    "depth to space": lambda b, x: b.depth_to_space(b.conv(x, "a", 8, 1)),
    "pixel norm": lambda b, x: b.pixel_norm(b.flatten(x)),
    "upsample": lambda b, x: b.upsample(x),
    "max pool": lambda b, x: b.max_pool(b.conv(x, "a", 2, 2)),
    "avg pool": lambda b, x: b.avg_pool(b.conv(x, "a", 2, 2)),
    **{f"blur pool {n}": partial(lambda b, x, n: b.blur_pool(x, n), n=n) for n in range(2, 8)},
    "frn, tlu": lambda b, x: b.tlu(b.frn(x, "frn"), "tlu"),
    "batch norm": lambda b, x: b.batch_norm(x, "bn"),
    "l2 norm": lambda b, x: b.l2_norm(x, "norm"),
}
# fmt: on


def test_every_operation_is_compared():
    """Morph has two inputs; ``test_morph_takes_the_first_channels`` and the export of AMP see to it."""
    used = set()

    class Recorder(Tracer):
        def __getattribute__(self, name):
            used.add(name)
            return super().__getattribute__(name)

    for operation in OPERATIONS.values():
        operation(Recorder(), MAP)
    operations = {name for name in vars(Builder) if not name.startswith("_")}
    assert len(operations) > 20 and operations - used == {"morph"}


def random_weights(network: Network) -> dict:
    rng = np.random.default_rng(1)
    return {
        k: (rng.random(v.shape) * 0.9 + 0.1 if "running" in k else rng.normal(size=v.shape)).astype(np.float32)
        for k, v in variables(network).items()
    }


@pytest.mark.parametrize("operation", OPERATIONS)
def test_builders_agree(operation):
    network = Network(OPERATIONS[operation], MAP)
    weights = random_weights(network)
    x = np.random.default_rng(2).normal(size=(3, *MAP)).astype(np.float32)
    model = build_network("net", network, seed=None)
    set_weights(model, network, weights, where="test")
    with_keras = np.asarray(keras.ops.convert_to_numpy(model(x)))
    with_onnx = onnxruntime.InferenceSession(network_model(network, weights)).run(None, {"input": x})[0]
    assert with_keras.shape == with_onnx.shape == (3, *output_shapes(network)[0])
    assert np.abs(with_keras - with_onnx).max() < 2e-5 * max(1, np.abs(with_onnx).max())


def test_known_numbers():
    """Depth to space and flatten by their definitions."""
    b = KerasBuilder("net")
    x = np.arange(2 * 3 * 8, dtype=np.float32).reshape(1, 2, 3, 8)
    out = np.asarray(b.depth_to_space(keras.ops.convert_to_tensor(x)))
    for y, c, dy, dx, k in np.ndindex(2, 3, 2, 2, 2):
        assert out[0, 2 * y + dy, 2 * c + dx, k] == x[0, y, c, (2 * dy + dx) * 2 + k]
    flat = np.asarray(b.flatten(keras.ops.convert_to_tensor(x)))
    assert flat[0, 5 * 2 * 3 + 1 * 3 + 2] == x[0, 1, 2, 5]


def test_morph_takes_the_first_channels():
    b = KerasBuilder("net")
    a, z = (keras.ops.full((1, 2, 2, 8), v) for v in (1.0, 0.0))
    for amount, count in ((0.0, 0), (0.25, 2), (0.333, 2), (1.0, 8)):
        assert np.asarray(b.morph(a, z, np.array([amount], np.float32))).sum() == count * 4


def test_no_two_variables_of_several_networks_have_one_path():
    """Keras under PyTorch clears the gradients of one variable a path."""
    networks = [
        build_network(
            name,
            Network(
                lambda b, x: b.dense(b.flatten(b.frn(b.conv(x, "res1/conv1", 5, 3), "frn")), "dense1", 3), (8, 8, 3)
            ),
        )
        for name in ("decoder_src", "decoder_dst")
    ]
    paths = [variable.path for network in networks for variable in network.weights]
    assert len(set(paths)) == len(paths) == 14
    assert list(named_variables(networks[0])) == list(named_variables(networks[1]))


def test_weights_are_strict():
    network = Network(lambda b, x: b.conv(x, "down/conv1", 5, 3), (8, 8, 3))
    model = build_network("net", network)
    weights = get_weights(model)
    assert set(named_variables(model)) == set(weights) == {"down/conv1/weight:0", "down/conv1/bias:0"}
    wrong = {k: v + 1 for k, v in weights.items()} | {"down/conv1/bias:0": np.zeros(6, np.float32)}
    with pytest.raises(InputError, match="conv1/bias:0"):
        set_weights(model, network, wrong, where="a file")
    assert all((get_weights(model)[k] == weights[k]).all() for k in weights)


def test_seed_gives_the_same_start():
    network = Network(lambda b, x: b.conv(x, "c", 5, 3), (8, 8, 3))
    a, b, c = (get_weights(build_network("n", network, seed=s))["c/weight:0"] for s in (1, 1, 2))
    assert (a == b).all() and (a != c).any() and a.any()


def test_mixed_precision_keeps_norms_and_outputs_in_float32():
    network = Network(
        lambda b, x: b.sigmoid(b.conv(b.unflatten(b.pixel_norm(b.flatten(b.conv(x, "a", 4, 3))), 8, 8, 4), "c", 1, 1)),
        (8, 8, 3),
    )
    model = build_network("n", network, dtype="mixed_bfloat16")
    assert keras.backend.standardize_dtype(model.output.dtype) == "float32"
    assert all(keras.backend.standardize_dtype(v.dtype) == "float32" for v in model.weights)
    full = build_network("n", network)
    x = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    assert 0 < np.abs(np.asarray(model(x)) - np.asarray(full(x))).max() < 0.02
