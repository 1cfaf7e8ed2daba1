"""The process that looks at faces: the newest question counts, and a process that has ended is started anew."""

import threading
import time

import numpy as np
import pytest
from frames_kit import BOX, POINTS
from portraits import person

from core.errors import EnvironmentFault, InputError
from core.workbench.vision.regions import around
from core.workbench.vision.vision import MOST_WAITING, Vision

FRAME = person(1)[0]


@pytest.fixture(scope="module")
def vision():
    made = Vision()
    yield made
    made.close()


def ask(vision, page="page", box=BOX):
    region = around(box, FRAME)
    inside = region.inward(np.reshape(box, (2, 2))).ravel().tolist()
    answer = vision.ask(page, "landmarks", [region.cut(FRAME)], box=inside, roll=None)
    return answer and region.outward(answer["points"])


def test_points_are_found_in_the_pixels_of_the_frame(vision):
    assert np.linalg.norm(ask(vision) - POINTS, axis=1).mean() < 6


def test_a_large_part_of_a_frame_is_sent_smaller_and_means_the_same():
    large = np.zeros((3000, 4000, 3), np.uint8)
    region = around([1000, 500, 3000, 2500], large)
    assert max(region.cut(large).shape) == 768
    points = np.random.default_rng(0).uniform(0, 3000, (68, 2))
    assert region.outward(region.inward(points)) == pytest.approx(points)


def test_a_newer_question_of_a_page_replaces_the_one_that_waits(vision):
    answers = {}

    def wait(name, page):
        answers[name] = ask(vision, page)

    with vision._turn:  # somebody else is being answered
        threads = [
            threading.Thread(target=wait, args=pair) for pair in (("old", "a"), ("new", "a"), ("other page", "b"))
        ]
        for thread in threads:
            thread.start()
            time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert answers["old"] is None and answers["new"] is not None and answers["other page"] is not None


def test_a_process_that_was_killed_is_started_anew(vision):
    ask(vision)
    vision._process.kill()
    vision._process.wait()
    assert ask(vision) is not None


def test_a_question_that_makes_no_sense_is_explained_and_ends_nothing(vision):
    ask(vision)
    process = vision._process
    with pytest.raises(InputError):
        around([9000, 9000, 9100, 9100], FRAME)
    assert ask(vision) is not None and vision._process is process


def test_too_many_questions_at_once_are_refused():
    vision = Vision()
    for _ in range(MOST_WAITING):
        assert vision._waiting.acquire(blocking=False)
    with pytest.raises(EnvironmentFault):
        ask(vision)
