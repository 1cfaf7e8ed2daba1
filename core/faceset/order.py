"""From a sort method to names on disk: compute an order, look at it, apply it."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.faceset import journal, sorting
from core.faceset.gallery import Gallery
from core.faceset.journal import ALIGNED, TRASH, Move
from core.faceset.ranking import Choices, Ranking
from core.faceset.scores.features import Features
from core.fsio import write_text

# Methods whose scores are angles, in radians.
ANGLES = frozenset({"yaw", "pitch", "roll", "tilt"})
UNREADABLE = "cannot be decoded"


@dataclass(frozen=True)
class Order:
    """names: file names first to last; scores: for display, NaN or empty where there is none; rejected: name -> reason."""

    method: str
    names: tuple[str, ...]
    scores: tuple[float, ...]
    rejected: dict[str, str]
    renumber: bool = True

    def reasons(self) -> dict[str, int]:
        """Reason -> how many."""
        return dict(Counter(self.rejected.values()).most_common())


def arrange(features: Features, method: str, choices: Choices) -> tuple[Order, Ranking]:
    """Run a sort method. Pictures that cannot be decoded are rejected by every method. Raises UsageError for an unknown method."""
    name = sorting.resolve(method)
    ranking = _without_unreadable(features, sorting.load(name).rank(features, choices))
    names = features.gallery.names
    scores = () if ranking.scores is None else tuple(float(ranking.scores[i]) for i in ranking.order)
    rejected = {names[i]: reason for i, reason in sorted(ranking.rejected.items())}
    return Order(name, tuple(names[i] for i in ranking.order), scores, rejected, ranking.renumber), ranking


def _without_unreadable(features: Features, ranking: Ranking) -> Ranking:
    bad = np.flatnonzero(~features.readable())
    if not len(bad):
        return ranking
    order = ranking.order[~np.isin(ranking.order, bad)]
    return replace(ranking, order=order, rejected=ranking.rejected | {int(i): UNREADABLE for i in bad})


def write_view(folder: Path, order: Order) -> Path:
    """The order as a JSON file that people and programs can read: [{"name", "score"}...], angles in degrees, and what would be thrown out."""
    path = folder / f"{order.method}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    scores = _shown(order) or (None,) * len(order.names)
    faces = [
        {"name": name} if score is None or np.isnan(score) else {"name": name, "score": score}
        for name, score in zip(order.names, scores, strict=True)
    ]
    write_text(path, json.dumps({"method": order.method, "faces": faces, "rejected": order.rejected}, indent=1) + "\n")
    return path


def _shown(order: Order) -> tuple[float, ...]:
    return tuple(map(math.degrees, order.scores)) if order.method in ANGLES else order.scores


def numbered(names: Sequence[str]) -> list[str]:
    """New file names 00000, 00001, ... with the old suffixes; wide enough that the order of strings is the order of numbers."""
    width = max(5, len(str(max(len(names) - 1, 0))))
    return [f"{index:0{width}d}{Path(name).suffix}" for index, name in enumerate(names)]


def apply(frames: Path, gallery: Gallery, order: Order, what: str = "") -> journal.Step | None:
    """Put an order into effect on a folder or a pak; None when nothing changes."""
    what = what or f"sort by {order.method}"
    if gallery.pak is None:
        return journal.begin(frames, what, plan(frames, order))
    if not order.renumber and not order.rejected:
        return None
    from core.faceset import pak_order

    return pak_order.apply(frames, gallery, order, what)


def plan(frames: Path, order: Order) -> list[Move]:
    """The moves that apply an order to the loose pictures of a side: numbers for those that stay, the trash for the rejected."""
    planned = to_trash(frames, order.rejected)
    if not order.renumber:
        return planned
    return planned + [
        Move(f"{ALIGNED}/{old}", f"{ALIGNED}/{new}")
        for old, new in zip(order.names, numbered(order.names), strict=True)
    ]


def to_trash(frames: Path, rejected: dict[str, str]) -> list[Move]:
    """Moves into the trash folder, where a name that is taken gets a number."""
    taken: set[str] = set()
    return [
        Move(f"{ALIGNED}/{name}", f"{TRASH}/{free_name(frames / TRASH, name, taken)}", reason)
        for name, reason in rejected.items()
    ]


def free_name(folder: Path, name: str, taken: set[str]) -> str:
    """``name``, or ``stem~2.jpg`` and so on when it is taken in ``folder`` or in ``taken``, to which the answer is added."""
    candidate, number = name, 1
    while candidate in taken or (folder / candidate).exists():
        number += 1
        candidate = f"{Path(name).stem}~{number}{Path(name).suffix}"
    taken.add(candidate)
    return candidate


def restore(frames: Path, reason: str = "") -> journal.Step | None:
    """Bring pictures back from the trash under the names they had (or free ones); only those whose reason contains ``reason`` when it is given."""
    trash = frames / TRASH
    last = {entry["file"]: entry for entry in journal.read_trash_log(frames)}
    planned, taken = [], set[str]()
    for path in sorted(trash.iterdir()) if trash.is_dir() else []:
        entry = last.get(path.name, {})
        if path.name == journal.TRASH_LOG or not path.is_file() or path.name.startswith("."):
            continue
        if reason and reason.lower() not in entry.get("reason", "").lower():
            continue
        name = Path(entry.get("from", path.name)).name
        planned.append(
            Move(f"{TRASH}/{path.name}", f"{ALIGNED}/{free_name(frames / ALIGNED, name, taken)}", "restored")
        )
    return journal.begin(frames, f"restore {reason}".strip(), planned)


def gallery_scores(gallery: Gallery, order: Order) -> list[tuple[int, str]]:
    """For a contact sheet: (index, caption) in order."""
    index = {name: i for i, name in enumerate(gallery.names)}
    captions = [f"{s:.3g}" if not np.isnan(s) else "-" for s in _shown(order)] or [""] * len(order.names)
    return [
        (index[name], f"{place} {caption}".strip())
        for place, (name, caption) in enumerate(zip(order.names, captions, strict=True))
    ]
