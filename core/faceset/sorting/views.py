"""An order to look at before it is put into effect: a listing for programs and a contact sheet for people."""

import json
from pathlib import Path

import numpy as np

from core.faceset.gallery import Gallery
from core.faceset.sorting.order import Order
from core.faceset.thumbnails import contact_sheet
from core.fsio import write_bytes, write_text
from core.safe_paths import own_folder


def write_views(folder: Path, gallery: Gallery, order: Order) -> tuple[Path, Path]:
    """Write ``<method>.json`` and ``<method>.jpg`` into ``folder``; returns their paths."""
    own_folder(folder)
    listing, sheet = folder / f"{order.method}.json", folder / f"{order.method}.jpg"
    write_text(listing, _listing(order))
    write_bytes(sheet, contact_sheet(gallery, _captions(gallery, order)))
    return listing, sheet


def _listing(order: Order) -> str:
    """JSON: the faces as [{"name", "score"}...], angles in degrees, and what would be thrown out."""
    scores = order.shown_scores() or (np.nan,) * len(order.names)
    faces = [
        {"name": name} if np.isnan(score) else {"name": name, "score": score}
        for name, score in zip(order.names, scores, strict=True)
    ]
    return json.dumps({"method": order.method, "faces": faces, "rejected": order.rejected}, indent=1) + "\n"


def _captions(gallery: Gallery, order: Order) -> list[tuple[int, str]]:
    """(index in the gallery, place and score) in order."""
    index = {name: i for i, name in enumerate(gallery.names)}
    captions = [_caption(score) for score in order.shown_scores()] or [""] * len(order.names)
    return [
        (index[name], f"{place} {caption}".strip())
        for place, (name, caption) in enumerate(zip(order.names, captions, strict=True))
    ]


def _caption(score: float) -> str:
    return "-" if np.isnan(score) else f"{score:.3g}"
