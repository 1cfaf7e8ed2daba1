"""XSeg, discriminators, S3FD and FAN against numbers of the original."""

import numpy as np
import onnxruntime
import pytest
from golden_files import GoldenArrays, rule_weights

from core.networks import discriminators, fan, s3fd, xseg
from core.networks.keras_builder import build_network, set_weights
from core.networks.onnx_graph import network_model


def through_onnx(network, weights, x):
    return onnxruntime.InferenceSession(network_model(network, weights)).run(None, {"input": x.astype(np.float32)})


def through_keras(network, weights, x):
    model = build_network("net", network, seed=None)
    set_weights(model, network, weights, where="golden")
    out = model(x.astype(np.float32))
    return [np.asarray(v) for v in (out if isinstance(out, (list, tuple)) else [out])]


BOTH = pytest.mark.parametrize("run", [through_onnx, through_keras])


@pytest.fixture(scope="module")
def golden():
    return GoldenArrays("dfl-model/networks_and_ops.npz")


@BOTH
@pytest.mark.parametrize("patch", [3, 8, 16, 28, 64])
def test_gan(golden, patch, run):
    weights = rule_weights("D_src", golden.json(f"unet{patch}_vars"), "networks")
    out = run(discriminators.gan_network(64, patch, 16), weights, np.random.RandomState(12).rand(1, 64, 64, 3))
    for i in (0, 1):
        assert np.abs(out[i] - golden[f"unet{patch}_{i}"]).max() < 2e-5


@BOTH
@pytest.mark.parametrize("side", [2, 4, 8, 12, 16])
def test_code_discriminator(golden, side, run):
    weights = rule_weights("dis", golden.json(f"code{side}_vars"), "networks")
    out = run(discriminators.code_network(side, 24, 8), weights, np.random.RandomState(13).rand(2, side, side, 24))
    assert np.abs(out[0] - golden[f"code{side}"]).max() < 2e-6


@BOTH
def test_xseg(golden, run):
    weights = rule_weights("XSeg", golden.json("xseg_vars"), "networks")
    logits = run(xseg.xseg_network(), weights, np.random.RandomState(11).rand(1, 256, 256, 3))[0]
    assert np.abs(logits - golden["xseg_logits"]).max() < 5e-4


def test_s3fd():
    golden = GoldenArrays("dfl-model/s3fd.npz")
    weights = rule_weights("S3FD", golden.json("vars"), "networks")
    out = through_onnx(s3fd.s3fd_network(), weights, golden["inp"][None])
    assert len(out) == 12
    for i, value in enumerate(out):
        assert value.shape == golden[f"out{i}"].shape
        assert np.abs(value - golden[f"out{i}"]).max() < 1e-5 * np.abs(golden[f"out{i}"]).max(), i


def test_fan():
    golden = GoldenArrays("dfl-model/fan.npz")
    weights = rule_weights("2DFAN", golden.json("vars"), "networks")
    maps = through_onnx(fan.fan_network(), weights, golden["x"][None])[0][0].transpose(2, 0, 1)
    assert np.abs(maps - golden["heatmaps"]).max() < 1e-5 * np.abs(golden["heatmaps"]).max()
