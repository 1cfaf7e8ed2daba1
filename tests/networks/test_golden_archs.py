"""Every architecture string against numbers of the original, through Keras and through onnxruntime."""

import numpy as np
import onnxruntime
import pytest
from golden_files import GoldenArrays, rule_weights

from core.export.dfm import build_dfm
from core.networks import archs
from core.networks.config import ModelConfig
from core.networks.keras_builder import KerasGraph, build_network, get_weights, set_weights

LETTERS = ("", "u", "d", "t", "ud", "ut", "dt", "udt", "udc", "udtc")
ARCHIS = [f"{kind}-{letters}".removesuffix("-") for kind in ("df", "liae") for letters in LETTERS]
CASES = [*(f"{archi}_64_8_24_8_6" for archi in ARCHIS), "liae-udt_96_16_32_16_10"]


@pytest.mark.parametrize("case", CASES)
def test_architecture(case):
    archi, *numbers = case.split("_")
    config = ModelConfig(int(numbers[0]), "wf", archi, *map(int, numbers[1:]))
    golden = GoldenArrays(f"dfl-model/archi_{case}.npz")
    weights = golden_weights(golden.json("variables"))
    x = np.random.RandomState(int(golden["x_seed"])).rand(*golden["x_shape"]).astype(np.float32)
    # x * cos(x) amplifies rounding: the golden numbers of df-udc are themselves 9e-4 away from one in float64.
    limit = 1e-3 if "c" in archi.partition("-")[2] else 1e-4
    for made in (through_keras(config, weights, x), through_onnx(config, weights, x)):
        for name, value in made.items():
            assert np.abs(value - golden[name]).max() < limit, name


def golden_weights(shapes):
    """By network, from shapes by ``network/key``; the names that the rule knows are just these."""
    by_network: dict[str, dict] = {}
    for path, shape in shapes.items():
        network, key = path.split("/", 1)
        by_network.setdefault(network, {})[key] = shape
    return {network: rule_weights(network, part, "archi") for network, part in by_network.items()}


def through_keras(config, weights, x):
    networks, arch = archs.networks(config), archs.load(config)
    models = {}
    for name, network in networks.items():
        models[name] = build_network(name, network, seed=None)
        set_weights(models[name], network, weights[name], where=name)
        back = get_weights(models[name])
        assert set(back) == set(weights[name]) and all((back[k] == weights[name][k]).all() for k in back)
    graph = KerasGraph(models)
    dst_code, swap_code = arch.dst_codes(graph, x)
    face, mask = graph.call(arch.DECODER_SRC, swap_code)
    dst_face, dst_mask = graph.call(arch.DECODER_DST, dst_code)
    made = {
        "encoder_code": models["encoder"](x),
        "inter_code": dst_code,
        "swap_image": face,
        "swap_mask": mask,
        "dst_image": dst_face,
        "dst_mask": dst_mask,
    }
    return {name: np.asarray(value) for name, value in made.items()}


def through_onnx(config, weights, x):
    session = onnxruntime.InferenceSession(build_dfm(weights, config, {}, mask_only=False))
    return dict(
        zip(("dst_mask", "swap_image", "swap_mask", "dst_image"), session.run(None, {"in_face:0": x}), strict=True)
    )
