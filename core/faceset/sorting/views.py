"""An order to look at before it is put into effect: a listing for programs and a contact sheet for people."""

import json
from pathlib import Path

import numpy as np

from core.faceset.gallery import Gallery
from core.faceset.sorting.methods import METHODS
from core.faceset.sorting.order import Order
from core.faceset.thumbnails import contact_sheet
from core.fsio import write_bytes, write_text
from core.safe_paths import own_folder


def write_views(folder: Path, gallery: Gallery, order: Order) -> tuple[Path, Path]:
    """Write ``<method>.json`` and ``<method>.jpg`` into ``folder``; returns their paths."""
    own_folder(folder)
    listing, sheet = folder / f"{order.method}.json", folder / f"{order.method}.jpg"
    write_text(listing, _listing(order))
    write_bytes(sheet, contact_sheet(gallery, _captions(gallery, order), _header(order)))
    return listing, sheet


def _listing(order: Order) -> str:
    """JSON: the faces as [{"name", "score"}...], angles in degrees, and what would be thrown out."""
    scores = order.shown_scores() or (np.nan,) * len(order.names)
    faces = [
        {"name": name} if np.isnan(score) else {"name": name, "score": score}
        for name, score in zip(order.names, scores, strict=True)
    ]
    return json.dumps({"method": order.method, "faces": faces, "rejected": order.rejected}, indent=1) + "\n"


def _header(order: Order) -> str:
    """What the order is; a group has only its name."""
    about = [f": {method.help}" for method in METHODS if method.name == order.method]
    return f"{order.method}{''.join(about)}"


def _captions(gallery: Gallery, order: Order) -> list[tuple[int, str]]:
    """(index in the gallery, place and score) in order."""
    index = {name: i for i, name in enumerate(gallery.names)}
    scores = [_score(score, order.angles) for score in order.shown_scores()] or [""] * len(order.names)
    return [
        (index[name], f"{place}: {score}" if score else str(place))
        for place, (name, score) in enumerate(zip(order.names, scores, strict=True))
    ]


def _score(score: float, angle: bool) -> str:
    """A number as people read it: three digits that count, whole ones where it is large."""
    if np.isnan(score):
        return "unknown"
    if angle:
        return f"{score:.1f} degrees"
    return f"{score:,.0f}" if abs(score) >= 100 else f"{score:.3g}"
