"""Dividing the faces of a side into folders, by person, by likeness or by a score."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError, UsageError
from core.faceset import journal
from core.faceset.database import faces, images
from core.faceset.database.connection import open_database
from core.faceset.gallery import Gallery
from core.faceset.scores.features import Features
from core.faceset.scores.persons import SAME_PERSON
from core.faceset.sorting import methods
from core.faceset.sorting.apply import apply
from core.faceset.sorting.groups import GROUPS_FOLDER, PERSONS, Groups, as_order, divide, into_folders
from core.faceset.sorting.order import Order
from core.faceset.sorting.views import write_views
from core.jobs.faceset.scoring import scored_faces
from core.jobs.side import opened_side
from core.workspace import Side, Workspace

PARTS = 9
_MOST_VIEWS = 50


@dataclass(frozen=True)
class Grouped:
    """A division of a side.

    sizes: group -> faces.
    folder: where the groups are; of a preview, where their views are.
    completed: the interrupted change that was completed first, or "".
    """

    sizes: dict[str, int]
    folder: Path
    completed: str


@dataclass(frozen=True)
class Kept:
    """What is left of a side.

    sizes: group -> faces, before. kept: faces that stayed. rejected: faces that went to the trash.
    completed: the interrupted change that was completed first, or "".
    """

    sizes: dict[str, int]
    kept: int
    rejected: int
    completed: str


def group(workspace: Workspace, side_name: str, by: str, parts: int = PARTS, likeness: float = SAME_PERSON) -> Grouped:
    """Move the faces of a side into ``aligned_groups/<group>``; one change that can be undone.

    by: persons, duplicates, or a sort method with a score, which is cut into so many equal ``parts``. likeness: mean
    cosine similarity from which on faces are one person.

    Raises:
        UsageError: there is no such method, or it has no score.
        InputError: the faceset is packed, there are no faces, or another run holds the side.
    """
    with opened_side(workspace, side_name) as side, scored_faces(side) as features:
        # Said before anything is scored, which may take long.
        if features.gallery.pak is not None:
            raise InputError("a packed faceset cannot be divided into folders", where=side.pak, hint="unpack it first")
        method = methods.find(by).name
        groups = divide(features, method, parts, likeness)
        persons = _persons(side, features.gallery, groups) if method in PERSONS else ()
        moves = into_folders(side.frames, features.gallery, groups)
        journal.begin(side.frames, f"group by {method}", moves, persons=persons)
        return Grouped(_sizes(groups), side.frames / GROUPS_FOLDER, side.completed)


def keep_groups(
    workspace: Workspace,
    side_name: str,
    by: str,
    keep: Collection[str],
    parts: int = PARTS,
    likeness: float = SAME_PERSON,
) -> Kept:
    """Leave the faces of some groups where they are, and move all others to the trash; one change that can be undone.

    by, parts, likeness: as in ``group``. keep: names of groups.

    Raises what ``group`` raises, but works on packed facesets, too; and:
        UsageError: there is no such group.
    """
    with opened_side(workspace, side_name) as side, scored_faces(side) as features:
        method, names = methods.find(by).name, features.gallery.names
        groups = divide(features, method, parts, likeness)
        sizes = _sizes(groups)
        unknown = sorted(set(keep) - sizes.keys())
        if unknown:
            hint = "without --apply the groups are listed and shown"
            raise UsageError(
                "no such group", where=", ".join(unknown), why=f"there are {', '.join(sizes) or 'none'}", hint=hint
            )
        labels = [groups.names[label] if label >= 0 else "in no group" for label in groups.labels.tolist()]
        rejected = {name: label for name, label in zip(names, labels, strict=True) if label not in keep}
        order = Order(method, tuple(name for name in names if name not in rejected), rejected=rejected, renumber=False)
        persons = _persons(side, features.gallery, groups) if method in PERSONS and features.gallery.pak is None else ()
        apply(side.frames, features.gallery, order, f"keep {', '.join(sorted(keep))}", persons)
        return Kept(sizes, len(order.names), len(rejected), side.completed)


def preview_groups(
    workspace: Workspace, side_name: str, by: str, parts: int = PARTS, likeness: float = SAME_PERSON
) -> Grouped:
    """Write each group as a listing and a contact sheet into ``aligned_views``, of 50 at most; no face is touched.

    Raises what ``group`` raises, but looks at packed facesets, too.
    """
    with opened_side(workspace, side_name) as side, scored_faces(side) as features:
        method = methods.find(by).name
        groups = divide(features, method, parts, likeness)
        folder = side.aligned_views / f"groups_{method}"
        _write_groups(folder, features, groups)
        return Grouped(_sizes(groups), folder, side.completed)


def _write_groups(folder: Path, features: Features, groups: Groups) -> None:
    for label in range(min(len(groups.names), _MOST_VIEWS)):
        write_views(folder, features.gallery, as_order(features.gallery, groups, label))


def _persons(side: Side, gallery: Gallery, groups: Groups) -> list[tuple[str, str, str]]:
    """Who each face was and is now, by its id: the database says so, wherever its file goes."""
    with open_database(side.database) as connection:
        face_of = {row.name: row.face for row in images.images(connection, images.ALIGNED)}
        before = faces.persons(connection)
    return [
        (face_of[name], before.get(face_of[name], ""), groups.names[label])
        for name, label in zip(gallery.names, groups.labels.tolist(), strict=True)
        if name in face_of and label >= 0
    ]


def _sizes(groups: Groups) -> dict[str, int]:
    return dict(zip(groups.names, groups.sizes(), strict=True))
