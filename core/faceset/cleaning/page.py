"""The cleaning report: one HTML page that needs no other file."""

import base64
import html
from collections.abc import Sequence

import cv2
import numpy as np

from core.errors import CorruptFileError
from core.faceset.cleaning.coverage import EDGES, Coverage, gaps
from core.faceset.cleaning.verdicts import VERDICTS, Verdicts
from core.faceset.gallery import Gallery
from core.faceset.masks.report import counted, described
from core.faceset.thumbnails import thumbnail

_SHOWN = 120
_STYLE = """body{font:14px sans-serif;background:#1b1b1b;color:#ddd;margin:2em}h2{margin-top:1.5em}figure{display:inline-block;margin:3px;width:96px;
vertical-align:top}figcaption{font-size:11px;overflow-wrap:anywhere}td,th{padding:2px 6px;text-align:right;font-size:12px}.gap{color:#fb6}a{color:#8cf}"""


def cleaning_page(title: str, gallery: Gallery, verdicts: Verdicts, maps: dict[str, Coverage]) -> str:
    """The page. maps: side name -> pose coverage; with both src and dst their gaps are listed."""
    parts = [f"<h1>{html.escape(title)}</h1>", _summary(gallery, verdicts), _pose_section(maps)]
    for verdict in verdicts.counts():
        members = sorted(
            (i for i, v in verdicts.found.items() if verdict in v), key=lambda i: verdicts.found[i][verdict]
        )
        parts.append(
            _section(verdict, VERDICTS[verdict], gallery, members, [_caption(verdicts, verdict, i) for i in members])
        )
    if verdicts.spared:
        parts.append(
            _section(
                "kept although blurred",
                "few other faces have this pose",
                gallery,
                verdicts.spared,
                [""] * len(verdicts.spared),
            )
        )
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en">{head}<body>{"".join(parts)}</body></html>'


def _caption(verdicts: Verdicts, verdict: str, index: int) -> str:
    """The score; for what is in front of a face also which kind of mask said so."""
    score = f"{verdicts.found[index][verdict]:.3g}"
    return f"{score} ({verdicts.masks[index]} mask)" if verdict == "obstructed" else score


def _summary(gallery: Gallery, verdicts: Verdicts) -> str:
    rows = "".join(
        f'<tr><th><a href="#{_anchor(v)}">{v}</a></th><td>{n}</td></tr>' for v, n in verdicts.counts().items()
    )
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in verdicts.notes)
    counts = f"{len(gallery)} pictures, {len(verdicts.found)} with a verdict, {len(verdicts.spared)} blurred ones kept for their rare pose"
    counts += f"; masks: {described(counted(verdicts.masks))}"
    return f"<p>{counts}</p><table>{rows}</table>{notes}"


def _anchor(text: str) -> str:
    return text.replace(" ", "-")


def _section(title: str, text: str, gallery: Gallery, members: Sequence[int], captions: Sequence[str]) -> str:
    figures = "".join(_figure(gallery, i, c) for i, c in list(zip(members, captions, strict=True))[:_SHOWN])
    more = f"<p>and {len(members) - _SHOWN} more</p>" if len(members) > _SHOWN else ""
    return (
        f'<h2 id="{_anchor(title)}">{html.escape(title)} ({len(members)})</h2><p>{html.escape(text)}</p>{figures}{more}'
    )


def _figure(gallery: Gallery, index: int, caption: str) -> str:
    name = html.escape(gallery.names[index])
    image = f'<img width="96" height="96" alt="{name}" src="{_data_uri(gallery.read(index))}">'
    return f"<figure>{image}<figcaption>{name} {html.escape(caption)}</figcaption></figure>"


def _data_uri(data: bytes) -> str:
    try:
        image = thumbnail(data)
    except CorruptFileError:
        image = np.zeros((96, 96, 3), np.uint8)
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 75])[1].tobytes()
    return f"data:image/jpeg;base64,{base64.b64encode(encoded).decode()}"


def _pose_section(maps: dict[str, Coverage]) -> str:
    lines = (
        "".join(f'<p class="gap">{line}</p>' for line in gaps(maps["src"], maps["dst"]))
        if {"src", "dst"} <= set(maps)
        else ""
    )
    return "<h2>Poses</h2>" + lines + "".join(_pose_table(side, found) for side, found in maps.items())


def _pose_table(side: str, found: Coverage) -> str:
    """Yaw from left to right, pitch from up to down; brighter cells have more faces."""
    most = max(int(found.counts.max()), 1)
    head = "".join(f"<th>{low}</th>" for low in EDGES[:-1])
    rows = []
    for low, counts in zip(EDGES[-2::-1], found.counts, strict=True):
        rows.append(f"<tr><th>{low}</th>{''.join(_pose_cell(int(n), most) for n in counts)}</tr>")
    title = f"{side}: {int(found.counts.sum())} faces, yaw from degrees across, pitch from degrees down"
    return f"<h3>{title}</h3><table><tr><th></th>{head}</tr>{''.join(rows)}</table>"


def _pose_cell(count: int, most: int) -> str:
    light = 0.15 + 0.85 * np.log1p(count) / np.log1p(most) if count else 0.0
    return f'<td style="background:rgba(80,160,255,{light:.2f})">{count or ""}</td>'
