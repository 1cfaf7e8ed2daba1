"""SFace as a network that can be trained through: the same numbers as its file has under onnxruntime."""

import cv2
import keras
import numpy as np
import onnx
import onnxruntime

from core.inference import packaged_weights
from core.inference.dequantize import float_model
from core.inference.sface_weights import sface_weights
from core.networks.keras_builder import build_network, set_weights
from core.networks.sface import sface_network

OUTPUTS = ["conv_2_relu", "conv_4_relu", "conv_6_relu", "conv_12_relu", "fc1"]


def test_features_are_those_of_the_file_under_onnxruntime():
    blobs = np.random.RandomState(0).rand(2, 7, 7, 3).astype(np.float32)
    images = np.stack([cv2.resize(image, (112, 112), interpolation=cv2.INTER_CUBIC) for image in blobs]) * 255
    model = onnx.load_from_string(float_model(packaged_weights.locate(packaged_weights.SFACE).read_bytes()))
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in OUTPUTS[:-1])
    session = onnxruntime.InferenceSession(model.SerializeToString())
    wanted = session.run(OUTPUTS, {"data": images.transpose(0, 3, 1, 2)})

    network = build_network("sface", sface_network(), seed=None)
    set_weights(network, sface_network(), sface_weights(), where="SFace")
    found = [keras.ops.convert_to_numpy(x) for x in network((images - 127.5) / 128)]
    assert [x.shape[1:] for x in found] == [(112, 112, 64), (56, 56, 128), (28, 28, 256), (14, 14, 512), (128,)]
    for ours, theirs in zip(found, wanted, strict=True):
        theirs = theirs.transpose(0, 2, 3, 1) if theirs.ndim == 4 else theirs
        assert np.abs(theirs).max() > 0.1
        np.testing.assert_allclose(ours, theirs, atol=1e-3)
