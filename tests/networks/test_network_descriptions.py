"""The framework-free descriptions: architecture strings, sizes, variables, first values, checks."""

import numpy as np
import pytest
from golden_files import golden_json

from core.errors import InputError, UsageError
from core.networks import archs, discriminators, fan, s3fd, xseg
from core.networks.builder import Network
from core.networks.config import QUICK96, ModelConfig, config_from_options, parse_archi, resolution_step, validate
from core.networks.shapes import output_shapes, variables
from core.networks.weights import check_weights, initial_weights, parameter_count


def config(archi: str, resolution: int = 224, dims: tuple = (512, 64, 64, 32), inter: int = 0) -> ModelConfig:
    return ModelConfig(resolution, "wf", archi, *dims, inter_dims=inter)


@pytest.mark.parametrize(
    ("text", "kind", "letters"),
    [("df", "df", ""), ("liae-udt", "liae", "udt"), ("liae-tdu", "liae", "udt"), ("df-uuc", "df", "uc")],
)
def test_parse_archi(text, kind, letters):
    parsed = parse_archi(text)
    assert (parsed.kind, parsed.letters) == (kind, letters)


@pytest.mark.parametrize("text", ["", "df-", "liaeudt", "liae-x", "LIAE", "df-u-d", "-ud"])
def test_parse_archi_refuses(text):
    with pytest.raises(UsageError, match="unknown architecture"):
        parse_archi(text)


@pytest.mark.parametrize(("archi", "step"), [("df", 16), ("df-uc", 16), ("liae-d", 32), ("liae-t", 32), ("amp", 32)])
def test_resolution_step(archi, step):
    assert resolution_step(archi) == step
    assert validate(config(archi, 5 * step, inter=8)).resolution == 5 * step
    for wrong in (0, step // 2, 5 * step + 8):
        with pytest.raises(UsageError, match="resolution"):
            validate(config(archi, wrong, inter=8))


def test_width_must_be_positive():
    with pytest.raises(UsageError, match="ae_dims"):
        validate(config("df", dims=(0, 64, 64, 32)))
    with pytest.raises(UsageError, match="inter_dims"):
        validate(config("amp"))


@pytest.mark.parametrize(
    ("archi", "total"),
    [
        ("liae", 458_692_676),
        ("liae-ud", 304_335_149),
        ("liae-ut", 333_983_428),
        ("liae-dt", 179_625_901),
        ("liae-udtc", 179_625_901),
        ("df", 172_065_800),
        ("df-ud", 133_623_770),
        ("df-udt", 130_035_290),
    ],
)
def test_parameter_totals(archi, total):
    assert sum(map(parameter_count, archs.networks(config(archi)).values())) == total


def test_parameters_of_each_network():
    made = archs.networks(config("liae-udt"))
    assert {name: parameter_count(n) for name, n in made.items()} == {
        "encoder": 15_654_144,
        "inter_AB": 38_585_856,
        "inter_B": 38_585_856,
        "decoder": 86_800_045,
    }
    assert [len(variables(n)) for n in made.values()] == [18, 4, 4, 44]
    made = archs.networks(config("liae-ud", 128, (256, 64, 64, 22)))
    assert [parameter_count(n) for n in made.values()] == [4_306_560, 19_933_440, 19_933_440, 38_203_115]
    assert [parameter_count(n) for n in archs.networks(QUICK96).values()] == [
        4_306_560,
        3_098_368,
        15_444_701,
        15_444_701,
    ]


@pytest.mark.parametrize("archi", ["df", "df-t", "df-d", "liae-u", "liae-dt", "liae-udtc", "amp"])
@pytest.mark.parametrize("resolution", [64, 640])
def test_outputs_have_the_resolution(archi, resolution):
    made = archs.networks(config(archi, resolution, (8, 4, 4, 4), 6))
    decoder = next(n for name, n in made.items() if name.startswith("decoder"))
    assert output_shapes(decoder) == ((resolution, resolution, 3), (resolution, resolution, 1))
    for part, channels in (("image", 3), ("mask", 1)):
        assert output_shapes(Network(decoder.parts[part], decoder.input_shape)) == ((resolution, resolution, channels),)


def test_config_from_options():
    options = {
        "resolution": np.int64(64),
        "face_type": "wf",
        "archi": "df",
        "ae_dims": 8,
        "e_dims": 8,
        "d_dims": 8,
        "d_mask_dims": 4,
        "gan_power": 0.0,
    }
    assert config_from_options(options) == ModelConfig(64, "wf", "df", 8, 8, 8, 4)
    amp = {k: v for k, v in options.items() if k != "archi"} | {"inter_dims": 16}
    assert config_from_options(amp, "AMP") == ModelConfig(64, "wf", "amp", 8, 8, 8, 4, 16)
    assert config_from_options({"batch_size": 4}, "Quick96") == QUICK96
    with pytest.raises(InputError, match="e_dims"):
        config_from_options({k: v for k, v in options.items() if k != "e_dims"})


# Receptive field -> strides of its plan.
PLANS = {
    3: "2",
    7: "22",
    11: "212",
    15: "222",
    19: "2122",
    23: "2212",
    27: "21212",
    31: "2222",
    35: "21222",
    39: "22122",
    43: "212122",
    47: "22212",
    51: "212212",
    55: "221212",
    59: "2121212",
    63: "22222",
}


def test_gan_layer_plans():
    for field, strides in PLANS.items():
        assert discriminators.receptive_field(discriminators.layer_plan(field)) == field
        for patch in range(max(3, field - 1), field + 3):  # the smaller field on a tie
            assert "".join(map(str, discriminators.layer_plan(patch))) == strides, patch


def test_gan_patch_that_does_not_divide():
    with pytest.raises(UsageError, match="patch"):
        discriminators.gan_network(208, 62, 16)
    assert parameter_count(discriminators.gan_network(64, 8, 16)) == 55_154


def manifest(name: str) -> dict:
    return {key: tuple(shape) for key, shape in golden_json(f"dfl-model/manifests/{name}.json").items()}


def shapes(network: Network) -> dict:
    return {key: v.shape for key, v in variables(network).items()}


def test_manifests():
    for kind, reference in (
        (config("liae-udt"), "liae-udt-224-512-64-64-32"),
        (QUICK96, "Quick96"),
        (config("amp", 64, (32, 16, 16, 16), 48), "AMP-64-ae32-inter48-e16-d16-m16"),
    ):
        for name, network in archs.networks(kind).items():
            if name != "decoder_dst":
                assert shapes(network) == manifest(f"{reference}_{name}"), name
    assert shapes(xseg.xseg_network()) == manifest("XSeg_256")
    assert shapes(s3fd.s3fd_network()) == manifest("S3FD")
    assert shapes(fan.fan_network()) == manifest("FAN")
    for patch in (8, 16, 28, 32, 64):
        assert shapes(discriminators.gan_network(64, patch, 16)) == manifest(f"GAN_patch{patch}_dims16")


def test_initial_weights():
    network = archs.networks(config("df-t", 32, (8, 8, 8, 8)))["encoder"]
    first, again, other = (initial_weights("encoder", network, seed) for seed in (3, 3, 4))
    kernel = first["down2/conv1/weight:0"]
    limit = np.sqrt(6 / (25 * (8 + 16)))
    assert np.abs(kernel).max() <= limit and np.abs(kernel).max() > 0.95 * limit and abs(kernel.mean()) < 0.05 * limit
    assert not first["down2/conv1/bias:0"].any()
    assert all((first[k] == again[k]).all() for k in first)
    assert (first["down2/conv1/weight:0"] != other["down2/conv1/weight:0"]).mean() > 0.99
    assert (first["res5/conv1/weight:0"] != first["res5/conv2/weight:0"]).mean() > 0.99


def test_check_weights_names_every_problem():
    network = archs.networks(config("df", 16, (8, 8, 8, 8)))["inter"]
    weights = initial_weights("inter", network, 0)
    check_weights(network, weights, "x")
    weights["more/weight:0"] = weights.pop("dense1/bias:0")
    weights["dense2/bias:0"] = weights["dense2/bias:0"].reshape(2, -1)
    with pytest.raises(InputError) as caught:
        check_weights(network, weights, "some file")
    for part in ("some file", "missing: dense1/bias:0", "more/weight:0", "dense2/bias:0 (2, 4) instead of (8,)"):
        assert part in str(caught.value)
