"""Finding bad faces of a side, and moving them to the trash."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.faceset.cleaning.coverage import Coverage, Gap, coverage, gaps
from core.faceset.cleaning.page import cleaning_page
from core.faceset.cleaning.rejected import rejected_of
from core.faceset.cleaning.verdicts import VERDICTS, Verdicts, judge
from core.faceset.database.connection import open_database
from core.faceset.scores.features import Features
from core.faceset.sorting.apply import apply
from core.faceset.sorting.order import Order
from core.faceset.sorting.trash import to_trash
from core.fsio import write_text
from core.jobs.faceset.scoring import scored_faces
from core.jobs.side import OpenedSide, opened_side
from core.safe_paths import own_folder
from core.workspace import Side, Workspace

# In the film every frame needs its face: these verdicts are shown for dst, but move nothing unless they are asked for.
_KEPT_IN_DST = {"duplicate", "blurred"}


@dataclass(frozen=True)
class Review:
    """What was found about the faces of a side.

    names: file names of the images looked at, before anything was moved.
    verdicts: what was found about them, in the places of ``names``; without the verdicts that a person has rejected.
    rejected: file name -> verdicts, of the images that are to go, or have gone.
    moving: the verdicts that make an image go.
    poses: side -> which way its faces look; of both sides where both have faces.
    page: the report, HTML.
    completed: the interrupted change that was completed first, or "".
    """

    names: tuple[str, ...]
    verdicts: Verdicts
    rejected: dict[str, str]
    moving: frozenset[str]
    poses: Mapping[str, Coverage]
    page: Path
    completed: str

    @property
    def missing(self) -> list[Gap]:
        """Poses that dst has and src lacks."""
        return gaps(self.poses["src"], self.poses["dst"]) if len(self.poses) == 2 else []


def review(workspace: Workspace, side_name: str, moving: Collection[str] | None = None) -> Review:
    """Judge all faces of a side and write the report ``aligned_views/clean.html``; no face is touched.

    moving: the verdicts that make a face go, of ``core.faceset.cleaning.verdicts.VERDICTS``; None for the usual ones.

    Raises:
        InputError: there are no faces, both packed and loose ones, or another run holds the side.
    """
    with _judged(workspace, side_name, moving) as (side, features, found):
        _write_page(side, features, found)
        return found


def clean(workspace: Workspace, side_name: str, moving: Collection[str] | None = None) -> Review:
    """Judge as ``review`` does, and move the rejected faces to the trash; one change that can be undone.

    Raises what ``review`` raises, and:
        InputError: nothing would be left.
    """
    with _judged(workspace, side_name, moving) as (side, features, found):
        kept = tuple(name for name in found.names if name not in found.rejected)
        if not kept:
            _write_page(side, features, found)
            raise InputError(
                "every face has a verdict: nothing would be left", where=side.aligned, hint=f"look at {found.page}"
            )
        # What is left keeps its names, and so its order.
        order = Order("clean", kept, rejected=found.rejected, renumber=False)
        moves = to_trash(side.frames, found.rejected) if features.gallery.pak is None else []
        # Before they go, for the page reads them; it leads to where they will be.
        _write_page(side, features, found, {Path(move.source).name: move.target for move in moves})
        apply(side.frames, features.gallery, order, "clean")
        return found


def usual_verdicts(side_name: str) -> set[str]:
    """The verdicts that make a face of this side go when nothing else is asked for."""
    return set(VERDICTS) - (_KEPT_IN_DST if side_name == "dst" else set())


@contextmanager
def _judged(
    workspace: Workspace, side_name: str, moving: Collection[str] | None
) -> Iterator[tuple[OpenedSide, Features, Review]]:
    wanted = frozenset(usual_verdicts(side_name) if moving is None else moving)
    with opened_side(workspace, side_name) as side, scored_faces(side) as features:
        verdicts = judge(features).without(_rejected(side, features))
        names = features.gallery.names
        rejected = {names[i]: verdicts.reason(i) for i in sorted(verdicts.found) if wanted & set(verdicts.found[i])}
        page, poses = side.aligned_views / "clean.html", _pose_maps(side, features)
        found = Review(
            names=names,
            verdicts=verdicts,
            rejected=rejected,
            moving=wanted,
            poses=poses,
            page=page,
            completed=side.completed,
        )
        yield side, features, found


def _rejected(side: Side, features: Features) -> dict[int, tuple[str, ...]]:
    """Image -> verdicts that a person has rejected."""
    if not side.database.is_file():
        return {}
    with open_database(side.database) as connection:
        return rejected_of(connection, features.gallery)


def _write_page(side: Side, features: Features, found: Review, places: Mapping[str, str] | None = None) -> None:
    """The report. places: as ``cleaning_page`` takes them."""
    own_folder(found.page.parent)
    title = f"Cleaning of the {side.name} faces"
    page = cleaning_page(title, features.gallery, found.verdicts, found.poses, places)
    write_text(found.page, page)


def _pose_maps(side: Side, features: Features) -> dict[str, Coverage]:
    """The poses of both sides, where the other one has faces."""
    maps: dict[str, Coverage] = {}
    for other in (side.workspace.side("src"), side.workspace.side("dst")):
        if other.name == side.name:
            maps[side.name] = _poses(features)
        elif other.has_faces():
            with scored_faces(other, only_to_look=True) as those:
                maps[other.name] = _poses(those)
    return maps


def _poses(features: Features) -> Coverage:
    return coverage(features["head_yaw"], features["head_pitch"])
