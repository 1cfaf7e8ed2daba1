"""S3FD: boxes from the network's maps, turned images, and the weights that a person brings.

The full network is checked with the others.
"""

import io
import math

import numpy as np
import pytest
from golden_files import GoldenArrays

from core import plugins
from core.errors import CorruptFileError, InputError
from core.faces import s3fd_decode
from core.faces.contract import DetectorSettings
from core.faces.detectors.s3fd import S3FD
from core.faces.turns import boxes_back, boxes_there, points_back, quarters_of, roll_of
from core.formats.dfl_weights import write_arrays
from core.inference import user_weights
from core.networks.builder import Network
from core.networks.s3fd import s3fd_network
from core.networks.shapes import variables


def maps(height, width, found=()):
    """The network's outputs for an input of this size; found: (level, row, column, score, four offsets)."""
    out = []
    for level in range(6):
        h, w = max(height >> level + 2, 1), max(width >> level + 2, 1)
        out += [np.full((1, h, w, 2), 0.01, np.float32), np.zeros((1, h, w, 4), np.float32)]
    for level, row, column, score, offsets in found:
        out[2 * level][0, row, column, 1] = score
        out[2 * level + 1][0, row, column] = offsets
    return out


def test_decode_of_one_cell():
    # Level 1: stride 8, box 32; centre (3 * 8 + 4, 2 * 8 + 4) moved by a tenth of the side per unit, sides times e to a
    # fifth per unit.
    (box,), (score,) = s3fd_decode.decode(maps(64, 64, [(1, 2, 3, 0.75, (1, -2, 5 * math.log(2), 0))]))
    assert (
        box.tolist() == [int(28 + 3.2 - 32), int(20 - 6.4 - 16), int(28 + 3.2 + 32), int(20 - 6.4 + 16)]
        and score == 0.75
    )


def test_decode_keeps_sure_and_distinct_boxes():
    found = [
        (2, 1, 1, 0.6, (0, 0, 0, 0)),
        (2, 1, 2, 0.9, (0, 0, 0, 0)),
        (1, 0, 0, 0.7, (0, 0, 0, 0)),
        (1, 7, 7, 0.49, (0, 0, 0, 0)),
    ]
    boxes, scores = s3fd_decode.decode(maps(64, 64, found))
    # The first shares 49 x 65 of 65 x 65 pixels with the second; the third shares 13 x 21 of 33 x 33.
    assert boxes.tolist() == [[8, -8, 72, 56], [-12, -12, 20, 20]] and np.allclose(scores, [0.9, 0.7])
    assert len(s3fd_decode.decode(maps(64, 64, found), 0.4)[0]) == 3
    assert len(s3fd_decode.decode(maps(64, 64))[0]) == 0


def test_distinct_counts_sides_plus_one():
    boxes = np.array([[0, 0, 9, 9], [0, 0, 2, 9], [0, 0, 1, 9]])  # 30 and 20 of 100 pixels are shared
    assert s3fd_decode.distinct(boxes, np.array([0.9, 0.8, 0.7])).tolist() == [0, 1]
    assert s3fd_decode.distinct(boxes, np.array([0.9, 0.8, 0.7]), 0.29).tolist() == [0, 2]
    assert s3fd_decode.distinct(np.zeros((0, 4)), np.zeros(0)).tolist() == []


@pytest.mark.parametrize(
    ("shape", "seen"),
    [((333, 500), (166, 250)), ((100, 90), (64, 57)), ((1300, 700), (640, 344)), ((720, 1281), (359, 640))],
)
def test_size_looked_at(shape, seen):
    small, ratio = s3fd_decode.shrunk(np.zeros((*shape, 3), np.uint8))
    assert small.shape[:2] == seen and ratio == pytest.approx(max(shape) / max(seen), rel=0.01)


def test_boxes_in_the_picture():
    # Seen at half size: 64 pixels become 128, 32 become 64, 16 become 32, which is too small.
    found = [(1, 8, 8, 0.9, (0, 0, 0, 0)), (2, 1, 1, 0.7, (0, 0, 0, 0)), (0, 28, 28, 0.9, (0, 0, 0, 0))]
    boxes, scores = s3fd_decode.find(lambda x: maps(*x.shape[1:3], found), np.zeros((256, 256, 3), np.uint8))
    assert boxes.tolist() == [[-16, -16, 112, 124], [104, 104, 168, 174]] and np.allclose(scores, [0.7, 0.9])
    nothing, _ = s3fd_decode.find(
        None, np.zeros((128, 6000, 3), np.uint8)
    )  # too narrow for the network, which is not asked
    assert nothing.shape == (0, 4)


def test_golden_decoding():
    golden = GoldenArrays("dfl-faceset/ref.npz")
    outputs = [golden[f"s3_{i}"] for i in range(12)]
    np.testing.assert_array_equal(s3fd_decode.decode(outputs)[0], golden["s3_boxes"])
    seen = []
    boxes, _ = s3fd_decode.find(lambda x: seen.append(x.shape) or outputs, np.zeros((333, 500, 3), np.uint8))
    np.testing.assert_array_equal(boxes, golden["s3_faces"])
    assert seen == [tuple(golden["s3_shape"])]


def test_golden_input_and_boxes():
    golden = GoldenArrays("dfl-model/s3fd.npz")
    seen, outputs = [], [golden[f"out{i}"] for i in range(12)]
    boxes, _ = s3fd_decode.find(lambda x: seen.append(x[0]) or outputs, golden["img"][..., ::-1])
    np.testing.assert_array_equal(seen[0], golden["inp"])
    np.testing.assert_array_equal(boxes, golden["extract"])
    np.testing.assert_array_equal(s3fd_decode.decode(outputs)[0], golden["refine"])


@pytest.mark.parametrize("quarters", range(4))
def test_turning_back_is_exact(quarters):
    image = np.zeros((5, 8), np.uint8)
    image[1, 6] = 1
    ((y, x),) = np.argwhere(np.rot90(image, quarters))
    assert points_back(np.array([[x, y]]), quarters, 5, 8).tolist() == [[6, 1]]
    box = np.array([[6, 1, 7, 2]])  # the edges of that pixel
    there = boxes_there(box, quarters, 5, 8)
    assert there.tolist() == [[x, y, x + 1, y + 1]]
    assert boxes_back(there, quarters, 5, 8).tolist() == box.tolist()
    assert quarters_of(roll_of(quarters) + 0.7) == quarters == quarters_of(roll_of(quarters) - 0.7)


def red_above_blue(batch):
    """A detector that knows one face: a red patch right above a blue one."""
    red, blue = (np.argwhere((batch[0, :, :, a] > 200) & (batch[0, :, :, b] < 50)) for a, b in ((0, 2), (2, 0)))
    upright = len(red) and len(blue) and blue.mean(0)[0] - red.mean(0)[0] > abs(blue.mean(0)[1] - red.mean(0)[1])
    height, width = batch.shape[1:3]
    if not upright:
        return maps(height, width)
    y, x = (red.mean(0) + blue.mean(0)) / 2 + 0.5
    row, column = int(y // 16), int(x // 16)
    return maps(height, width, [(2, row, column, 0.8, ((x - 16 * column - 8) / 6.4, (y - 16 * row - 8) / 6.4, 0, 0))])


@pytest.mark.parametrize("rotations", ["auto", "all"])
@pytest.mark.parametrize("quarters", range(4))
def test_turned_heads(quarters, rotations):
    upright = np.zeros((300, 400, 3), np.uint8)
    upright[100:140, 150:190, 2] = upright[140:180, 150:190, 0] = 255  # BGR
    image = np.ascontiguousarray(np.rot90(upright, -quarters))
    (face,) = S3FD(DetectorSettings(rotations=rotations), red_above_blue, "CPU").detect(image)
    assert (
        face.roll == pytest.approx(roll_of(quarters))
        and face.confidence == pytest.approx(0.8)
        and face.box.dtype == np.float32
    )
    centre, side = np.array([170, 140]), 64 * 2  # the image is looked at with half its side
    expected = np.array([*(centre - side / 2), *(centre + side / 2)]) + (0, 0, 0, side / 10)
    np.testing.assert_allclose(boxes_there(face.box, quarters, *image.shape[:2])[0], expected, atol=4)


def test_no_face_asks_four_times():
    asked = []
    detector = S3FD(DetectorSettings(), lambda x: asked.append(x.shape[1:3]) or maps(*x.shape[1:3]), "CPU")
    assert detector.detect(np.zeros((200, 300, 3), np.uint8)) == [] and asked == [
        (100, 150),
        (150, 100),
        (150, 100),
        (100, 150),
    ]
    assert detector.detect(np.zeros((127, 300, 3), np.uint8)) == [] and len(asked) == 4


def tiny(b, x):
    return tuple(b.conv(x, f"head{i}", 2 + 2 * (i % 2), 3, stride=4) for i in range(2))


@pytest.fixture
def assets(tmp_path, monkeypatch):
    monkeypatch.setenv("FORGE_ASSETS", str(tmp_path))
    weights = user_weights.UserWeights("S3FD.npy", lambda: Network(tiny, (None, None, 3)))
    monkeypatch.setattr(user_weights, "S3FD", weights)
    return tmp_path


def weight_file(arrays):
    stream = io.BytesIO()
    write_arrays(stream, arrays.items())
    return stream.getvalue()


def tiny_weights(bias):
    shapes = {key: variable.shape for key, variable in variables(Network(tiny, (None, None, 3))).items()}
    return {key: np.zeros(shape, np.float32) for key, shape in shapes.items()} | {
        "head0/bias:0": np.array([0, bias], np.float32)
    }


def test_a_person_brings_the_weights(assets):
    with pytest.raises(InputError) as caught:
        plugins.load("detectors", "s3fd").create(DetectorSettings())
    assert "S3FD.npy" in str(caught.value) and str(assets) in caught.value.hint
    (assets / "S3FD.npy").write_bytes(weight_file(tiny_weights(0.2)))
    detector = plugins.load("detectors", "s3fd").create(DetectorSettings())
    assert detector.device in ("CPU", "CUDA") and detector.detect(np.zeros((200, 300, 3), np.uint8)) == []
    for height, width in ((64, 32), (36, 40)):  # one session serves every size
        scores, offsets = user_weights.load(user_weights.S3FD)(np.ones((1, height, width, 3), np.float32))
        assert (
            scores.shape == (1, height // 4, width // 4, 2)
            and offsets.shape[-1] == 4
            and np.allclose(scores[..., 1], 0.2)
        )
    assert user_weights.load(user_weights.S3FD) is detector.run
    (assets / "S3FD.npy").write_bytes(weight_file(tiny_weights(0.5)) + b" ")  # another file under the name is read anew
    assert user_weights.load(user_weights.S3FD)(np.ones((1, 8, 8, 3), np.float32))[0][0, 0, 0, 1] == 0.5


def test_wrong_weights_are_refused(assets):
    path = assets / "S3FD.npy"
    path.write_bytes(weight_file({"fc6/weight:0": np.zeros((3, 3, 2, 2), np.float32)}))
    with pytest.raises(InputError, match="do not fit"):
        user_weights.load(user_weights.S3FD)
    path.write_bytes(b"\x80\x04}cos\nsystem\n.")
    with pytest.raises(CorruptFileError):
        user_weights.load(user_weights.S3FD)


def test_the_network_is_the_known_one():
    golden = GoldenArrays("dfl-model/s3fd.npz").json("vars")
    assert {key: list(variable.shape) for key, variable in variables(s3fd_network()).items()} == golden
