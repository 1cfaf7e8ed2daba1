"""Networks that people bring, with tiny ones made here."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_faces import draw, landmarks
from mask_networks import describe, tiny_net

from core.errors import CorruptFileError, InputError, OutOfMemoryFault, UsageError
from core.faces.contract import MaskerRequest
from core.faces.mask_network import PRESETS, mask_of, network_input, read_description
from core.faces.maskers.custom import create
from core.imaging.masks import hull_mask
from core.types import FaceRecord

SKIN = (120, 150, 210)  # BGR of the drawn faces


def face(size=128):
    points = landmarks(size)
    return FaceRecord("a.jpg", (size, size), points, "whole_face"), draw(size, points)


def run(path: Path, size=128, side=128, **request):
    record, image = face(size)
    masker = create(MaskerRequest(description=path, **request))
    prepared = masker.prepare(image, record)
    return masker.place(masker.infer([prepared.data, prepared.data])[1], prepared, image.shape, side), masker


@pytest.mark.parametrize("batch", ["n", 1])
@pytest.mark.parametrize("crop", ["face", "head", "legacy", "wf", "f"])
def test_a_probability_network(tmp_path, crop, batch):
    # skin has much red and little blue, the parts of the face are dark
    tiny_net(tmp_path / "net.onnx", np.array([[-60.0, 0, 60]]), np.array([-15.0]), 64, batch)
    path = describe(tmp_path, size=64, crop=crop, colour="bgr", output="sigmoid")
    mask, masker = run(path)
    record, image = face()
    skin = np.abs(image.astype(int) - SKIN).max(2) < 20
    inside = hull_mask(image.shape, record.landmarks)[..., 0] > 0
    assert mask.shape == (128, 128) and mask.min() >= 0 and mask.max() <= 1
    nose, eye = record.landmarks[30].astype(int), record.landmarks[36:42].mean(0).astype(int)
    assert mask[nose[1], nose[0]] > 0.8 and mask[eye[1], eye[0]] < 0.5
    if crop != "legacy":  # which cuts off the chin
        assert ((mask > 0.5) & skin & inside).sum() / (((mask > 0.5) | skin) & inside).sum() > 0.9
    assert masker.identity.startswith("custom ")


def label_net(folder: Path, size: int, layout_labels: int = 19) -> None:
    """Bright red pixels are skin (1), dark ones eyes (4), all else hair (17)."""
    weights, bias = np.zeros((layout_labels, 3)), np.full(layout_labels, -1000.0)
    weights[1], bias[1] = (100, 0, -100), -18.0
    weights[4], bias[4] = (-100, -100, -100), 80.0
    bias[17] = 0
    tiny_net(folder / "net.onnx", weights, bias, size)


def test_bisenet_layout_with_areas_in_and_out(tmp_path):
    label_net(tmp_path, 64)
    path = describe(tmp_path, preset="bisenet-19", size=64, mean=[0, 0, 0], std=[1, 1, 1])
    record, _ = face()
    eye = record.landmarks[36:42].mean(0).astype(int)
    cheek = ((record.landmarks[2] + record.landmarks[31]) / 2).astype(int)
    mask, plain = run(path)
    assert mask[cheek[1], cheek[0]] > 0.9 and mask[eye[1], eye[0]] > 0.5
    without, other = run(path, exclude=("eyes",))
    assert without[eye[1], eye[0]] < 0.5 and without[cheek[1], cheek[0]] > 0.9
    with_hair, _ = run(path, include=("hair",))
    assert with_hair.mean() > mask.mean() + 0.1
    assert read_description(path).choose(("hair",), ()).crop == "head"
    assert plain.identity != other.identity


def test_presets_are_sound(tmp_path):
    for name in PRESETS:
        description = read_description(describe(tmp_path, preset=name))
        assert description.size in (256, 300, 500, 512)
    assert read_description(describe(tmp_path, preset="bisenet-19")).numbers == [1, 2, 3, 4, 5, 6, 10, 11, 12, 13]


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_masks_skin_and_not_what_is_dark(tmp_path, preset):
    """A smaller net of its family's input and output; it undoes what the preset says was done to the input."""
    keys = PRESETS[preset]
    order = [2, 1, 0] if keys["colour"] == "rgb" else [0, 1, 2]
    red_over_blue = np.array([-1.0, 0, 1])[order]  # in the preset's channel order
    if keys["output"] == "labels":
        weights, bias = (
            np.zeros((19 if preset == "bisenet-19" else 5, 3)),
            np.full(19 if preset == "bisenet-19" else 5, -1000.0),
        )
        weights[1] = red_over_blue * np.array(keys["std"])
        bias[1] = red_over_blue @ np.array(keys["mean"]) - 0.25
        bias[0] = 0  # all else is background
    elif keys["output"] == "softmax":
        weights, bias = np.stack([0 * red_over_blue, red_over_blue]), np.array([0, -55.0])
    else:
        weights, bias = 60 * red_over_blue[None], np.array([-15.0])
    tiny_net(tmp_path / "net.onnx", weights, bias, 64)
    mask, _ = run(describe(tmp_path, preset=preset, size=64))
    record, _ = face()
    nose, eye = record.landmarks[30].astype(int), record.landmarks[36:42].mean(0).astype(int)
    assert mask[nose[1], nose[0]] > 0.8 and mask[eye[1], eye[0]] < 0.5


def test_normalisation():
    from core.faces.mask_network import Description

    crop = np.random.default_rng(0).integers(0, 255, (4, 4, 3), np.uint8)
    rgb = network_input(
        Description(model="x", size=16, crop="wf", output="sigmoid", mean=[0.5, 0.4, 0.3], std=[0.5, 0.25, 1.0]), crop
    )
    assert rgb.shape == (3, 4, 4)
    assert rgb[1, 2, 3] == pytest.approx((crop[2, 3, 1] / 255 - 0.4) / 0.25, rel=1e-5)
    assert rgb[0, 2, 3] == pytest.approx((crop[2, 3, 2] / 255 - 0.5) / 0.5, rel=1e-4)
    own = network_input(
        Description(
            model="x", size=16, crop="wf", output="softmax", colour="bgr", divide=1, mean="crop", layout="nhwc"
        ),
        crop,
    )
    assert np.allclose(own.mean((0, 1)), 0, atol=1e-4) and own.std() > 10


def test_reading_outputs():
    from core.faces.mask_network import Description

    def description(**keys):
        return Description(model="x", size=16, crop="wf", **keys)

    values = np.zeros((1, 2, 3, 3), np.float32)
    values[0, 1] = 2.0
    expected = np.exp(2) / (1 + np.exp(2))
    assert np.allclose(mask_of(description(output="softmax", channel=-1), values), expected)
    assert np.allclose(mask_of(description(output="softmax", channel=0, invert=True), values), expected)
    assert np.allclose(
        mask_of(description(output="sigmoid", channel=1, layout="nhwc"), values.transpose(0, 2, 3, 1)), expected
    )
    numbers = np.array([[[0, 1], [2, 1]]])
    labels = {"a": [1], "b": [2]}
    assert mask_of(description(output="labels", labels=labels, include=["a"]), numbers).tolist() == [[[0, 1], [0, 1]]]
    with pytest.raises(InputError, match="fewer labels"):
        mask_of(description(output="labels", labels={"a": [7]}, include=["a"]), values)
    with pytest.raises(InputError, match="output"):
        mask_of(description(output="sigmoid", channel=5), values)


def test_wrong_descriptions_are_explained(tmp_path):
    cases = {
        "size": {"crop": "wf", "output": "sigmoid"},
        "preset": {"preset": "magic"},
        "extra": {"preset": "unet-dfl", "colour_space": "x"},
        "include": {"preset": "bisenet-19", "include": ["moustache"]},
        "std": {"preset": "bisenet-19", "std": [0, 1, 1]},
    }
    for name, keys in cases.items():
        with pytest.raises(InputError, match="description of a masking network"):
            read_description(describe(tmp_path, **keys))
            pytest.fail(name)
    (tmp_path / "net.json").write_text("{")
    with pytest.raises(InputError):
        read_description(tmp_path / "net.json")
    with pytest.raises(InputError, match="no such"):
        read_description(tmp_path / "none.json")


def test_a_network_lies_beside_its_description(tmp_path):
    (tmp_path / "below").mkdir()
    tiny_net(tmp_path / "net.onnx", np.eye(3), np.zeros(3), 32)
    for model in ("../net.onnx", str(tmp_path / "net.onnx"), "/dev/zero", "..", "x/../net.onnx", "/etc/hostname"):
        description = describe(tmp_path / "below", model=model, size=32, crop="wf", output="sigmoid")
        with pytest.raises(CorruptFileError, match="leads out") as caught:
            create(MaskerRequest(description=description))
        assert caught.value.exit_code == 7
    (tmp_path / "below/zero").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "below/pipe")
    for model in ("zero", "pipe"):
        with pytest.raises(CorruptFileError, match="not a file"):
            create(
                MaskerRequest(
                    description=describe(tmp_path / "below", model=model, size=32, crop="wf", output="sigmoid")
                )
            )
    with pytest.raises(InputError, match="description of a masking network"):
        read_description(tmp_path / "below/pipe")


def test_wrong_networks_are_explained(tmp_path):
    with pytest.raises(UsageError):
        create(MaskerRequest())
    path = describe(tmp_path, preset="unet-dfl", size=64)
    with pytest.raises(InputError):
        create(MaskerRequest(description=path))
    (tmp_path / "net.onnx").write_bytes(b"not a network")
    with pytest.raises(CorruptFileError):
        create(MaskerRequest(description=path))
    tiny_net(tmp_path / "net.onnx", np.ones((1, 3)), np.zeros(1), 32)
    with pytest.raises(InputError, match="does not take this input"):
        run(path)
    with pytest.raises(InputError, match="no such output"):
        create(MaskerRequest(description=describe(tmp_path, preset="unet-dfl", result="z")))
    with pytest.raises(UsageError, match="no such area"):
        create(MaskerRequest(description=path, include=("hair",)))


def test_used_up_memory_is_not_taken_for_a_wrong_description(tmp_path):
    class Full:
        def run(self, outputs, feeds):
            raise RuntimeError("Failed to allocate memory for requested buffer of size 9")

    tiny_net(tmp_path / "net.onnx", np.ones((1, 3)), np.zeros(1), 64)
    masker = create(MaskerRequest(description=describe(tmp_path, preset="unet-dfl", size=64)))
    masker._session = replace(masker._session, runtime=Full())
    with pytest.raises(OutOfMemoryFault, match=r"net\.onnx"):
        masker.infer([np.zeros((64, 64, 3), np.float32)])
