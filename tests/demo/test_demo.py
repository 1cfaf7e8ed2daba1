import numpy as np
import pytest

from core.demo import clips, faces


@pytest.fixture(scope="module")
def portraits():
    return faces.portraits()


def test_both_faces_fill_the_same_place(portraits):
    for portrait in portraits:
        assert portrait.image.shape == (faces.SIZE, faces.SIZE, 3) and portrait.image.dtype == np.uint8
        low, high = portrait.mesh[:, :2].min(0), portrait.mesh[:, :2].max(0)
        assert np.allclose((low + high) / 2, [faces.SIZE / 2, faces.SIZE * 0.52], atol=1)
        assert np.isclose((high - low).max(), 210, atol=1)


def test_a_fictional_face_is_neither_portrait(portraits):
    first, second = portraits
    ours = faces.fictional_face(first, second, 0.35)
    assert np.allclose(ours.mesh, 0.65 * first.mesh + 0.35 * second.mesh)
    inside = np.s_[180:350, 180:330]
    difference = [np.abs(ours.image[inside].astype(int) - p.image[inside]).mean() for p in portraits]
    assert min(difference) > 5


def test_warp_moves_points_and_keeps_the_identity(portraits):
    portrait = portraits[0]
    points = faces.anchors(portrait.mesh)
    assert np.abs(faces.warp(portrait.image, points, points).astype(int) - portrait.image).max() <= 2
    dot = np.zeros((faces.SIZE, faces.SIZE), np.float32)
    x, y = np.round(portrait.mesh[4, :2]).astype(int)
    dot[y, x] = 1
    moved = portrait.mesh + np.array([10, -6, 0])
    peak = np.unravel_index(faces.warp(dot, points, faces.anchors(moved)).argmax(), dot.shape)
    assert np.allclose(peak[::-1], [x + 10, y - 6], atol=1)


def test_turn_is_a_rotation_and_zero_is_nothing(portraits):
    mesh = portraits[0].mesh
    assert np.allclose(clips.turn(mesh, 0, 0, 0), mesh)
    turned = clips.turn(mesh, 0.3, -0.1, 0.2)
    spread = [np.linalg.norm(m[:, None] - m[None, ::40], axis=-1) for m in (mesh, turned)]
    assert np.allclose(*spread)


def test_animation_is_the_same_every_time(portraits):
    face = faces.fictional_face(*portraits, 0.65)
    once, again = (list(clips.animate(face, 3, 0.5)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    assert not np.array_equal(once[0], once[1])
