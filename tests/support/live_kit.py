"""A live player that swaps a portrait with a tiny model, without any network that finds faces."""

import json
import time
from pathlib import Path

import numpy as np
from portraits import person
from tiny_dfm import write_dfm

from core.jobs.merge.model import open_swapper
from core.live.controls import Controls
from core.live.follow import Follower
from core.live.player import Player
from core.types import Face
from core.workspace import Workspace

CONSENT = {"who": "both people", "until": "2030"}


class Known:
    """A detector and a landmarker that know where the astronaut's face is."""

    device = "CPU"

    def detect(self, image):
        points = person(0)[1]
        return [Face(np.concatenate([points.min(axis=0), points.max(axis=0)]).astype(np.float32), 0.9)]

    def landmarks(self, image, face):
        return person(0)[1].astype(np.float32), 1.0


def new_player(folder: Path, controls: Controls | None = None, *, consent: bool = False, **model) -> Player:
    """A player whose model makes the negative of a face."""
    workspace = Workspace(folder / "ws", folder / "assets")
    workspace.create()
    if consent:
        workspace.consent.write_text(json.dumps(CONSENT))
    path = write_dfm(workspace.model / "tiny.dfm", inverts=True, **model)
    return Player(workspace, open_swapper(workspace, path, None), Follower(Known(), Known()), controls)


def wait_until(reached, seconds: float = 10.0) -> None:
    """Until ``reached()``; an error where that takes too long."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.005)
