import numpy as np
import pytest

from core.demo import clips, expressions
from core.demo import portraits as source
from core.demo.expressions import Expression
from core.demo.painting import painted
from core.demo.people import PEOPLE, person
from core.faces.contract import DetectorSettings
from core.faces.detectors import yunet
from core.faces.embedders import sface
from core.faces.landmarkers import facemesh
from core.faces.mesh_points import points_68

# Strangers are below 0.3, one person in one film above 0.6 (benchmarks/results/identity.json).
STRANGERS, NOBODY = 0.45, 0.55


@pytest.fixture(scope="module")
def portraits():
    return source.portraits()


@pytest.fixture(scope="module")
def people(portraits):
    return {name: person(*portraits, looks) for name, looks in PEOPLE.items()}


def picture(face, **expression):
    return np.clip(painted(face, Expression(**expression)), 0, 255).astype(np.uint8)


def test_both_faces_fill_the_same_place(portraits):
    for portrait in portraits:
        assert portrait.image.shape == (source.SIZE, source.SIZE, 3) and portrait.image.dtype == np.uint8
        low, high = portrait.mesh[:, :2].min(0), portrait.mesh[:, :2].max(0)
        assert np.allclose((low + high) / 2, [source.SIZE / 2, source.SIZE * 0.52], atol=1)
        assert np.isclose((high - low).max(), 210, atol=1)


def test_warp_moves_points_and_keeps_the_identity(portraits):
    portrait = portraits[0]
    points = source.anchors(portrait.mesh)
    assert np.abs(source.warp(portrait.image, points, points).astype(int) - portrait.image).max() <= 2
    dot = np.zeros((source.SIZE, source.SIZE), np.float32)
    x, y = np.round(portrait.mesh[4, :2]).astype(int)
    dot[y, x] = 1
    moved = portrait.mesh + np.array([10, -6, 0])
    peak = np.unravel_index(source.warp(dot, points, source.anchors(moved)).argmax(), dot.shape)
    assert np.allclose(peak[::-1], [x + 10, y - 6], atol=1)


def test_the_people_are_found_are_two_and_are_neither_portrait(portraits, people):
    detector, mesh, embed = yunet.create(DetectorSettings()), facemesh.create(), sface.create().embed

    def identity(image):
        (face,) = detector.detect(image)
        return embed(image, mesh.landmarks(image, face)[0])

    first, second = (embed(portrait.image, points_68(portrait.mesh[:, :2])) for portrait in portraits)
    ours, theirs = (identity(picture(people[name], yaw=0.2)) for name in ("src", "dst"))
    assert ours @ theirs < STRANGERS
    assert max(ours @ first, ours @ second, theirs @ first, theirs @ second) < NOBODY
    # Turned and talking they are still themselves.
    assert identity(picture(people["src"], yaw=-0.35, pitch=0.1, jaw=0.15)) @ ours > 0.6


def test_turn_is_a_rotation_and_zero_is_nothing(portraits):
    mesh = portraits[0].mesh
    assert np.allclose(expressions.turn(mesh, 0, 0, 0), mesh)
    turned = expressions.turn(mesh, 0.3, -0.1, 0.2)
    spread = [np.linalg.norm(m[:, None] - m[None, ::40], axis=-1) for m in (mesh, turned)]
    assert np.allclose(*spread)


def test_a_jaw_opens_and_eyes_close(people):
    face = people["dst"].mesh
    rest, opened = expressions.moved(face, Expression()), expressions.moved(face, Expression(jaw=0.2))
    assert np.allclose(rest, face)
    gap = [np.linalg.norm(mesh[13] - mesh[14]) for mesh in (rest, opened)]
    assert gap[1] - gap[0] > 8 and np.allclose(opened[[10, 33, 1, 13]], rest[[10, 33, 1, 13]], atol=1)
    closed = expressions.moved(face, Expression(blink=1.0))
    for upper, lower in ((159, 145), (386, 374)):
        assert np.linalg.norm(closed[upper] - closed[lower]) < 0.1 * np.linalg.norm(rest[upper] - rest[lower])


def test_the_mesh_network_sees_what_was_painted(people):
    face, network = people["src"], facemesh.create()
    detector = yunet.create(DetectorSettings())

    def seen(image):
        return network.mesh(image, detector.detect(image)[0])[0]

    def lips(mesh):
        return np.linalg.norm(mesh[13] - mesh[14])

    rest = seen(picture(face))
    assert lips(seen(picture(face, jaw=0.25))) > lips(rest) + 5
    nose = [seen(picture(face, yaw=yaw))[1, 0] for yaw in (-0.4, 0.0, 0.4)]
    assert abs(nose[2] - nose[0]) > 30 and min(nose[0], nose[2]) < nose[1] < max(nose[0], nose[2])


def test_animation_is_the_same_every_time(people):
    once, again = (list(clips.animate(people["dst"], 3, 0.5)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    assert once[0].shape == (source.SIZE, source.SIZE, 3) and once[0].dtype == np.uint8
    assert not np.array_equal(once[0], once[1])
