"""The badge is in every picture; it goes off with a record of consent only, and a receipt says so."""

import hashlib
import json

import numpy as np
import pytest
from live_kit import new_player
from portraits import person

from core.errors import CorruptFileError, InputError
from core.live.badge import with_badge
from core.live.controls import Controls
from core.live.frames import Captured


def receipts(player):
    path = player._workspace.logs / "live-receipts.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def made(player):
    return player.made(person(0)[0], Captured(person(0)[0], 1), {}).image


@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (100, 60), (5, 5)])
def test_a_badge_can_be_seen_and_changes_nothing_else(size):
    image = np.full((*size, 3), 128, np.uint8)
    out = with_badge(image)
    assert (image == 128).all() and out.shape == image.shape
    changed = (out != 128).any(axis=2)
    assert changed[-1, 0] and changed.mean() < (0.1 if size[0] >= 480 else 1.01)
    if size[0] >= 480:
        assert out.max() > 200 and changed.sum(axis=0).max() >= 0.04 * size[0]


def test_it_is_on_by_default_and_without_a_face(tmp_path):
    player = new_player(tmp_path)
    assert player.controls.badge
    assert (made(player)[-1, :20] == 0).all()
    player.change({"swap": False})
    assert (made(player)[-1, :20] == 0).all()


def test_without_consent_it_stays(tmp_path):
    player = new_player(tmp_path)
    with pytest.raises(InputError, match="consent"):
        player.change({"badge": False})
    assert player.controls.badge and receipts(player) == []
    with pytest.raises(InputError, match="consent"):
        new_player(tmp_path, Controls(badge=False))


@pytest.mark.parametrize("text", ["", "{}", "no json", "[" * 100_000])
def test_a_record_that_says_nothing_is_none(tmp_path, text):
    player = new_player(tmp_path)
    player._workspace.consent.write_text(text)
    with pytest.raises(CorruptFileError):
        player.change({"badge": False})
    assert player.controls.badge


def test_with_consent_it_goes_and_a_receipt_says_so(tmp_path):
    player = new_player(tmp_path, consent=True)
    player.change({"badge": False})
    assert not (made(player)[-1, :20] == 0).all()
    (receipt,) = receipts(player)
    consent = hashlib.sha256(player._workspace.consent.read_bytes()).hexdigest()
    model = hashlib.sha256(player.swapper.path.read_bytes()).hexdigest()
    assert receipt.pop("time").startswith("20")
    assert receipt == {
        "event": "badge off",
        "model": "tiny.dfm",
        "model_sha256": model,
        "consent_sha256": consent,
    }
    player.change({"opacity": 0.5})
    assert len(receipts(player)) == 1


def test_without_a_receipt_it_stays(tmp_path):
    player = new_player(tmp_path, consent=True)
    player._workspace.logs.mkdir()
    (player._workspace.logs / "live-receipts.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CorruptFileError):
        player.change({"badge": False})
    assert player.controls.badge and not (tmp_path / "elsewhere").exists()
