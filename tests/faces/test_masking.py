"""Maskers and the machinery that runs them."""

import zipfile

import cv2
import numpy as np
import pytest
from drawn_faces import draw, landmarks
from golden_files import GoldenArrays, rule_weights
from mask_networks import write_xseg

from core.errors import CorruptFileError, DiskFullError, InputError, UsageError
from core.faces.contract import MaskerRequest, Prepared
from core.faces.mask_placing import place_smoothly
from core.faces.maskers import xseg
from core.faces.maskers.xseg import XSegMasker
from core.faces.masking import PendingFace, masks_of
from core.formats import dfl_weights
from core.geometry.align import FaceType, face_matrix, transform_points
from core.inference.xseg_weights import ARCHIVE, find
from core.types import FaceRecord


def record(size=96, kind=FaceType.WHOLE_FACE, seed=0) -> FaceRecord:
    return FaceRecord("a.jpg", (size, size), landmarks(size, kind, seed), kind.file_name)


class Numbers:
    """A masker whose mask is the mean of the image."""

    device, identity, origin = "CPU", "numbers", "numbers"

    def prepare(self, image, record):
        return Prepared(np.full((4, 4), image.mean() / 255, np.float32))

    def infer(self, batch):
        assert len(batch) <= 3
        return np.stack(batch)

    def place(self, mask, prepared, shape, side):
        return mask


def test_every_face_comes_out_in_order_and_a_bad_one_is_named():
    saved = {}

    def face(i):
        def load():
            if i == 4:
                raise CorruptFileError("broken", where="face 4", why="on purpose")
            return np.full((8, 8, 3), i * 10, np.uint8), record(8)

        return PendingFace(i, load, lambda mask: saved.setdefault(i, float(mask.mean())))

    results = list(masks_of((face(i) for i in range(11)), Numbers(), batch_size=3, threads=3))
    assert [r.key for r in results] == list(range(11))
    assert [r.key for r in results if r.problem] == [4] and "on purpose" in results[4].problem
    assert saved == {i: pytest.approx(i * 10 / 255) for i in range(11) if i != 4}


def test_a_full_disk_ends_the_run():
    def save(mask):
        raise OSError(28, "No space left on device", "x")

    with pytest.raises(DiskFullError):
        list(masks_of([PendingFace(0, lambda: (np.zeros((8, 8, 3), np.uint8), record(8)), save)], Numbers()))


def test_equal_to_the_golden_network(tmp_path):
    golden = GoldenArrays("dfl-model/networks_and_ops.npz")
    weights = rule_weights("XSeg", golden.json("xseg_vars"), "networks")
    with open(tmp_path / "XSeg_256.npy", "wb") as stream:
        dfl_weights.write_arrays(stream, weights.items())
    found = find(tmp_path, None)
    assert (found.resolution, found.width, found.face_type) == (256, 32, None)
    x = np.random.RandomState(11).rand(1, 256, 256, 3).astype(np.float32)
    mask = XSegMasker(found, None).infer(list(x))
    expected = 1 / (1 + np.exp(-golden["xseg_logits"][..., 0]))
    # Below 0.1 a mask is nothing: where it is just that, rounding decides.
    clear = np.abs(expected - 0.1) > 1e-4
    assert clear.mean() > 0.99
    assert np.abs(mask - np.where(expected < 0.1, 0, expected))[clear].max() < 1e-4


class Disc(XSegMasker):
    """Answers with a disc in the middle of its square, whatever it sees."""

    def infer(self, batch):
        self.seen = np.stack(batch)
        mask = np.zeros((len(batch), self._side, self._side), np.float32)
        for m in mask:
            cv2.circle(m, (self._side // 2, self._side // 2), self._side // 4, 1, -1)
        return mask


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(
    "model,image",
    [("wf", FaceType.WHOLE_FACE), ("head", FaceType.WHOLE_FACE), ("f", FaceType.WHOLE_FACE), ("wf", FaceType.HEAD)],
)
def test_a_mask_lands_where_the_network_saw_it(tmp_path, exact, model, image):
    write_xseg(tmp_path, face_type=model)
    masker = Disc(find(tmp_path, None), FaceType.parse(model), exact)
    face = record(160, image)
    prepared = masker.prepare(draw(160, face.landmarks), face)
    side = 256 if exact else 160
    placed = masker.place(masker.infer([prepared.data])[0], prepared, (160, 160, 3), side) > 0.5
    # the same disc, drawn in the image by way of the landmarks
    frame = landmarks(400, image) * 1.3 + 50
    to_image, to_model = face_matrix(frame, side, image), face_matrix(frame, side, FaceType.parse(model))
    angle = np.linspace(0, 2 * np.pi, 100)
    circle = np.stack([side / 2 + side / 4 * np.cos(angle), side / 2 + side / 4 * np.sin(angle)], axis=1)
    inverse = cv2.invertAffineTransform(to_model)
    outline = transform_points(transform_points(circle, inverse), to_image)
    expected = cv2.fillPoly(np.zeros((side, side), np.uint8), [np.rint(outline).astype(np.int32)], 1) > 0
    assert (placed & expected).sum() / (placed | expected).sum() > 0.93


def test_a_face_type_that_the_weights_contradict_is_refused(tmp_path):
    write_xseg(tmp_path / "known", face_type="wf")
    write_xseg(tmp_path / "unknown", face_type=None)
    with pytest.raises(UsageError, match="--face-type") as caught:
        xseg.create(MaskerRequest(tmp_path / "known", None, face_type="head"))
    assert "whole_face" in caught.value.why
    same = xseg.create(MaskerRequest(tmp_path / "known", None, face_type="wf"))
    assert same.identity == xseg.create(MaskerRequest(tmp_path / "known", None)).identity
    assert xseg.create(MaskerRequest(tmp_path / "unknown", None, face_type="head")).identity.endswith("head")


def test_the_network_sees_the_face_at_its_place(tmp_path):
    write_xseg(tmp_path, face_type="f")
    face = record(160)
    image = np.zeros((160, 160, 3), np.uint8)
    nose = face.landmarks[30]
    cv2.circle(image, tuple(np.rint(nose).astype(int).tolist()), 5, (255, 255, 255), -1)
    for exact in (True, False):
        masker = XSegMasker(find(tmp_path, None), FaceType.FULL, exact)
        data = masker.prepare(image, face).data
        assert data.shape == (64, 64, 3)
        y, x = np.unravel_index(cv2.GaussianBlur(data[..., 0], (5, 5), 0).argmax(), (64, 64))
        expected = transform_points(nose[None], face_matrix(face.landmarks, 64, FaceType.FULL))[0]
        assert np.abs(expected - (x, y)).max() < 2


def test_place_smoothly_keeps_area_and_range():
    mask = np.zeros((64, 64), np.float32)
    cv2.circle(mask, (32, 32), 16, 1, -1)
    for side in (32, 64, 200):
        placed = place_smoothly(mask, None, (128, 128, 3), side)
        assert placed.shape == (side, side) and placed.min() >= 0 and placed.max() <= 1
        assert placed.mean() == pytest.approx(mask.mean(), rel=0.02)


def test_weights_from_the_archive(tmp_path):
    write_xseg(tmp_path / "m", resolution=256, face_type="head")
    with zipfile.ZipFile(tmp_path / ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("XSeg_256.npy", "XSeg_data.dat"):
            archive.write(tmp_path / "m" / name, f"model_generic/{name}")
    found = find(tmp_path / "none", tmp_path)
    assert (found.origin, found.face_type, found.width) == (ARCHIVE, FaceType.HEAD, 2)
    assert find(tmp_path / "m", tmp_path).origin == "XSeg_256.npy"
    assert find(tmp_path / "none", None) is None


def test_a_hostile_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / ARCHIVE, "w") as archive:
        archive.writestr("../XSeg_256.npy", b"x")
    with pytest.raises(CorruptFileError) as error:
        find(None, tmp_path)
    assert error.value.hint


@pytest.mark.parametrize("damage", ["truncated", "text", "other network", "code"])
def test_damaged_weights_are_refused_with_a_hint(tmp_path, damage):
    path = write_xseg(tmp_path)
    data = path.read_bytes()
    other = {"weight:0": np.zeros((3, 3), np.float32)}
    if damage == "other network":
        with open(path, "wb") as stream:
            dfl_weights.write_arrays(stream, other.items())
    else:
        path.write_bytes(
            {"truncated": data[: len(data) // 2], "text": b"hello", "code": b"cos\nsystem\n(S'true'\ntR."}[damage]
        )
    with pytest.raises(CorruptFileError) as error:
        find(tmp_path, None)
    assert "backup" in error.value.hint


def test_an_image_that_is_no_square_is_named(tmp_path):
    write_xseg(tmp_path)
    masker = XSegMasker(find(tmp_path, None), None)
    with pytest.raises(InputError, match="not square"):
        masker.prepare(np.zeros((10, 20, 3), np.uint8), record())
