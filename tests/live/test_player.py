"""The player: the newest picture wins, faces are swapped, what fails ends it, numbers are true."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from live_kit import new_player, wait_until
from portraits import person

from core.errors import UsageError
from core.imaging.codec import encode_jpeg
from core.live.controls import Controls
from core.live.frames import Captured, Shown
from core.live.measured import Measured
from core.live.newest import Newest
from core.merge.settings import MergeSettings

PLAIN = Controls(MergeSettings(color="none", mask="full"))


def shown_by(player, picture):
    """What the player makes of one picture."""
    made = []
    player.outputs.append(made.append)
    with player:
        player.put(Captured(picture, 7))
        wait_until(lambda: made or player.failure or player.measured.damaged)
    return made


def test_newest_wins_and_the_others_are_counted():
    slot = Newest()
    for number in range(5):
        slot.put(number)
    assert (slot.take(0), slot.dropped, slot.take(0)) == (4, 4, None)
    slot.close()
    slot.put(5)
    assert slot.take(1) is None


def test_a_slow_output_drops_pictures_and_never_queues_them(tmp_path):
    image, player, made, gate = person(0)[0], new_player(tmp_path), [], threading.Event()

    def slow(shown):
        made.append(shown.number)
        gate.wait(10)

    player.outputs.append(slow)
    with player:
        player.put(Captured(image, 1))
        wait_until(lambda: made)
        for number in range(2, 9):
            player.put(Captured(image, number))
        gate.set()
        wait_until(lambda: len(made) == 2)
    assert made == [1, 8]
    assert player.dropped == 6


def test_a_face_is_swapped_where_it_is(tmp_path):
    image, points = person(0)
    (shown,) = shown_by(new_player(tmp_path, PLAIN), image)
    assert (shown.number, shown.faces) == (7, 1)
    x, y = points.mean(axis=0).astype(int)
    assert np.abs(shown.image[y, x].astype(int) - (255 - image[y, x].astype(int))).max() < 30
    assert np.array_equal(shown.image[:20], image[:20])
    assert {"wait", "decode", "find", "swap", "compose", "badge"} <= shown.stages.keys()


def test_a_jpeg_is_a_picture_too_and_a_damaged_one_is_counted(tmp_path):
    data = encode_jpeg(person(0)[0])
    (shown,) = shown_by(new_player(tmp_path, PLAIN), data)
    assert shown.faces == 1
    player = new_player(tmp_path / "2")
    assert shown_by(player, data[:2000]) == []
    assert player.measured.damaged == 1 and player.failure is None


def test_a_strangers_model_and_no_swap(tmp_path):
    player = new_player(tmp_path, replace(PLAIN, swap=False), metadata={"face_type": ""})
    (shown,) = shown_by(player, person(0)[0])
    assert shown.faces == 0 and np.array_equal(shown.image[:400], person(0)[0][:400])


def test_a_morph_value_counts_from_the_next_picture_on(tmp_path):
    player, (image, points) = new_player(tmp_path, PLAIN, morphs=True), person(0)
    x, y = points.mean(axis=0).astype(int)
    bright, dark = (player.change({"morph": morph}) and middle(player, image)[y, x] for morph in (1, 0))
    assert bright.max() > 40 and dark.max() < 5


def middle(player, image):
    return player.made(image, Captured(image, 1), {}).image


def test_an_error_ends_it_and_is_told(tmp_path):
    player, told = new_player(tmp_path), threading.Event()
    player.on_failure = told.set

    def broken(shown):
        raise OSError("the camera is gone")

    player.outputs.append(broken)
    with player:
        player.put(Captured(person(0)[0], 1))
        assert told.wait(10)
    assert str(player.failure) == "the camera is gone"


@pytest.mark.parametrize(
    "asked",
    [{"mask": "xseg_dst"}, {"mask": "("}, {"opacity": 2}, {"opacity": float("nan")}, {"morph": -1}, {"color": "pink"}]
    + [{"mode": "raw-predict"}, {"nonsense": 1}, {"badge": "no"}, {"opacity": True}, {"mask": 3}],
)
def test_a_bad_control_changes_nothing(tmp_path, asked):
    player = new_player(tmp_path)
    with pytest.raises(UsageError):
        player.change({"opacity": 0.5, **asked})
    assert player.controls == Controls()


def test_controls_change(tmp_path):
    player = new_player(tmp_path)
    player.change({"mask": "hull", "color": "lct", "opacity": 0.5, "morph": 0.25, "swap": False})
    shown = player.controls.shown()
    assert [shown[name] for name in ("mask", "color", "opacity", "morph", "swap")] == ["hull", "lct", 0.5, 0.25, False]


def test_numbers():
    measured, image = Measured(), np.zeros((2, 2, 3), np.uint8)
    assert measured.numbers()["fps"] == 0
    for number in range(500):
        measured.add(Shown(number, number / 20, image, number % 2, {"swap": 8.0}), number / 20 + 0.05)
    numbers = measured.numbers()
    assert (numbers["frames"], numbers["fps"], measured.faces) == (500, 20.0, 250)
    assert numbers["latency_ms"] == pytest.approx(50) and numbers["stages"] == {"swap": 8.0}
    assert len(measured._last) < 200  # memory stays


def test_it_ends_while_it_waits(tmp_path):
    start = time.monotonic()
    with new_player(tmp_path):
        pass
    assert time.monotonic() - start < 5
