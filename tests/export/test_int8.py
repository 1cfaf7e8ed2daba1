"""The file in 8 bits: what live programs see stays, masks stay to the bit, and a face that suffers is refused."""

import numpy as np
import onnx
import pytest
from export_cases import CONFIGS, make_weights, save_model
from facekit import write_faces

from core.errors import InputError, PipelineError, UsageError
from core.export.dfm import build_dfm, describe
from core.export.int8 import FACE_MEAN, export_int8
from core.inference.dfm import exported, open_dfm
from core.inference.sessions import CPU_ONLY
from core.stages.models import export as stage
from core.workspace import Workspace


def faces(resolution: int) -> np.ndarray:
    """Smooth pictures, each another one."""
    ramp = np.linspace(0, 1, resolution, dtype=np.float32)
    waves = np.sin(ramp[:, None] * 5 + ramp * 3 + np.arange(16, dtype=np.float32)[:, None, None])
    return np.repeat(0.5 + 0.5 * waves[..., None], 3, axis=3) * np.array([0.9, 0.7, 0.5], np.float32)


def write_float(folder, config, weights):
    path = folder / "m_model.dfm"
    path.write_bytes(build_dfm(weights, config, describe(config, {"iteration": "5"})))
    return path


@pytest.mark.parametrize("name", CONFIGS)
def test_masks_stay_and_the_face_is_near(tmp_path, name):
    config, target = CONFIGS[name], tmp_path / "m_model_int8.dfm"
    path = write_float(tmp_path, config, make_weights(config))
    report = export_int8(path, target, config, faces(config.resolution))
    assert 0 < report.face < FACE_MEAN and report.mask == 0 and report.size == target.stat().st_size
    whole, small = onnx.load(path), onnx.load(target)
    onnx.checker.check_model(small, full_check=True)
    assert list(small.graph.input) == list(whole.graph.input) and list(small.graph.output) == list(whole.graph.output)
    said = [{item.key: item.value for item in model.metadata_props} for model in (whole, small)]
    assert said[1] == said[0] | {"precision": "int8"} and said[1]["synthetic"] == "true"
    one, other = (open_dfm(file, CPU_ONLY).swap(faces(config.resolution)[:3]) for file in (path, target))
    assert (one.target_mask == other.target_mask).all() and (one.face_mask == other.face_mask).all()
    assert (one.face != other.face).any()


def test_only_the_face_is_in_8_bits(tmp_path):
    config = CONFIGS["liae-udt"]
    path, target = write_float(tmp_path, config, make_weights(config)), tmp_path / "small.dfm"
    export_int8(path, target, config, faces(config.resolution))
    weights = {item.name: item.data_type for item in onnx.load(target).graph.initializer}
    rounded = {name.removesuffix("_quantized") for name, kind in weights.items() if kind == onnx.TensorProto.INT8}
    rounded = {name for name in rounded if name.endswith("/weight")}
    assert "decoder/upscale0/conv1/weight" in rounded and "decoder/res3/conv2/weight" in rounded
    assert not [name for name in rounded if "upscalem" in name or "out_conv" in name or "inter" in name]


def test_a_face_that_suffers_is_refused(tmp_path):
    """One channel far larger than the others leaves these no steps; in float the model is the same."""
    config = CONFIGS["df"]
    weights = make_weights(config)
    decoder = weights["decoder_src"]
    decoder["res0/conv1/weight:0"][..., 0] *= 1e5
    decoder["res0/conv1/bias:0"][0] *= 1e5
    decoder["res0/conv2/weight:0"][..., 0, :] /= 1e5
    for key in ("upscale1/conv1/weight:0", "upscale2/conv1/weight:0", "out_conv/weight:0"):
        decoder[key] *= 8
    path, target = write_float(tmp_path, config, weights), tmp_path / "small.dfm"
    before = path.read_bytes()
    target.write_bytes(b"older")
    with pytest.raises(PipelineError, match="does not stand 8 bits") as caught:
        export_int8(path, target, config, faces(config.resolution))
    assert "of 255 in the mean" in caught.value.why and "the older file was kept" in caught.value.hint
    assert path.read_bytes() == before and target.read_bytes() == b"older"


def test_the_command_writes_both(tmp_path):
    workspace = Workspace(tmp_path).create()
    model = save_model(workspace.model)
    with pytest.raises(UsageError, match="one precision"):
        stage.run(stage.Options(int8=True, half=True), workspace)
    write_faces(workspace.side("dst").aligned, 7)
    with pytest.raises(InputError, match="too few faces"):
        stage.run(stage.Options(int8=True), workspace)
    assert exported(workspace.model) == [model.path("model.dfm")]
    write_faces(workspace.side("dst").aligned, 8)
    report = stage.run(stage.Options(int8=True), workspace)
    assert report.outputs == (model.path("model.dfm"), model.path("model_int8.dfm"))
    assert dict(report.rows)["in 8 bits"].endswith("of 255")
    # Whoever names no file swaps with the whole one.
    assert exported(workspace.model) == [model.path("model.dfm")]
