"""The poses of both sides as tables of HTML whose cells are the fuller the brighter, and what is missing in words."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.faceset.cleaning.coverage import EDGES, Coverage, cell_ends, gaps, lacking
from core.faceset.cleaning.sentences import SIDES, gap_sentence, looks

_MOST = 12
# Of the twelve cells across and down these are always shown: what lies beyond where somebody looks there.
_MIDDLE = slice(3, 9)


def pose_section(maps: Mapping[str, Coverage]) -> str:
    """Side by side a map for each side (name -> poses), as far out as either looks."""
    if not maps:
        return ""
    both = {"src", "dst"} <= set(maps)
    thin = lacking(maps["src"].counts, maps["dst"].counts) if both else np.zeros((len(EDGES) - 1,) * 2, bool)
    rows, columns = _used([found.counts for found in maps.values()])
    tables = [_heat_map(side, found.counts, thin, rows, columns) for side, found in maps.items()]
    return f'<h2>Poses</h2>{_missing(maps) if both else ""}<div class="maps">{"".join(tables)}</div>'


def _missing(maps: Mapping[str, Coverage]) -> str:
    sentences = [gap_sentence(gap) for gap in gaps(maps["src"], maps["dst"])]
    if not sentences:
        return "<p>src has faces for everywhere that dst looks.</p>"
    more = [f"and {len(sentences) - _MOST} more"] if len(sentences) > _MOST else []
    items = "".join(f"<li>{sentence}</li>" for sentence in sentences[:_MOST] + more)
    return (
        f'<p>What src lacks (outlined: cells where dst has faces and src hardly any):</p><ul class="gap">{items}</ul>'
    )


def _used(counts: list[NDArray[np.int64]]) -> tuple[list[int], list[int]]:
    """Rows and columns to show: the middle, and out to the last that holds a face; columns from left to right."""
    total = np.sum(counts, axis=0)
    shown = []
    for axis in (1, 0):
        used = total.sum(axis=axis) > 0
        used[_MIDDLE] = True
        first, last = np.flatnonzero(used)[[0, -1]].tolist()
        shown.append(list(range(first, last + 1)))
    # Yaw rises to the left of the picture.
    return shown[0], shown[1][::-1]


def _heat_map(
    side: str, counts: NDArray[np.int64], thin: NDArray[np.bool_], rows: list[int], columns: list[int]
) -> str:
    most = max(int(counts.max()), 1)
    body = []
    for row in rows:
        cells = [_cell(int(counts[row, column]), most, bool(thin[row, column]), row, column) for column in columns]
        body.append(f"<tr><th>{_label('pitch', cell_ends(row, 0)[1])}</th>{''.join(cells)}</tr>")
    head = "".join(f"<th>{_label('yaw', cell_ends(0, column)[0], '<br>')}</th>" for column in columns)
    caption = f"<caption>{side}: {int(counts.sum())} faces, where they look in degrees</caption>"
    return f'<table class="map">{caption}<tr><th></th>{head}</tr>{"".join(body)}</table>'


def _label(axis: str, ends: tuple[int, int], gap: str = " ") -> str:
    """``left 30-45``"""
    near, far = sorted(map(abs, ends))
    return f"{SIDES[axis][ends[0] >= 0]}{gap}{near}\u2013{far}"


def _cell(count: int, most: int, thin: bool, row: int, column: int) -> str:
    yaw, pitch = cell_ends(row, column)
    share = 0.12 + 0.68 * np.log1p(count) / np.log1p(most) if count else 0.0
    mark = ' class="thin"' if thin else ""
    text = f"{count or 'no'} face{'s' * (count != 1)} looking {looks('yaw', yaw)} and {looks('pitch', pitch)}"
    return f'<td{mark} title="{text}" style="background:rgba(60,140,255,{share:.2f})">{count or ""}</td>'
