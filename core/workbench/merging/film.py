"""What the page has to know of the target before it can show a frame of it."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from core.errors import InputError
from core.faceset.database.connection import open_database
from core.faceset.tracks.timeline import read_timeline
from core.inference.dfm import exported
from core.jobs.merge import cues
from core.jobs.merge.compare import COMPARISON
from core.jobs.merge.merge import RESULT
from core.merge.names import COLORS, MODES
from core.workbench.faces.columns import has_word
from core.workbench.jobs.forms import Stages, form
from core.workbench.sides.side_view import SideView
from core.workbench.sides.table import hexadecimal
from core.workspace import Workspace

STAGE = "merge"
FILMS = (RESULT, COMPARISON)
# Words for options that take any text; DeepFaceLab's own are understood as well.
_MASKS = ("learned_prd * learned_dst", "learned_prd", "learned_dst", "hull", "components", "extended", "whole", "full")
_SUGGESTED = {"mode": tuple(mode for mode in MODES if mode != "raw-predict"), "color": COLORS, "mask": _MASKS}


def merge_stage(stages: Stages) -> ModuleType:
    """The stage, with its ``LOOK`` and ``choices_of``."""
    return stages.load(STAGE)


def option_groups(stages: Stages) -> list[dict[str, Any]]:
    """The options of the stage that change the picture of a frame, as the page draws them (JSON values).

    cue: whether a cue can set it. suggested: words for those that take any text.
    """
    known = cues.known_settings()
    look = merge_stage(stages).LOOK
    found = []
    for group in form(stages, STAGE)["groups"]:
        fields = [
            {**one, "cue": one["name"] in known, "suggested": _SUGGESTED.get(one["name"], ())}
            for one in group["fields"]
            if one["name"] in look
        ]
        if fields:
            found.append({**group, "fields": fields})
    return found


def film_of(workspace: Workspace, side: SideView) -> dict[str, Any]:
    """Frames, scenes, persons and models (JSON values).

    lacks: what has to be there before anything can be merged; then nothing else is said. scenes: places of the frames
    with which they begin, from 0; empty where cuts were not looked for.
    """
    models = [path.name for path in exported(workspace.model)]
    lacks = [] if models else ["model"]
    try:
        table = side.table()[1]
    except InputError:
        return {"lacks": [*lacks, "faces"]}
    kept = has_word(table, "status", "kept")
    if not kept.any():
        lacks.append("faces")
    if lacks:
        return {"lacks": lacks}
    codes, words = table.words["person"]
    persons = sorted({words[code] for code in codes[kept].tolist()} - {""})
    with open_database(side.side.database) as connection:
        timeline = read_timeline(connection)
    starts: dict[int, int] = {}
    scene_of = dict(zip(timeline.names, timeline.scene.tolist(), strict=True))
    for place, name in enumerate(table.frame_names):
        if name in scene_of:
            starts.setdefault(scene_of[name], place)
    return {
        "lacks": [],
        "frames": len(table.frame_names),
        "first": int(table.frames[kept].min()),
        "fps": side.fps(),
        "scenes": sorted(starts.values()) if timeline.cuts is not None else [],
        "persons": persons,
        "models": models,
    }


def films_made(workspace: Workspace) -> list[dict[str, Any]]:
    """The films that merging and comparing have made (JSON values). time: seconds since 1970."""
    there = [workspace.root / name for name in FILMS if (workspace.root / name).is_file()]
    return [{"name": path.name, "bytes": path.stat().st_size, "time": path.stat().st_mtime} for path in there]


def source_like(source: SideView, target: SideView, ids: Sequence[str]) -> list[dict[str, Any]]:
    """For each face of the target, a source face that looks the same way (JSON values); none without source faces.

    posed: whether the ways of both are known; else it is just the first of the source.
    """
    try:
        table, others = source.table()[1], target.table()[1]
    except InputError:
        return []
    shown = [
        k
        for k in np.flatnonzero(has_word(table, "status", "kept")).tolist()
        if hexadecimal(table.ids[k]) in table.pictures
    ]
    if not shown:
        return []
    ways = np.stack([table.numbers["yaw"][shown], table.numbers["pitch"][shown]], axis=1)
    found = []
    for identity in ids:
        place = np.flatnonzero(others.ids == np.uint64(int(identity, 16)))
        way = np.array([others.numbers[name][place[0]] if len(place) else np.nan for name in ("yaw", "pitch")])
        apart = np.linalg.norm(ways - way, axis=1)
        posed = bool(np.isfinite(apart).any())
        nearest = int(np.nanargmin(apart)) if posed else 0
        found.append({"id": hexadecimal(table.ids[shown[nearest]]), "posed": posed})
    return found
