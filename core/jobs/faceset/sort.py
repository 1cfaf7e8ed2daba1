"""Ordering the faces of a side, looking at an order first, and taking changes back."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.faceset import journal
from core.faceset.sorting.apply import apply
from core.faceset.sorting.order import Order, arrange
from core.faceset.sorting.ranking import Choices
from core.faceset.sorting.trash import restore as bring_back
from core.faceset.sorting.views import write_views
from core.jobs.faceset.scoring import scored_faces
from core.jobs.side import opened_side
from core.workspace import Side, Workspace

_USUAL = Choices()


@dataclass(frozen=True)
class Sorted:
    """What sorting did.

    order: of the names that the faces had; rejected ones are in the trash now.
    moved: files that got another name or place.
    completed: the interrupted change that was completed first, or "".
    """

    order: Order
    moved: int
    completed: str


@dataclass(frozen=True)
class Preview:
    """An order that was only written down.

    listing: JSON with the names, scores and what would be rejected.
    sheet: a contact sheet, JPEG.
    completed: the interrupted change that was completed first, or "".
    """

    order: Order
    listing: Path
    sheet: Path
    completed: str


@dataclass(frozen=True)
class Undone:
    """A change that was taken back.

    what: its name, such as "sort by yaw".
    moved: files that are where they were.
    missing: files that were no longer there, relative to the folder of the side.
    completed: the interrupted change that was completed first, or "".
    """

    what: str
    moved: int
    missing: tuple[str, ...]
    completed: str


@dataclass(frozen=True)
class Restored:
    """Faces that came back from the trash.

    faces: how many.
    completed: the interrupted change that was completed first, or "".
    """

    faces: int
    completed: str


def sort(workspace: Workspace, side_name: str, by: str, choices: Choices = _USUAL) -> Sorted:
    """Name the faces of a side in order, and move the rejected ones to the trash; one change that can be undone.

    by: a method of ``core.faceset.sorting.methods``, by name, alias or number.

    Raises:
        UsageError: there is no such method.
        InputError: there are no faces, both packed and loose ones, none would be left, or another run holds the side.
    """
    with opened_side(workspace, side_name) as side, scored_faces(side) as features:
        order = arrange(features, by, choices)
        _require_some_left(side, order)
        step = apply(side.frames, features.gallery, order)
        return Sorted(order, len(step.moves) if step else 0, side.completed)


def _require_some_left(side: Side, order: Order) -> None:
    """Nobody sorts to throw everything away: then these are no faces, or the choices are wrong."""
    if order.names:
        return
    reasons = ", ".join(f"{count} {reason}" for reason, count in Counter(order.rejected.values()).most_common(3))
    raise InputError(
        "nothing would be left",
        where=side.aligned,
        why=f"all {len(order.rejected)} images would go to the trash: {reasons}",
        hint="face files of other programs carry other metadata: extract the faces of the frames again",
    )


def preview(workspace: Workspace, side_name: str, by: str, choices: Choices = _USUAL) -> Preview:
    """Write the order as a listing and a contact sheet into ``aligned_views``; no face is touched.

    Raises what ``sort`` raises.
    """
    with opened_side(workspace, side_name) as side, scored_faces(side) as features:
        order = arrange(features, by, choices)
        listing, sheet = write_views(side.aligned_views, features.gallery, order)
        return Preview(order, listing, sheet, side.completed)


def undo(workspace: Workspace, side_name: str) -> Undone:
    """Take the last change of names and places back; again for the one before.

    Raises:
        InputError: there is nothing to undo, another file has a name that comes back, or another run holds the side.
    """
    with opened_side(workspace, side_name) as side:
        step, missing = journal.undo(side.frames)
        return Undone(step.what, len(step.moves) - len(missing), tuple(missing), side.completed)


def restore(workspace: Workspace, side_name: str, reason: str = "") -> Restored:
    """Bring faces back from the trash, under the names they had where those are free.

    reason: only faces that were thrown out for a reason that contains it; "" for all.

    Raises:
        InputError: the faceset is packed, or another run holds the side.
    """
    with opened_side(workspace, side_name) as side:
        if side.pak.exists():
            raise InputError(
                "the faceset is packed",
                where=side.pak,
                hint="unpack it first, then restore, then pack again; or --undo the sort",
            )
        step = bring_back(side.frames, reason)
        return Restored(len(step.moves) if step else 0, side.completed)
