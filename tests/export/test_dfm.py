"""The exported file: contract, parity, refusals, provenance, and the original's own exports."""

import shutil

import numpy as np
import onnx
import onnxruntime
import pytest
from export_cases import CONFIGS, make_weights, save_model
from golden_files import golden_path

from core.checkpoints.model_weights import read_model_weights
from core.errors import InputError, PipelineError
from core.export import dfm_check
from core.export.dfm import build_dfm, describe, export_dfm
from core.export.provenance import provenance
from core.export.reference import keras_reference
from core.export.verify import Contract, check_outputs, sample_faces
from core.formats.dfl_weights import ModelData
from core.networks.config import ModelConfig
from core.stages.models import export as stage
from core.workspace import Workspace


@pytest.fixture(scope="module")
def references():
    return {name: keras_reference(make_weights(config), config) for name, config in CONFIGS.items()}


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("name", CONFIGS)
def test_export(tmp_path, references, name, half):
    config, path = CONFIGS[name], tmp_path / "model.dfm"
    report = export_dfm(make_weights(config), config, path, {"iteration": "5"}, reference=references[name], half=half)
    assert report.difference < (2e-2 if half else 1e-4)
    assert report.size == path.stat().st_size and [p.name for p in tmp_path.iterdir()] == ["model.dfm"]
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert (model.ir_version, [(o.domain, o.version) for o in model.opset_import]) == (7, [("", 12)])
    found = {p.key: p.value for p in model.metadata_props}
    assert found == report.metadata and found["iteration"] == "5" and found["synthetic"] == "true"
    assert found["digital_source_type"].endswith("/compositeWithTrainedAlgorithmicMedia")
    size = config.resolution
    dims = {
        v.name: [d.dim_value or d.dim_param for d in v.type.tensor_type.shape.dim]
        for v in (*model.graph.input, *model.graph.output)
    }
    assert dims == {"in_face:0": ["N", size, size, 3]} | ({"morph_value:0": [1]} if name == "amp" else {}) | {
        "out_face_mask:0": ["N", size, size, 1],
        "out_celeb_face:0": ["N", size, size, 3],
        "out_celeb_face_mask:0": ["N", size, size, 1],
    }
    assert [v.name for v in model.graph.output] == ["out_face_mask:0", "out_celeb_face:0", "out_celeb_face_mask:0"]


@pytest.mark.parametrize("name", CONFIGS)
def test_the_other_way_puts_the_targets_face_on(tmp_path, name):
    config, path = CONFIGS[name], tmp_path / "swap_SAEHD_reverse.dfm"
    weights = make_weights(config)
    report = export_dfm(
        weights, config, path, {}, reference=keras_reference(weights, config, reverse=True), reverse=True
    )
    assert report.difference < 1e-4 and report.metadata["direction"] == "dst to src"
    usual = onnxruntime.InferenceSession(build_dfm(weights, config, {}, mask_only=False))
    feeds = {"in_face:0": sample_faces(config.resolution)}
    if name == "amp":
        feeds["morph_value:0"] = np.ones(1, np.float32)
    _, _, mask, target = usual.run(None, feeds)
    turned = onnxruntime.InferenceSession(path).run(None, feeds)
    # What the usual way makes of a target's face by the target's decoder, and the mask of the source's face.
    np.testing.assert_allclose(turned[1], target, atol=1e-5)
    np.testing.assert_allclose(turned[0], mask, atol=1e-5)


def test_half_is_smaller_and_close(tmp_path):
    config = ModelConfig(64, "wf", "df-u", 8, 16, 16, 8)
    full, half = (build_dfm(make_weights(config), config, {}, half=h) for h in (False, True))
    assert len(half) < 0.75 * len(full)
    kinds = {t.name: t.data_type for t in onnx.load_from_string(half).graph.initializer}
    assert (
        kinds["encoder/down1/downs_0/conv1/weight"] == onnx.TensorProto.FLOAT16
        and kinds["inter/dense1/weight"] == onnx.TensorProto.FLOAT
    )


def test_target_mask_runs_the_mask_branch_only():
    config = CONFIGS["liae-udt"]
    counts = []
    for mask_only in (True, False):
        graph = onnx.load_from_string(build_dfm(make_weights(config), config, {}, mask_only=mask_only)).graph
        used = [n.input[1] for n in graph.node if n.op_type == "Conv"]
        counts.append((used.count("decoder/res0/conv1/weight"), used.count("decoder/upscalem0/conv1/weight")))
    assert counts == [(1, 2), (2, 2)]


def test_bad_model_does_not_replace_the_older_file(tmp_path, references):
    config, path = CONFIGS["df"], tmp_path / "model.dfm"
    path.write_bytes(b"older")
    with pytest.raises(PipelineError, match="differs from the model") as caught:
        export_dfm(make_weights(config, seed=2), config, path, {}, reference=references["df"])
    assert "older file was kept" in str(caught.value)
    broken = make_weights(config)
    broken["encoder"]["down1/downs_0/conv1/bias:0"][:] = np.nan
    with pytest.raises(PipelineError, match="not between 0 and 1"):
        export_dfm(broken, config, path, {}, reference=references["df"])
    with pytest.raises(InputError, match="dense1/weight:0"):
        export_dfm(broken | {"inter": {}}, config, path, {}, reference=references["df"])
    assert path.read_bytes() == b"older" and len(list(tmp_path.iterdir())) == 1


def test_weight_too_large_for_half(tmp_path):
    config = CONFIGS["df"]
    weights = make_weights(config)
    weights["decoder_src"]["out_conv/bias:0"][0] = 1e6
    with pytest.raises(InputError, match="half precision"):
        build_dfm(weights, config, {}, half=True)


def rename(data: bytes, old: str, new: str) -> bytes:
    model = onnx.load_from_string(data)
    for value in (*model.graph.input, *model.graph.output):
        value.name = new if value.name == old else value.name
    for node in model.graph.node:
        for names in (node.input, node.output):
            for i, name in enumerate(names):
                names[i] = new if name == old else name
    return model.SerializeToString()


def reorder(data: bytes) -> bytes:
    model = onnx.load_from_string(data)
    outputs = list(model.graph.output)
    del model.graph.output[:]
    model.graph.output.extend([outputs[1], outputs[0], outputs[2]])
    return model.SerializeToString()


def fix_batch(data: bytes, n: int) -> bytes:
    model = onnx.load_from_string(data)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = n
    return model.SerializeToString()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: rename(d, "in_face:0", "face"), "its inputs are"),
        (lambda d: rename(d, "out_celeb_face:0", "out_celeb_face"), "its outputs are"),
        (reorder, "its outputs are"),
        (lambda d: fix_batch(d, 3), "fixed batch"),
        (lambda d: d[: len(d) // 2], "cannot open"),
        (lambda d: build_dfm(make_weights(CONFIGS["df"]), CONFIGS["df"], {}), "its inputs are"),
    ],
)
def test_verify_refuses(tmp_path, spoil, message):
    config = CONFIGS["liae-udt"]
    path = tmp_path / "x.dfm"
    path.write_bytes(spoil(build_dfm(make_weights(config), config, {})))
    with pytest.raises(PipelineError, match="failed its check") as caught:
        dfm_check.verify(path, config, None)
    assert message in str(caught.value)


def test_verify_refuses_what_one_face_alone_makes_no_number():
    """Larger than the tolerance is not what a NaN is."""
    faces = sample_faces(64)
    contract = Contract("model", (("in", (None, 64, 64, 3)),), (("out", (None, 64, 64, 3)),), 1e-3)
    assert check_outputs(lambda batch: [batch], None, faces, contract) == 0
    with pytest.raises(PipelineError, match="size of the batch"):
        check_outputs(lambda batch: [batch if len(batch) > 1 else batch * np.float32(np.nan)], None, faces, contract)


def test_stage(tmp_path):
    workspace = Workspace(tmp_path).create()
    workspace.consent.write_text("{}")
    model = save_model(workspace.model)
    report = stage.run(stage.Options(), workspace)
    assert report.outputs == (model.path("model.dfm"),)
    found = {p.key: p.value for p in onnx.load(report.outputs[0]).metadata_props}
    assert found["iteration"] == "12" and found["model_name"] == "me" and found["face_type"] == "wf"
    assert found["consent"] == "consent.json" and len(found["consent_sha256"]) == 64
    other = tmp_path / "out.dfm"
    assert stage.run(stage.Options(output=other, half=True), workspace).outputs == (other,)
    model.path("decoder.npy").unlink()
    model.path("inter_B.npy").unlink()
    stage.run(stage.Options(), workspace)  # the save behind the flat files is whole


def test_stage_refuses(tmp_path):
    workspace = Workspace(tmp_path).create()
    with pytest.raises(InputError, match="no model"):
        stage.run(stage.Options(), workspace)
    save_model(workspace.model)
    with pytest.raises(InputError, match="of that name"):
        stage.run(stage.Options(model="you"), workspace)


def test_missing_network_file(tmp_path):
    with pytest.raises(InputError, match="missing"):
        read_model_weights({}, CONFIGS["df"])


def test_provenance_digest_depends_on_options():
    one, two = (provenance("m", ModelData(1, {"a": a})) for a in (1, 2))
    assert one["options_sha256"] != two["options_sha256"] and "consent" not in one
    assert describe(CONFIGS["df"], one)["resolution"] == "48"


def test_golden_model_folder(tmp_path):
    """A folder of the original, copied in."""
    workspace, original = Workspace(tmp_path), golden_path("dfl-model/model_folder")
    shutil.copytree(original, workspace.model)
    workspace.model.chmod(0o755)
    report = stage.run(stage.Options(), workspace)
    assert float(dict(report.rows)["difference from the model"]) < 1e-4
    before = {p.name for p in original.iterdir()}
    assert {p.name for p in workspace.model.iterdir()} == before | {"t_SAEHD_model.dfm"}


def weights_of(path) -> dict:
    """Weights of an export of the original.

    They are named initialisers, or (those used twice) known by their order in the mask branch.
    """
    graph = onnx.load(path).graph
    arrays = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    adds = {name: node for node in graph.node if node.op_type == "Add" for name in node.input}
    unnamed = iter([*(f"decoder/upscalem{i}/conv1" for i in range(5)), "decoder/out_convm"])
    out: dict[str, dict] = {}
    seen: set = set()
    for node in graph.node:
        if node.op_type not in ("Conv", "MatMul") or node.input[1] in seen:
            continue
        seen.add(node.input[1])
        path_in_file = node.input[1].partition("/weight/read")[0] if "/" in node.input[1] else next(unnamed)
        network, _, key = path_in_file.partition("/")
        weight = arrays[node.input[1]]
        add = adds[node.output[0]]
        bias = next(arrays[name] for name in add.input if name in arrays)
        out.setdefault(network, {})[f"{key}/weight:0"] = weight.transpose(2, 3, 1, 0) if weight.ndim == 4 else weight
        out[network][f"{key}/bias:0"] = bias.reshape(-1)
    return out


@pytest.mark.parametrize(
    ("file", "config", "morphs"),
    [
        ("model_A_f.dfm", ModelConfig(64, "wf", "liae-udt", 32, 16, 16, 16), (None,)),
        ("model_AMP_f.dfm", ModelConfig(64, "wf", "amp", 32, 16, 16, 16, 48), (0.0, 0.25, 0.333, 0.5, 0.75, 1.0)),
    ],
)
def test_same_as_the_export_of_the_original(file, config, morphs):
    path = golden_path(f"dfl-model/{file}")
    dfm_check.verify(path, config, None)
    theirs = onnxruntime.InferenceSession(str(path))
    ours = onnxruntime.InferenceSession(build_dfm(weights_of(path), config, {}))
    faces = sample_faces(64)
    for morph in morphs:
        feed = {"in_face:0": faces} | ({} if morph is None else {"morph_value:0": np.array([morph], np.float32)})
        for a, b in zip(ours.run(None, feed), theirs.run(None, feed), strict=True):
            assert np.abs(a - b).max() < 1e-5
