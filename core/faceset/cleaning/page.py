"""The cleaning report: one HTML page that needs no other file."""

import base64
import html
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import cv2

from core.faceset.cleaning.coverage import Coverage
from core.faceset.cleaning.heat_maps import pose_section
from core.faceset.cleaning.sentences import remarks, score_sentence
from core.faceset.cleaning.verdicts import VERDICTS, Verdicts
from core.faceset.gallery import Gallery
from core.faceset.masks.report import counted, described
from core.faceset.thumbnails import thumbnail

_SHOWN = 120
# Pixels of a picture as it is shown, and of one inside the page that can be enlarged.
_SMALL, _LARGE = 144, 320
_JPEG_QUALITY = 80
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """:root{color-scheme:light dark;--paper:#fff;--ink:#222;--faint:#666;--line:#ccc;
--link:#0550ae;--warn:#a33c00}
@media(prefers-color-scheme:dark){
:root{--paper:#1b1b1b;--ink:#ddd;--faint:#999;--line:#444;--link:#8cf;--warn:#fb6}}
body{font:15px/1.4 sans-serif;background:var(--paper);color:var(--ink);margin:2em auto;max-width:1240px;padding:0 1em}
h1{font-size:1.6em}
h2{margin:1.8em 0 .3em;border-top:1px solid var(--line);padding-top:.8em}
a{color:var(--link)}
.gap{color:var(--warn)}
.maps{display:flex;flex-wrap:wrap;gap:1em 2em}
.map{border-collapse:collapse;font-size:12px}
.map caption{text-align:left;font-weight:bold;padding:.3em 0}
.map th{font-weight:normal;color:var(--faint);padding:2px 5px}
.map td{border:1px solid var(--line);min-width:3.2em;height:2.1em;text-align:center}
.map td.thin{outline:2px solid var(--warn);outline-offset:-2px}
figure{display:inline-block;margin:0 10px 14px 0;width:144px;vertical-align:top}
figure img{width:100%;height:auto;display:block;border-radius:4px}
figure:target{width:320px}
figcaption{font-size:12px;overflow-wrap:anywhere}
figcaption span{color:var(--faint)}"""


def cleaning_page(
    title: str,
    gallery: Gallery,
    verdicts: Verdicts,
    maps: Mapping[str, Coverage],
    places: Mapping[str, str] | None = None,
) -> str:
    """The page, for the folder beside that of the faces.

    maps: side name -> pose coverage; with both src and dst it is said what src lacks.
    places: file name -> where a loose picture is in the folder of the side, of those that are no longer among the
        faces when somebody looks.
    """
    pictures = _Pictures(gallery, places or {})
    parts = [f"<h1>{html.escape(title)}</h1>", _summary(gallery, verdicts), pose_section(maps)]
    parts += [_verdict_section(pictures, verdicts, verdict) for verdict in verdicts.counts()]
    if verdicts.spared:
        text = "These stay: few other faces have their pose."
        parts.append(_section("kept although blurred", text, pictures, verdicts.spared, [""] * len(verdicts.spared)))
    if verdicts.kept_anyway:
        text = "These stay: somebody rejected what cleaning says of them."
        members, reasons = list(verdicts.kept_anyway), list(map(", ".join, verdicts.kept_anyway.values()))
        parts.append(_section("kept anyway", text, pictures, members, reasons))
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    head += '<meta name="viewport" content="width=device-width">'
    head += f"<title>{html.escape(title)}</title><style>{_STYLE}</style>"
    return f'<!doctype html><html lang="en">{head}<body>{"".join(parts)}</body></html>'


class _Pictures:
    """Makes the figures of a page: a small picture that leads to the whole one."""

    def __init__(self, gallery: Gallery, places: Mapping[str, str]):
        self._gallery, self._places = gallery, places

    def figure(self, index: int, caption: str, section: str) -> str:
        """A loose picture leads to its file, one of a pak, which no browser opens, to a larger view on the page."""
        own, packed = self._gallery.names[index], self._gallery.pak is not None
        anchor = f"{_anchor(section)}-{index}"
        place = self._places.get(own, f"{self._gallery.folder.name}/{own}")
        link = f"#{anchor}" if packed else html.escape(f"../{quote(place, errors='surrogateescape')}")
        name = html.escape(_shown(own))
        image = f'<img alt="{name}" loading="lazy" src="{_data_uri(self._gallery.read(index), packed)}">'
        text = f"<br>{html.escape(caption)}" if caption else ""
        return (
            f'<figure id="{anchor}"><a href="{link}">{image}</a>'
            f"<figcaption><span>{name}</span>{text}</figcaption></figure>"
        )


def _shown(name: str) -> str:
    """A file name as text that can be written: what is no text becomes question marks."""
    return name.encode("utf-8", "replace").decode()


def _data_uri(data: bytes, large: bool) -> str:
    image = thumbnail(data, _LARGE if large else _SMALL)
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
    return f"data:image/jpeg;base64,{base64.b64encode(encoded).decode()}"


def _summary(gallery: Gallery, verdicts: Verdicts) -> str:
    fine = len(gallery) - len(verdicts.found)
    rows = [
        f'<li><a href="#{_anchor(verdict)}">{verdict} ({number})</a>: {html.escape(VERDICTS[verdict])}</li>'
        for verdict, number in verdicts.counts().items()
    ]
    if verdicts.spared:
        anchor = _anchor("kept although blurred")
        rows.append(
            f'<li><a href="#{anchor}">kept although blurred ({len(verdicts.spared)})</a>: their pose is rare</li>'
        )
    if verdicts.kept_anyway:
        anchor, number = _anchor("kept anyway"), len(verdicts.kept_anyway)
        rows.append(f'<li><a href="#{anchor}">kept anyway ({number})</a>: somebody rejected what was said of them</li>')
    notes = [f"<p>{html.escape(remark)}</p>" for remark in remarks(verdicts)]
    several = any(len(scores) > 1 for scores in verdicts.found.values())
    counts = f"{len(gallery)} pictures: {fine} are fine, {len(verdicts.found)} are not"
    counts += " (some for several reasons)." if several else "."
    masks = f"Where their masks come from: {described(counted(verdicts.masks))}."
    return f"<p>{counts} {masks}</p><ul>{''.join(rows)}</ul>{''.join(notes)}"


def _anchor(text: str) -> str:
    return text.replace(" ", "-")


def _verdict_section(pictures: _Pictures, verdicts: Verdicts, verdict: str) -> str:
    """The images with a verdict, the lowest score first."""
    members = [index for index, scores in verdicts.found.items() if verdict in scores]
    members.sort(key=lambda index: verdicts.found[index][verdict])
    captions = [score_sentence(verdict, verdicts.found[index][verdict], verdicts.masks[index]) for index in members]
    return _section(verdict, VERDICTS[verdict], pictures, members, captions)


def _section(title: str, text: str, pictures: _Pictures, members: Sequence[int], captions: Sequence[str]) -> str:
    shown = zip(members[:_SHOWN], captions[:_SHOWN], strict=True)
    figures = "".join(pictures.figure(index, caption, title) for index, caption in shown)
    more = f"<p>and {len(members) - _SHOWN} more</p>" if len(members) > _SHOWN else ""
    heading = f'<h2 id="{_anchor(title)}">{html.escape(title)} ({len(members)})</h2>'
    return f"{heading}<p>{html.escape(text)}</p>{figures}{more}"
