"""Faces as training wants them: the original's samples, mask sources, change of face type, the cache."""

import cv2
import numpy as np
import pytest
from golden_files import GoldenArrays, golden_path
from training_cases import make_faceset

from core.data.augment import Ranges, draw_motion, shift_hsv
from core.data.batches import assemble
from core.data.faces import FaceLoader, TrainingFace, face_bytes, prepare
from core.data.reading import Cache
from core.errors import PipelineError
from core.faceset.store import open_faceset
from core.geometry.align import FaceType
from core.imaging.codec import decode_image
from core.imaging.masks import encode_mask
from core.types import Polygon

# OpenCV 5 interpolates with other arithmetic than the 4.11 that made the golden samples.
OPENCV_5 = 0.05


@pytest.mark.parametrize("number", range(0, 64, 4))
def test_whole_sample_equals_the_original(number):
    golden = GoldenArrays("dfl-model/sampling.npz")
    meta = golden.json(f"proc{number}_meta")
    folder = golden_path(f"dfl-model/faceset/src/{meta['sample']:05d}_0.jpg").parent
    loader = FaceLoader(open_faceset(folder), 64, FaceType(meta["face_type"]), exact=True)
    face = loader.face(meta["sample"])
    seed = np.random.RandomState(meta["seed"]).randint(0x80000000)
    transform = np.random.RandomState(seed)
    motion = draw_motion(64, Ranges(), transform, np.random.RandomState(seed), exact=True)
    seen = shift_hsv(face.image, meta["hsv"], transform) if meta["hsv"] else face.image
    made = assemble(face, face.image, seen, motion, warped=True)
    for ours, theirs in (
        ("warped", "warped"),
        ("target", "target"),
        ("mask", "full_mask"),
        ("eyes_mouth", "eyes_mouth"),
    ):
        difference = np.abs(made[ours] - golden[f"proc{number}_{theirs}"])
        assert difference.max() < OPENCV_5 and difference.mean() < 0.002


@pytest.fixture
def face(tmp_path):
    faces = open_faceset(make_faceset(tmp_path / "aligned", 2, (90, 120, 200)))
    record = faces.full_record(0)
    return faces, record, decode_image(faces.read(0))


def test_mask_is_xseg_else_polygons_else_hull(face):
    from dataclasses import replace

    _, record, image = face
    hull = prepare(record, image, 96, FaceType.WHOLE_FACE)
    full = 255
    box = Polygon(True, np.float32([(10, 10), (30, 10), (30, 30), (10, 30)]))
    polygons = prepare(replace(record, polygons=(box,)), image, 96, FaceType.WHOLE_FACE)
    left = np.zeros((256, 256), np.float32)
    left[:, :128] = 1
    xseg = prepare(replace(record, polygons=(box,), xseg_mask=encode_mask(left)), image, 96, FaceType.WHOLE_FACE)
    assert hull.mask[60, 48] == full and hull.mask[2, 2] == 0
    assert polygons.mask[20, 20] == full and polygons.mask[60, 48] == 0
    assert xseg.mask[50, 20] == pytest.approx(full, abs=5) and xseg.mask[50, 80] == pytest.approx(0, abs=5)


def test_eyes_and_mouth_are_inside_the_mask(face):
    _, record, image = face
    made = prepare(record, image, 64, FaceType.WHOLE_FACE)
    assert made.image.shape == (64, 64, 3) and made.mask.shape == made.eyes_mouth.shape == (64, 64, 1)
    assert made.eyes_mouth.max() > 127 and (made.eyes_mouth[made.mask == 0] < 3).all()


@pytest.mark.parametrize("kind", [FaceType.WHOLE_FACE, FaceType.FULL])
def test_bytes_are_the_exact_face_rounded(face, kind):
    _, record, image = face
    quick, exact = (prepare(record, image, 64, kind, exact=exact) for exact in (False, True))
    for name in ("image", "mask", "eyes_mouth"):
        ours, theirs = getattr(quick, name), np.clip(getattr(exact, name), 0, 1) * 255
        assert ours.dtype == np.uint8 and getattr(exact, name).dtype == np.float32
        assert np.abs(ours - theirs).max() < (2.5 if name == "image" else 3.5), name


def test_bytes_and_back(face):
    _, record, image = face
    for exact in (False, True):
        made = prepare(record, image, 64, FaceType.WHOLE_FACE, exact=exact)
        data = made.to_bytes()
        again = TrainingFace.from_bytes(data, 64, exact=exact)
        assert len(data) == made.nbytes == face_bytes(64, exact=exact)
        assert all((getattr(made, name) == getattr(again, name)).all() for name in ("image", "mask", "eyes_mouth"))


def test_a_narrower_face_type_shows_a_larger_face(face):
    _, record, image = face
    whole, full = (prepare(record, image, 64, kind).mask.mean() for kind in (FaceType.WHOLE_FACE, FaceType.FULL))
    assert full > whole * 1.3


def test_resizing_matches_opencv(face):
    _, record, image = face
    made = prepare(record, image, 64, FaceType.WHOLE_FACE, exact=True)
    assert (
        np.abs(made.image - cv2.resize(image.astype(np.float32) / 255, (64, 64), interpolation=cv2.INTER_CUBIC)).max()
        == 0
    )


def test_cache_keeps_what_fits_and_changes_nothing(face):
    faces, _, _ = face
    plain, cached = (
        FaceLoader(faces, 64, FaceType.WHOLE_FACE),
        FaceLoader(faces, 64, FaceType.WHOLE_FACE, Cache(64 * 64 * 5).get),
    )
    for index in (0, 1, 0, 1):
        assert (plain.face(index).image == cached.face(index).image).all()
    assert cached.face(0) is cached.face(0) and cached.face(1) is not cached.face(1)
    assert plain.face(0) is not plain.face(0)


def test_a_damaged_face_is_an_error_with_its_name(face):
    faces, _, _ = face
    loader = FaceLoader(faces, 64, FaceType.WHOLE_FACE)
    path = faces.path(1)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(PipelineError, match="00001_0.jpg"):
        loader.face(1)
