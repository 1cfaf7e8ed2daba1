"""The parts of a merge: expressions, names, edges, colors, grain, pyramid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UsageError
from core.merge import colors, expressions, grain, names, pyramid
from core.merge.edges import with_edge
from core.merge.faceswap.settings import Balance
from core.merge.settings import MergeSettings

A, B = np.float32([[0, 0.5, 1, 1]]), np.float32([[1, 0.5, 0.5, 0]])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a", A),
        ("a + b", [[1, 0.5, 1, 1]]),
        ("a - b", [[0, 0, 0.5, 1]]),
        ("a * b", [[0, 0.25, 0.5, 0]]),
        ("a & b", [[0, 0.5, 0.5, 0]]),
        ("1 - a", [[1, 0.5, 0, 0]]),
        ("a - b + b * 0", [[0, 0, 0.5, 1]]),
        ("a*(1-b)", [[0, 0.25, 0.5, 1]]),
        ("1-a-b", [[0, 0, 0, 0]]),
        ("0.25", [[0.25] * 4]),
    ],
)
def test_expressions(text, wanted):
    made = expressions.evaluate(expressions.parse(text), {"a": A, "b": B})
    assert made.dtype == np.float32 and np.allclose(made, wanted)


@pytest.mark.parametrize(
    "text", ["", "a +", "a b", "(a", "a)", "a ** b", "2 * a", "a.b", "__import__('os')", "a;b", "-a"]
)
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(UsageError):
        expressions.parse(text)


def test_endless_expressions_are_refused():
    for text in ("(" * 200 + "a" + ")" * 200, "a+" * 1000 + "a"):
        with pytest.raises(UsageError):
            expressions.parse(text)


@given(st.text(alphabet="ab10.+-*&() _", max_size=40))
def test_any_text_is_parsed_or_refused(text):
    try:
        expression = expressions.parse(text)
    except UsageError:
        return
    if expression.names <= {"a", "b"}:
        made = expressions.evaluate(expression, {"a": A, "b": B})
        assert made.shape == A.shape and made.min() >= 0 and made.max() <= 1


def test_names_of_all_programs():
    assert names.mode_name("3") == names.mode_name("seamless") == "seamless"
    assert names.color_name("sot-m") == names.color_name("7") == "sot"
    assert names.color_name("color-transfer") == "rct"
    assert names.mask_expression("learned-prd*learned-dst") == names.mask_expression("4") == "learned_prd * learned_dst"
    assert names.mask_expression("a - b") == "a - b"
    for text in names.MASK_NAMES.values():
        expressions.parse(text)
    assert set(names.MODE_NAMES.values()) == set(names.MODES)
    assert set(names.COLOR_NAMES.values()) == set(names.COLORS)
    with pytest.raises(UsageError, match="mode here"):
        names.color_name("seamless-clone")
    with pytest.raises(UsageError, match="unknown mode"):
        names.mode_name("overly")


@pytest.mark.parametrize("changes", [{"opacity": 1.5}, {"grain": float("nan")}, {"sharpen": "x"}, {"mask": "a +"}])
def test_settings_out_of_range_are_refused(changes):
    with pytest.raises(UsageError):
        MergeSettings(**changes)


def square(size: int = 256, border: int = 64) -> np.ndarray:
    mask = np.zeros((size, size), np.float32)
    mask[border:-border, border:-border] = 1
    return mask


def test_without_erosion_and_feather_the_edge_stays():
    soft = np.random.default_rng(0).random((32, 32), np.float32)
    assert with_edge(soft, MergeSettings(feather_in=0, feather_out=0)) is soft


@pytest.mark.parametrize("size", [128, 256, 512])
def test_erosion_is_measured_at_256_pixels(size):
    for erode in (16, -16):
        made = with_edge(square(size, size // 4), MergeSettings(erode=erode, feather_in=0, feather_out=0))
        row = made[size // 2]
        assert row.sum() / size * 256 == pytest.approx(128 - 2 * erode, abs=1)


def test_feather_goes_from_0_to_1_within_its_width():
    made = with_edge(square(), MergeSettings(feather_in=20, feather_out=10))
    row = made[128, :128]
    assert not row[:53].any() and (row[85:] > 0.999).all()
    assert (np.diff(row[53:85]) >= 0).all() and (np.abs(np.diff(row)) < 0.06).all()


@pytest.mark.parametrize(
    ("side", "wanted"), [("left", (20, 0, 0, 0)), ("top", (0, 20, 0, 0)), ("bottom", (0, 0, 0, 20))]
)
def test_one_side_is_eroded_alone(side, wanted):
    made = with_edge(square(), MergeSettings(feather_in=0, feather_out=0, **{f"erode_{side}": 20})) > 0.5
    row, column = np.flatnonzero(made[128]), np.flatnonzero(made[:, 128])
    moved = row[0] - 64, column[0] - 64, 191 - row[-1], 191 - column[-1]
    assert moved == pytest.approx(wanted, abs=1)


def test_the_mask_ends_softly_at_the_border_of_the_square():
    made = with_edge(np.ones((256, 256), np.float32), MergeSettings(erode=-40, feather_in=12, feather_out=4))
    assert not made[0].any() and not made[:, -1].any() and made[128, 128] == 1
    assert np.abs(np.diff(made[128])).max() < 0.15


def test_noise_is_measured_and_given():
    rng = np.random.default_rng(0)
    plane = np.linspace(0.3, 0.6, 200, dtype=np.float32)[None, :, None] * np.ones((200, 1, 3), np.float32)
    shared, each = rng.normal(0, 0.02, (200, 200, 1)), rng.normal(0, 0.01, (200, 200, 3))
    film = (plane + shared + each).astype(np.float32)
    found = grain.measured(film, np.zeros((200, 200)))
    variance = found.fine @ found.fine.T
    assert np.sqrt(np.diag(variance)) == pytest.approx([np.hypot(0.02, 0.01)] * 3, rel=0.05)
    assert variance[0, 1] == pytest.approx(0.02**2, rel=0.15)
    assert not grain.measured(plane, np.zeros((200, 200))).fine.max() > 1e-3
    clean = grain.measured(plane, np.zeros((200, 200)))
    given_noise = grain.grained(plane, found, clean, 1, (1, 2)) - plane
    assert given_noise.std((0, 1)) == pytest.approx([np.hypot(0.02, 0.01)] * 3, rel=0.06)
    assert np.abs(grain.grained(plane, found, found, 1, (1, 2)) - plane).max() < 1e-6
    assert (grain.grained(plane, found, clean, 1, (1, 2)) != grain.grained(plane, found, clean, 1, (1, 3))).any()


def test_a_pyramid_gives_both_pictures_back():
    rng = np.random.default_rng(0)
    back, front = rng.random((2, 50, 70, 3), np.float32)
    for count in (1, 4):
        assert np.allclose(pyramid.blended(back, front, np.zeros((50, 70), np.float32), count), back, atol=1e-6)
        assert np.allclose(pyramid.blended(back, front, np.ones((50, 70), np.float32), count), front, atol=1e-6)


def test_a_pyramid_reaches_no_further_than_it_says():
    back, front = np.zeros((300, 300, 3), np.float32), np.ones((300, 300, 3), np.float32)
    mask = np.zeros((300, 300), np.float32)
    mask[140:160, 140:160] = 1
    for count in (1, 2, 3, 4):
        rows = np.flatnonzero(np.abs(pyramid.blended(back, front, mask, count)).max((1, 2)) > 1e-3)
        assert rows[0] >= 140 - pyramid.reach(count) and rows[-1] < 160 + pyramid.reach(count)


@pytest.mark.parametrize("space", ["RGB", "HSV", "LAB", "YCrCb"])
def test_a_balance_of_nothing_changes_nothing(space):
    image = np.random.default_rng(0).random((4, 9, 3), np.float32)
    assert np.allclose(colors.balanced(image, Balance(space)), image, atol=2e-3)
    assert np.abs(colors.balanced(image, Balance(space, (0, -50, 0))) - image).max() > 0.05


@pytest.mark.parametrize("color", ["rct", "lct", "mkl"])
def test_hair_in_front_of_the_film_s_face_does_not_color_brows(color):
    """A fifth of the film's face is green hair; the model's face is skin with dark brows, which stay grey."""
    random = np.random.default_rng(5)
    skin = random.normal([0.5, 0.6, 0.8], 0.03, (64, 64, 3)).astype(np.float32)
    film, face, brows = skin.copy(), skin * np.float32(0.9), np.s_[20:26, 10:54]
    film[:13] = (0.2, 0.6, 0.2)
    face[brows] = 0.15
    mask = np.ones((64, 64), np.float32)
    out = colors.recolored(face, film, mask, MergeSettings(color=color), 0)
    assert np.ptp(out[brows].mean((0, 1))) < 0.08
    np.testing.assert_allclose(out[40:].mean((0, 1)), film[40:].mean((0, 1)), atol=0.02)
