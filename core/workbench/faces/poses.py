"""Which way the faces of both sides look, and what the source lacks."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.errors import InputError
from core.faceset.cleaning.coverage import EDGES, Coverage, coverage, gaps, lacking
from core.faceset.cleaning.sentences import gap_sentence
from core.workbench.faces.columns import has_word
from core.workbench.sides.side_view import SideView
from core.workbench.sides.table import FaceTable


def poses(views: Mapping[str, SideView]) -> dict[str, Any]:
    """Maps of both sides over yaw and pitch, which cells are thin, gaps in words (JSON values).

    edges: degrees, ascending; rows of the maps are pitch from looking up down, columns yaw, ascending. sides: name ->
    counts and how many kept faces have no pose; a side without a database is left out.
    """
    tables = {name: table for name, view in views.items() if (table := _table(view)) is not None}
    maps = {name: _map(table) for name, table in tables.items()}
    both = len(maps) == 2
    found = gaps(maps["src"], maps["dst"]) if both else []
    return {
        "edges": EDGES.tolist(),
        "sides": {
            name: {
                "counts": one.counts.tolist(),
                "unknown": _kept(tables[name]) - int(one.counts.sum()),
            }
            for name, one in maps.items()
        },
        "thin": lacking(maps["src"].counts, maps["dst"].counts).tolist() if both else [],
        "gaps": [
            {"said": gap_sentence(gap), "yaw": gap.yaw, "pitch": gap.pitch, "needed": gap.needed, "there": gap.there}
            for gap in found
        ],
    }


def _table(view: SideView) -> FaceTable | None:
    try:
        return view.table()[1]
    except InputError:
        return None


def _kept(table: FaceTable) -> int:
    return int(has_word(table, "status", "kept").sum())


def _map(table: FaceTable) -> Coverage:
    kept = has_word(table, "status", "kept")
    yaw, pitch = (np.asarray(table.numbers[name][kept], np.float64) for name in ("yaw", "pitch"))
    return coverage(yaw, pitch)
