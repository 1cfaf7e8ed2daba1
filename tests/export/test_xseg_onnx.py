"""The exported mask network: contract, parity, what stays when it fails, the stage."""

import numpy as np
import onnx
import onnxruntime
import pytest
from mask_networks import write_xseg

from core.errors import InputError, PipelineError
from core.export import reference
from core.export.reference import keras_mask_reference
from core.export.xseg_onnx import export_xseg
from core.faces.maskers.xseg import XSegMasker
from core.formats.dfl_weights import ModelData, write_data
from core.inference.xseg_weights import find
from core.networks.onnx_graph import network_model
from core.options import parse
from core.stages.models import export_xseg as stage
from core.workspace import Workspace

FACES = np.random.default_rng(3).random((3, 64, 64, 3), np.float32)


@pytest.fixture
def weights(tmp_path):
    write_xseg(tmp_path / "model")
    return find(tmp_path / "model", None)


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path, tmp_path / "assets")


def test_contract_and_parity(weights, tmp_path):
    path = tmp_path / "XSeg_model.onnx"
    report = export_xseg(weights, path, {"iteration": "7"}, reference=keras_mask_reference(weights))
    assert report.difference < 1e-4 and report.size == path.stat().st_size
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 13)]
    found = {p.key: p.value for p in model.metadata_props}
    assert (
        found == report.metadata
        and found["iteration"] == "7"
        and found["face_type"] == "whole_face"
        and found["weights_sha256"] == weights.sha256
    )
    dims = {
        v.name: [d.dim_value or d.dim_param for d in v.type.tensor_type.shape.dim]
        for v in (*model.graph.input, *model.graph.output)
    }
    assert dims == {"in_face:0": ["N", 64, 64, 3], "out_mask:0": ["N", 64, 64, 1]}
    masks = onnxruntime.InferenceSession(str(path)).run(["out_mask:0"], {"in_face:0": FACES})[0]
    ours = XSegMasker(weights, None).infer(list(FACES))
    assert masks.std() > 1e-3
    clear = np.abs(masks[..., 0] - 0.1) > 1e-4  # below 0.1 a mask is nothing; where it is just that, rounding decides
    np.testing.assert_allclose(np.where(masks < 0.1, 0, masks)[..., 0][clear], np.asarray(ours)[clear], atol=1e-4)


def test_a_failed_check_keeps_the_older_file(weights, tmp_path):
    path = tmp_path / "XSeg_model.onnx"
    path.write_bytes(b"older")
    with pytest.raises(PipelineError, match="differs from the mask network") as caught:
        export_xseg(weights, path, {}, reference=lambda faces: np.zeros((*faces.shape[:3], 1), np.float32))
    assert caught.value.where == path and "kept" in caught.value.hint
    assert path.read_bytes() == b"older" and not list(tmp_path.glob(".*"))


def test_stage(weights, workspace):
    report = stage.run(parse(stage.Options, "export-xseg", []), workspace)
    (path,) = report.outputs
    assert path == workspace.model / "XSeg_model.onnx" and path.is_file()
    assert dict(report.rows)["iteration"] == 1 and "256 px" in report.warnings[0]


def test_stage_elsewhere_and_in_pretraining(weights, workspace, monkeypatch):
    def logits_of_another_graph(given):
        session = onnxruntime.InferenceSession(network_model(given.network, given.weights))
        return lambda faces: 1 / (1 + np.exp(-session.run(None, {"input": faces})[0]))

    monkeypatch.setattr(reference, "keras_mask_reference", logits_of_another_graph)
    with open(workspace.model / "XSeg_data.dat", "wb") as stream:
        write_data(stream, ModelData(5, {"face_type": "head", "pretrain": True}))
    path = workspace.root / "elsewhere" / "mask.onnx"
    report = stage.run(
        parse(stage.Options, "export-xseg", ["--output", str(path), "--weights", str(workspace.model)]), workspace
    )
    assert report.outputs == (path,) and path.is_file() and not (workspace.model / "XSeg_model.onnx").exists()
    assert dict(report.rows)["face type"] == "head" and "pretraining" in report.warnings[1]


def test_stage_without_weights(workspace):
    with pytest.raises(InputError, match="no XSeg weights"):
        stage.run(parse(stage.Options, "export-xseg", []), workspace)
