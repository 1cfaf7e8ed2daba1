"""Running a .dfm: faces in, swapped faces out, and which files are refused."""

import numpy as np
import onnx
import pytest
from golden_files import golden_path

from core.errors import CorruptFileError, InputError
from core.export.dfm import build_dfm
from core.inference.dfm import FACE, OUTPUTS, open_dfm
from core.inference.sessions import CPU_ONLY
from core.networks import archs
from core.networks.config import ModelConfig
from core.networks.weights import initial_weights

LIAE = ModelConfig(64, "wf", "liae-udt", 8, 8, 8, 4)
AMP = ModelConfig(64, "wf", "amp", 8, 8, 8, 4, 12)
FACES = np.random.default_rng(5).integers(0, 256, (3, 64, 64, 3), np.uint8)


def model_bytes(config: ModelConfig) -> bytes:
    weights = {name: initial_weights(name, network, 1) for name, network in archs.networks(config).items()}
    return build_dfm(weights, config, {})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dfm")
    for name, config in (("liae", LIAE), ("amp", AMP)):
        (folder / f"{name}.dfm").write_bytes(model_bytes(config))
    return folder


def test_bytes_and_floats_give_the_same(files):
    model = open_dfm(files / "liae.dfm", CPU_ONLY)
    assert (model.resolution, model.takes_morph, model.one_by_one) == (64, False, False)
    one, other = model.swap(FACES), model.swap(FACES.astype(np.float32) / 255)
    assert one.face.shape == (3, 64, 64, 3) and one.face.dtype == np.float32
    assert one.target_mask.shape == one.face_mask.shape == (3, 64, 64, 1)
    for a, b in ((one.target_mask, other.target_mask), (one.face, other.face), (one.face_mask, other.face_mask)):
        assert (a == b).all() and a.min() >= 0 and a.max() <= 1


def test_outputs_are_those_of_the_file(files):
    model = open_dfm(files / "liae.dfm", CPU_ONLY)
    made = model.swap(FACES)
    feeds = {FACE: FACES.astype(np.float32) / 255}
    raw = model.session.run(feeds, [name for name, _ in OUTPUTS])
    for value, expected in zip((made.target_mask, made.face, made.face_mask), raw, strict=True):
        assert (value == expected).all()


def test_morph_is_the_share_of_the_source(files):
    model = open_dfm(files / "amp.dfm", CPU_ONLY)
    assert model.takes_morph
    none, some, whole = (model.swap(FACES, morph) for morph in (0.0, 0.5, 1.0))
    assert (none.face != some.face).any() and (some.face != whole.face).any()
    assert (model.swap(FACES).face == whole.face).all()
    assert (none.target_mask == whole.target_mask).all()


def test_a_fixed_batch_of_one_takes_many(files, tmp_path):
    model = onnx.load(files / "liae.dfm")
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    path = tmp_path / "one.dfm"
    onnx.save(model, path)
    fixed, free = open_dfm(path, CPU_ONLY), open_dfm(files / "liae.dfm", CPU_ONLY)
    assert fixed.one_by_one
    np.testing.assert_allclose(fixed.swap(FACES).face, free.swap(FACES).face, atol=1e-5)


def spoiled(data: bytes, change) -> bytes:
    model = onnx.load_from_string(data)
    change(model.graph)
    return model.SerializeToString()


def rename_input(graph):
    graph.input[0].name = "face"
    for node in graph.node:
        node.input[:] = ["face" if name == FACE else name for name in node.input]


def drop_output(graph):
    del graph.output[1]


def free_height(graph):
    graph.input[0].type.tensor_type.shape.dim[1].dim_param = "h"


def batch_of_three(graph):
    graph.input[0].type.tensor_type.shape.dim[0].dim_value = 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (rename_input, "its inputs are face"),
        (drop_output, "2 outputs instead of 3"),
        (free_height, "of shape"),
        (batch_of_three, "fixed batch of 3"),
    ],
)
def test_files_that_live_programs_would_refuse(files, tmp_path, change, message):
    path = tmp_path / "x.dfm"
    path.write_bytes(spoiled((files / "liae.dfm").read_bytes(), change))
    with pytest.raises(InputError, match="not a model for live programs") as caught:
        open_dfm(path, CPU_ONLY)
    assert message in caught.value.why and caught.value.where == str(path)


def test_missing_and_damaged_files(files, tmp_path):
    path = tmp_path / "x.dfm"
    with pytest.raises(InputError, match="no such file"):
        open_dfm(path, CPU_ONLY)
    path.write_bytes((files / "liae.dfm").read_bytes()[:3000])
    with pytest.raises(CorruptFileError, match=r"x\.dfm"):
        open_dfm(path, CPU_ONLY)


@pytest.mark.parametrize(("file", "takes_morph"), [("model_A_f.dfm", False), ("model_AMP_f.dfm", True)])
def test_the_files_of_the_original(file, takes_morph):
    model = open_dfm(golden_path(f"dfl-model/{file}"), CPU_ONLY)
    assert (model.resolution, model.takes_morph) == (64, takes_morph)
    assert model.swap(FACES).face.shape == (3, 64, 64, 3)
