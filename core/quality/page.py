"""The page of a judged model, or of two: one HTML file that needs no other, and says that its faces are synthetic."""

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.formats.provenance import CREATOR_TOOL, DIGITAL_SOURCE_TYPE, label_jpeg
from core.imaging.codec import encode_jpeg
from core.quality.figures import Change, Figure
from core.quality.metrics import BY_KEY, VERSION
from core.quality.ranking import RANKED

_SIDE, _QUALITY = 224, 86  # of a picture in the page
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """:root{color-scheme:light dark;--paper:#fff;--ink:#222;--faint:#666;--line:#ccc;--good:#1a7f37;--bad:#a33c00}
@media(prefers-color-scheme:dark){
:root{--paper:#1b1b1b;--ink:#ddd;--faint:#999;--line:#444;--good:#6c6;--bad:#fb6}}
body{font:15px/1.45 sans-serif;background:var(--paper);color:var(--ink);margin:2em auto;max-width:860px;padding:0 1em}
h1{font-size:1.6em}h2{margin:1.8em 0 .4em;border-top:1px solid var(--line);padding-top:.8em}
.note,figcaption,th{color:var(--faint)}.note{font-size:13px}
table{border-collapse:collapse;font-size:14px}th{font-weight:normal;text-align:left}
td,th{padding:3px 14px 3px 0;border-bottom:1px solid var(--line)}td.number{text-align:right;white-space:nowrap}
.better{color:var(--good)}.worse{color:var(--bad)}
figure{margin:0 0 1.2em}figure div{display:flex;gap:4px}figure span{width:33%;font-size:12px;color:var(--faint)}
figure img{width:100%;height:auto;display:block;border-radius:4px}
figcaption{font-size:13px;padding-top:.2em;overflow-wrap:anywhere}"""


@dataclass(frozen=True, eq=False)
class Row:
    """Pictures of a face beside each other. pictures: (title, uint8 BGR); caption: its name and numbers."""

    pictures: Sequence[tuple[str, NDArray[np.uint8]]]
    caption: str


def page(title: str, notes: Sequence[str], parts: Iterable[str]) -> str:
    """notes: what the figures are of. parts: HTML."""
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    head += '<meta name="viewport" content="width=device-width">'
    head += f'<meta name="generator" content="{html.escape(CREATOR_TOOL)}">'
    head += f'<meta name="digital-source-type" content="{DIGITAL_SOURCE_TYPE}">'
    head += f"<title>{html.escape(title)}</title><style>{_STYLE}</style>"
    label = f"The swapped faces on this page are synthetic (made with {CREATOR_TOOL}). Metric version {VERSION}."
    noted = "".join(f'<p class="note">{html.escape(note)}</p>' for note in (*notes, label))
    body = f"<h1>{html.escape(title)}</h1>{noted}{''.join(parts)}"
    return f'<!doctype html><html lang="en">{head}<body>{body}</body></html>\n'


def said(title: str, lines: Sequence[str]) -> str:
    """A heading with sentences below it; nothing without sentences."""
    if not lines:
        return ""
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<h2>{html.escape(title)}</h2><ul>{items}</ul>"


def figure_table(figures: Mapping[str, Figure]) -> str:
    """Every figure with its spread."""
    rows = "".join(_figure_row(figure) for figure in figures.values())
    head = "<tr><th></th><th>mean</th><th>95 % of means</th><th>spread of faces</th><th>faces</th></tr>"
    return f"<h2>Figures</h2><table>{head}{rows}</table>"


def _figure_row(figure: Figure) -> str:
    metric = figure.metric
    numbers = _numbers(metric.text(figure.mean), _range(figure), metric.text(figure.spread), str(figure.count))
    return f"<tr><td>{html.escape(metric.title)}</td>{numbers}</tr>"


def change_table(changes: Sequence[Change], before: str, after: str) -> str:
    """Two models, metric by metric."""
    rows = "".join(
        f"<tr><td>{html.escape(c.metric.title)}</td>"
        f"{_numbers(c.metric.text(c.before), c.metric.text(c.after), _difference(c))}"
        f'<td class="number">{c.better} : {c.worse}</td><td class="{c.verdict}">{c.verdict}</td></tr>'
        for c in changes
    )
    head = f"<tr><th></th><th>{html.escape(before)}</th><th>{html.escape(after)}</th>"
    head += "<th>difference (99 %)</th><th>faces better : worse</th><th></th></tr>"
    return f"<h2>Figures</h2><table>{head}{rows}</table>"


def gallery(title: str, rows: Sequence[Row]) -> str:
    """Rows of pictures below a heading."""
    figures = "".join(
        f"<figure><div>{''.join(_picture(name, image) for name, image in row.pictures)}</div>"
        f"<figcaption>{html.escape(row.caption)}</figcaption></figure>"
        for row in rows
    )
    return f"<h2>{html.escape(title)}</h2>{figures}"


def caption(name: str, face: str, values: Mapping[str, Mapping[str, float]]) -> str:
    """The name of a face and what was measured of its swap."""
    numbers = [
        f"{BY_KEY[key].title} {BY_KEY[key].text(values[key][face])}" for key in RANKED if face in values.get(key, {})
    ]
    return "; ".join([_printable(name), *numbers])


def _picture(title: str, image: NDArray[np.uint8]) -> str:
    smaller = image.shape[0] > _SIDE
    shown = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    data = encode_jpeg(np.asarray(shown, np.uint8), _QUALITY, "420")
    # The picture keeps its label when somebody saves it from the page.
    labelled = base64.b64encode(label_jpeg(data) if title not in ("source", "target") else data).decode()
    return f'<span>{html.escape(title)}<img alt="{html.escape(title)}" src="data:image/jpeg;base64,{labelled}"></span>'


def _numbers(*texts: str) -> str:
    return "".join(f'<td class="number">{html.escape(text)}</td>' for text in texts)


def _range(figure: Figure) -> str:
    metric = figure.metric
    return f"{figure.low * metric.scale:.{metric.digits}f} to {figure.high * metric.scale:.{metric.digits}f}"


def _difference(change: Change) -> str:
    metric = change.metric
    low, high = (f"{value * metric.scale:+.{metric.digits}f}" for value in (change.low, change.high))
    return f"{change.difference * metric.scale:+.{metric.digits}f} ({low} to {high})"


def _printable(name: str) -> str:
    return name.encode("utf-8", "replace").decode()
