"""Order the faces of one side, group them, or find the bad ones; every change can be undone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from core.errors import InputError, UsageError
from core.jobs.side import opened_side
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Side, Workspace

if TYPE_CHECKING:
    from core.faceset.scores.features import Features
    from core.faceset.sorting.order import Order

# In the film every frame needs its face: these verdicts are shown for dst, but move nothing unless --reason asks for them.
_KEPT_IN_DST = {"duplicate", "blurred"}


class Options(SideOptions):
    by: str = Field(
        "hist",
        description="method, by name or by its number in the old menu; `list` shows all; `clean` finds bad faces",
    )
    group: str = Field(
        "", description="divide into bins instead: persons, duplicates, or a method with a score such as yaw or blur"
    )
    bins: int = Field(9, ge=1, le=1000, description="with --group: into how many parts a score is cut")
    dry_run: bool = Field(False, description="only write the order and a contact sheet, rename nothing")
    apply: bool = Field(False, description="with --by clean and --group: move the faces, not only report")
    count: int = Field(2000, ge=1, le=10_000_000, description="how many faces the best-faces methods keep")
    exact_count: bool = Field(
        True, description="keep exactly --count faces; --no-exact-count: about as many, as the original program counts"
    )
    similar: bool = Field(True, description="absdiff: go to the most similar face; --no-similar: to the least similar")
    undo: bool = Field(
        False, description="take the last change back: names, trash and groups; again for the one before"
    )
    restore: bool = Field(False, description="bring faces back from the trash (all, or those that --reason names)")
    reason: str = Field(
        "", description="with --restore or --by clean --apply: only faces with this reason, such as blurred"
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    from core.faceset.sorting.methods import METHODS

    if options.by == "list":
        methods = (
            (f"{'' if method.number is None else method.number:>2} {method.name}", method.help) for method in METHODS
        )
        return StageReport(
            "sort methods", (*methods, ("   clean", "Look for bad faces; --apply moves them to the trash."))
        )
    with opened_side(workspace, options.side) as side:
        notes = (f"an interrupted change ({side.completed}) was completed first",) if side.completed else ()
        return _action(options)(options, side, workspace, notes)


def _action(options: Options):
    chosen = [
        action
        for asked, action in ((options.undo, _undo), (options.restore, _restore), (bool(options.group), _group))
        if asked
    ]
    if len(chosen) > 1:
        raise UsageError("choose one of --undo, --restore and --group")
    return chosen[0] if chosen else (_clean if options.by == "clean" else _sort)


def _undo(options: Options, side: Side, workspace: Workspace, notes: tuple[str, ...]) -> StageReport:
    from core.faceset import journal

    step, missing = journal.undo(side.frames)
    gone = (f"{len(missing)} files were no longer there: {', '.join(missing[:5])}",) if missing else ()
    return StageReport(
        f"undone: {step.what} of {side.name}",
        (("files moved back", len(step.moves) - len(missing)),),
        notes + gone,
        (side.aligned,),
    )


def _restore(options: Options, side: Side, workspace: Workspace, notes: tuple[str, ...]) -> StageReport:
    from core.faceset.sorting.trash import restore

    if side.pak.exists():
        raise InputError(
            "the faceset is packed",
            where=side.pak,
            hint="unpack it first, then restore, then pack again; or --undo the sort",
        )
    step = restore(side.frames, options.reason)
    return StageReport(
        f"restored from the {side.name} trash", (("faces", len(step.moves) if step else 0),), notes, (side.aligned,)
    )


def _sort(options: Options, side: Side, workspace: Workspace, notes: tuple[str, ...]) -> StageReport:
    from core.faceset.sorting.apply import apply
    from core.faceset.sorting.order import arrange
    from core.faceset.sorting.ranking import Choices

    with _features(side) as features:
        order = arrange(features, options.by, Choices(options.count, options.similar, options.exact_count))
        rows = (
            ("method", order.method),
            ("faces in order", len(order.names)),
            *((f"to the trash: {reason}", n) for reason, n in order.reasons().items()),
        )
        if options.dry_run:
            return StageReport(
                f"order of the {side.name} faces (nothing renamed)", rows, notes, _view(_views(side), features, order)
            )
        step = apply(side.frames, features.gallery, order)
    outputs = (side.aligned,) + ((side.aligned_trash,) if order.rejected else ())
    return StageReport(
        f"sorted the {side.name} faces", (*rows, ("files moved", len(step.moves) if step else 0)), notes, outputs
    )


def _group(options: Options, side: Side, workspace: Workspace, notes: tuple[str, ...]) -> StageReport:
    from core.faceset import journal
    from core.faceset.sorting import groups

    with _features(side) as features:
        found = groups.divide(features, options.group, options.bins)
        rows = tuple(zip(found.names, found.sizes(), strict=True))
        if not options.apply:
            folder = _views(side) / f"groups_{options.group}"
            views = [
                _view(folder, features, groups.as_order(features.gallery, found, k))
                for k in range(min(len(found.names), 50))
            ]
            return StageReport(
                f"groups of the {side.name} faces (nothing moved; --apply moves)",
                rows,
                notes,
                (folder,) if views else (),
            )
        if features.gallery.pak is not None:
            raise InputError("a packed faceset cannot be divided into folders", where=side.pak, hint="unpack it first")
        journal.begin(
            side.frames, f"group by {options.group}", groups.into_folders(side.frames, features.gallery, found)
        )
    hint = "--undo brings all that is still there back into aligned"
    return StageReport(f"grouped the {side.name} faces", rows, (*notes, hint), (side.frames / groups.GROUPS_FOLDER,))


def _clean(options: Options, side: Side, workspace: Workspace, notes: tuple[str, ...]) -> StageReport:
    from core.faceset.cleaning import verdicts as clean
    from core.faceset.masks.report import counted, described
    from core.faceset.sorting.apply import apply
    from core.faceset.sorting.order import Order

    wanted = _wanted(options, side)
    with _features(side) as features:
        verdicts = clean.judge(features)
        page = _cleaning_page(side, workspace, features, verdicts)
        names = features.gallery.names
        thrown = {names[i]: verdicts.reason(i) for i in sorted(verdicts.found) if wanted & set(verdicts.found[i])}
        rows = (
            ("pictures", len(names)),
            ("masks", described(counted(verdicts.masks))),
            *verdicts.counts().items(),
            ("blurred, kept for a rare pose", len(verdicts.spared)),
        )
        if options.apply:
            kept = tuple(name for name in names if name not in thrown)
            if not kept:
                raise InputError(
                    "every face has a verdict: nothing would be left", where=side.aligned, hint=f"look at {page}"
                )
            apply(side.frames, features.gallery, Order("clean", kept, rejected=thrown, renumber=False), "clean")
    moved = ("moved to the trash" if options.apply else "to be moved with --apply", len(thrown))
    outputs = (page, side.aligned_trash) if options.apply else (page,)
    return StageReport(f"cleaning of the {side.name} faces", (*rows, moved), (*notes, *verdicts.notes), outputs)


def _wanted(options: Options, side: Side) -> set[str]:
    """The verdicts that move a face."""
    from core.faceset.cleaning.verdicts import VERDICTS

    if options.reason:
        found = {verdict for verdict in VERDICTS if options.reason.lower() in verdict}
        if not found:
            raise UsageError(
                "no verdict has this name", where=f"--reason {options.reason}", hint=f"one of {', '.join(VERDICTS)}"
            )
        return found
    return set(VERDICTS) - (_KEPT_IN_DST if side.name == "dst" else set())


def _cleaning_page(side: Side, workspace: Workspace, features: "Features", verdicts) -> Path:
    from core.faceset.cleaning.coverage import Coverage, coverage
    from core.faceset.cleaning.page import cleaning_page
    from core.fsio import write_text

    maps: dict[str, Coverage] = {}
    for name in ("src", "dst"):
        other = workspace.side(name)
        if name == side.name:
            maps[name] = coverage(features["yaw"], features["pitch"])
        elif _has_faces(other):
            with _features(other) as those:
                maps[name] = coverage(those["yaw"], those["pitch"])
    page = _views(side) / "clean.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    write_text(page, cleaning_page(f"Cleaning of the {side.name} faces", features.gallery, verdicts, maps))
    return page


def _has_faces(side: Side) -> bool:
    from core.workspace import list_images

    return side.pak.exists() != bool(list_images(side.aligned))


@contextmanager
def _features(side: Side) -> "Iterator[Features]":
    from core.faceset.gallery import open_gallery
    from core.faceset.scores.features import Features
    from core.faceset.scores.persons import identities

    with open_gallery(side.aligned) as gallery:
        yield Features(gallery, identities(side.frames, side.database, _embedder))


def _embedder():
    from core.faces.embedders import sface

    return sface.create().embed


def _views(side: Side) -> Path:
    return side.frames / "aligned_views"


def _view(folder: Path, features: "Features", order: "Order") -> tuple[Path, Path]:
    from core.faceset.sorting.views import write_views

    return write_views(folder, features.gallery, order)
