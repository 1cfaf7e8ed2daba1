"""Statistics of colors averaged over the frames around, never over a cut or over other light."""

from fractions import Fraction

import numpy as np
import pytest
from found_faces import face_at, points_at

from core.jobs.merge.color_calm import REACH, calm_colors
from core.jobs.merge.compose import Work
from core.merge.patch import SwappedFace
from core.merge.statistics import FaceColors, light_of
from core.video.film.frames import Frame

COUNT = 60
BLANK = np.zeros((4, 4, 3), np.uint8)
FACES = [face_at(f"{number:05d}.png", 100) for number in range(1, COUNT + 1)]
TRACK = {face.id: 1 for face in FACES}


def works(values, *, scene=lambda _: 0, light=lambda _: 50.0, color=lambda _: "rct") -> list[Work]:
    made = []
    for index, value in enumerate(values):
        colors = FaceColors(color(index), np.full((2, 12), float(value)))
        ready = SwappedFace(FACES[index].landmarks, np.zeros((8, 8, 3), np.float32), colors=colors)
        frame = Frame(index + 1, index, Fraction(1, 25), BLANK)
        seen = np.array([light(index), 0.0, 0.0])
        made.append(Work(frame, (FACES[index],), ready=(ready,), light=seen, seed=scene(index)))
    return made


def calmed(made: list[Work], strength: float = 0.5) -> np.ndarray:
    out = list(calm_colors(iter(made), TRACK, strength))
    assert [work.frame.number for work in out] == [work.frame.number for work in made]
    return np.array([work.ready[0].colors.values[0, 0] for work in out])


def test_what_flickers_is_calmed_and_what_is_calm_stays():
    noise = np.random.default_rng(2).normal(0, 1, COUNT)
    assert calmed(works(noise)).std() < 0.4
    np.testing.assert_allclose(calmed(works(np.full(COUNT, 7.0))), 7)
    assert calmed(works(noise), strength=1.0).std() < calmed(works(noise), strength=0.1).std()


def test_a_cut_ends_the_average():
    values = np.where(np.arange(COUNT) < 30, 1.0, 5.0)
    np.testing.assert_allclose(calmed(works(values, scene=lambda k: k // 30)), values)


def test_light_that_changes_passes():
    values = np.where(np.arange(COUNT) < 30, 1.0, 5.0)
    out = calmed(works(values, light=lambda k: 40.0 if k < 30 else 60.0))
    np.testing.assert_allclose(out, values, atol=1e-6)
    assert np.abs(calmed(works(values)) - values).max() > 1


def test_what_another_transfer_measured_is_not_mixed_in():
    values = np.where(np.arange(COUNT) < 30, 1.0, 5.0)
    np.testing.assert_allclose(calmed(works(values, color=lambda k: "rct" if k < 30 else "lct")), values)


def test_a_run_that_begins_in_the_middle_makes_the_same():
    made = works(np.random.default_rng(3).normal(0, 1, COUNT))
    for start in (5, 20, 59):
        lead = min(start, REACH)
        np.testing.assert_array_equal(calmed(made[start - lead :])[lead:], calmed(made)[start:])


def test_frames_without_faces_pass():
    empty = Work(Frame(1, 0, Fraction(1, 25), BLANK))
    (passed,) = calm_colors(iter([empty]), {}, 0.5)
    assert (passed.frame, passed.ready) == (empty.frame, ())


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_light_is_measured_outside_of_the_face(kind):
    frame = np.full((200, 300, 3), np.iinfo(kind).max // 2, kind)
    before = light_of(frame, [points_at(150, 100)])
    frame[80:120, 130:170] = 0
    np.testing.assert_allclose(light_of(frame, [points_at(150, 100)]), before, atol=0.01)
    frame[:, :40] = 0
    assert before[0] - light_of(frame, [points_at(150, 100)])[0] > 5
