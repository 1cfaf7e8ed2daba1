"""Putting an order into effect, on a folder of loose images or on a pak."""

from collections.abc import Iterable
from pathlib import Path

from core.faceset import journal
from core.faceset.gallery import Gallery
from core.faceset.journal import ALIGNED, Move
from core.faceset.sorting.order import Order
from core.faceset.sorting.pak_order import apply_to_pak
from core.faceset.sorting.trash import to_trash


def apply(
    frames: Path, gallery: Gallery, order: Order, what: str = "", persons: Iterable[tuple[str, str, str]] = ()
) -> journal.Step | None:
    """Rename the images, and move the rejected ones to the trash, as one step that can be undone.

    frames: the folder of the side.
    what: name of the step; without it "sort by" the method.
    persons: as in ``journal.begin``; of loose faces.

    Returns None when nothing changes.
    """
    what = what or f"sort by {order.method}"
    if gallery.pak is None:
        return journal.begin(frames, what, _moves(frames, order), persons=persons)
    if not order.renumber and not order.rejected:
        return None  # writing the pak anew would change nothing
    return apply_to_pak(frames, gallery.pak, gallery.names, order, what)


def _moves(frames: Path, order: Order) -> list[Move]:
    moves = to_trash(frames, order.rejected)
    if order.renumber:
        moves += [
            Move(f"{ALIGNED}/{old}", f"{ALIGNED}/{new}")
            for old, new in zip(order.names, order.new_names(), strict=True)
        ]
    return moves
