"""The cleaning report: one HTML page that needs no other file."""

import base64
import html
from collections.abc import Sequence

import cv2
import numpy as np

from core.faceset.cleaning.coverage import EDGES, Coverage, Gap, gaps
from core.faceset.cleaning.verdicts import VERDICTS, Verdicts
from core.faceset.gallery import Gallery
from core.faceset.masks.report import counted, described
from core.faceset.thumbnails import TILE, thumbnail

_SHOWN = 120
_JPEG_QUALITY = 75
_STYLE = """body{font:14px sans-serif;background:#1b1b1b;color:#ddd;margin:2em}
h2{margin-top:1.5em}
figure{display:inline-block;margin:3px;width:96px;vertical-align:top}
figcaption{font-size:11px;overflow-wrap:anywhere}
td,th{padding:2px 6px;text-align:right;font-size:12px}
.gap{color:#fb6}
a{color:#8cf}"""


def cleaning_page(title: str, gallery: Gallery, verdicts: Verdicts, maps: dict[str, Coverage]) -> str:
    """The page. maps: side name -> pose coverage; with both src and dst their gaps are listed."""
    parts = [f"<h1>{html.escape(title)}</h1>", _summary(gallery, verdicts), _poses(maps)]
    parts += [_verdict_section(gallery, verdicts, verdict) for verdict in verdicts.counts()]
    if verdicts.spared:
        captions = [""] * len(verdicts.spared)
        parts.append(
            _section("kept although blurred", "few other faces have this pose", gallery, verdicts.spared, captions)
        )
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en">{head}<body>{"".join(parts)}</body></html>'


def remarks(verdicts: Verdicts) -> tuple[str, ...]:
    """What could not be judged, in sentences."""
    if not verdicts.without_mask:
        return ()
    return (
        f"{verdicts.without_mask} faces have no mask of their own, only the landmark hull, so nothing can be said "
        "about obstruction: make masks first",
    )


def _summary(gallery: Gallery, verdicts: Verdicts) -> str:
    rows = [
        f'<tr><th><a href="#{_anchor(verdict)}">{verdict}</a></th><td>{number}</td></tr>'
        for verdict, number in verdicts.counts().items()
    ]
    notes = [f"<p>{html.escape(remark)}</p>" for remark in remarks(verdicts)]
    counts = (
        f"{len(gallery)} pictures, {len(verdicts.found)} with a verdict, "
        f"{len(verdicts.spared)} blurred ones kept for their rare pose; masks: {described(counted(verdicts.masks))}"
    )
    return f"<p>{counts}</p><table>{''.join(rows)}</table>{''.join(notes)}"


def _anchor(text: str) -> str:
    return text.replace(" ", "-")


def _verdict_section(gallery: Gallery, verdicts: Verdicts, verdict: str) -> str:
    """The images with a verdict, the lowest score first."""
    members = [index for index, scores in verdicts.found.items() if verdict in scores]
    members.sort(key=lambda index: verdicts.found[index][verdict])
    captions = [_caption(verdicts, verdict, index) for index in members]
    return _section(verdict, VERDICTS[verdict], gallery, members, captions)


def _caption(verdicts: Verdicts, verdict: str, index: int) -> str:
    """The score; for what is in front of a face also which kind of mask said so."""
    score = f"{verdicts.found[index][verdict]:.3g}"
    return f"{score} ({verdicts.masks[index]} mask)" if verdict == "obstructed" else score


def _section(title: str, text: str, gallery: Gallery, members: Sequence[int], captions: Sequence[str]) -> str:
    shown = zip(members[:_SHOWN], captions[:_SHOWN], strict=True)
    figures = "".join(_figure(gallery, index, caption) for index, caption in shown)
    more = f"<p>and {len(members) - _SHOWN} more</p>" if len(members) > _SHOWN else ""
    heading = f'<h2 id="{_anchor(title)}">{html.escape(title)} ({len(members)})</h2>'
    return f"{heading}<p>{html.escape(text)}</p>{figures}{more}"


def _figure(gallery: Gallery, index: int, caption: str) -> str:
    name = html.escape(gallery.names[index])
    source = _data_uri(gallery.read(index))
    image = f'<img width="{TILE}" height="{TILE}" alt="{name}" src="{source}">'
    return f"<figure>{image}<figcaption>{name} {html.escape(caption)}</figcaption></figure>"


def _data_uri(data: bytes) -> str:
    encoded = cv2.imencode(".jpg", thumbnail(data), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
    return f"data:image/jpeg;base64,{base64.b64encode(encoded).decode()}"


def _poses(maps: dict[str, Coverage]) -> str:
    lacking = gaps(maps["src"], maps["dst"]) if {"src", "dst"} <= set(maps) else []
    lines = [f'<p class="gap">{gap_sentence(gap)}</p>' for gap in lacking]
    tables = [_pose_table(side, found) for side, found in maps.items()]
    return "<h2>Poses</h2>" + "".join(lines + tables)


def gap_sentence(gap: Gap) -> str:
    """A gap in words."""
    if gap.low < EDGES[0]:
        where = f"below {gap.high} degrees yaw"
    elif gap.high > EDGES[-1]:
        where = f"above {gap.low} degrees yaw"
    else:
        where = f"between {gap.low} and {gap.high} degrees yaw"
    return f"dst has {gap.needed} faces {where}, src has {gap.there}"


def _pose_table(side: str, found: Coverage) -> str:
    """Yaw from left to right, pitch from up to down; brighter cells have more faces."""
    most = max(int(found.counts.max()), 1)
    head = "".join(f"<th>{low}</th>" for low in EDGES[:-1])
    rows = [
        _pose_row(low, counts.tolist(), most) for low, counts in zip(EDGES[-2::-1].tolist(), found.counts, strict=True)
    ]
    title = f"{side}: {int(found.counts.sum())} faces, yaw from degrees across, pitch from degrees down"
    return f"<h3>{title}</h3><table><tr><th></th>{head}</tr>{''.join(rows)}</table>"


def _pose_row(low: int, counts: list[int], most: int) -> str:
    cells = "".join(_pose_cell(count, most) for count in counts)
    return f"<tr><th>{low}</th>{cells}</tr>"


def _pose_cell(count: int, most: int) -> str:
    light = 0.15 + 0.85 * np.log1p(count) / np.log1p(most) if count else 0.0
    return f'<td style="background:rgba(80,160,255,{light:.2f})">{count or ""}</td>'
