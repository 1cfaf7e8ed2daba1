"""Order the faces of one side, group them, or find the bad ones; every change can be undone."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from pydantic import Field

from core.errors import UsageError
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.faceset.sorting.order import Order
    from core.faceset.sorting.ranking import Choices

_GAPS = 5  # that are named
Rows = tuple[tuple[str, object], ...]


class Options(SideOptions):
    by: str = Field(
        "hist",
        description="method, by name or by its number in DeepFaceLab's menu; `list` shows all; `clean` finds bad faces",
    )
    group: str = Field(
        "", description="divide into groups instead: persons, duplicates, or a method with a score such as yaw or blur"
    )
    bins: int = Field(9, ge=1, le=1000, description="with --group: into how many parts a score is cut")
    likeness: float = Field(
        0.3,
        ge=-1,
        le=1,
        description="with --group persons: how alike (mean cosine similarity) faces of one person are; less joins more",
    )
    keep: list[str] = Field(
        [],
        description="with --group and --apply: only these groups stay, such as person_00; other faces go to the trash",
    )
    dry_run: bool = Field(False, description="only write the order and a contact sheet, rename nothing")
    apply: bool = Field(
        False, description="with --by clean and --group: really move the faces; without it there is only a report"
    )
    count: int = Field(2000, ge=1, le=10_000_000, description="how many faces the best-faces methods keep")
    exact_count: bool = Field(
        True, description="keep exactly --count faces; --no-exact-count: about as many, as DeepFaceLab counts"
    )
    similar: bool = Field(True, description="absdiff: go to the most similar face; --no-similar: to the least similar")
    undo: bool = Field(
        False, description="take the last change back (names, trash, groups); repeat it for the one before"
    )
    restore: bool = Field(False, description="bring faces back from the trash (all, or those that --reason names)")
    reason: str = Field(
        "", description="with --restore or --by clean --apply: only faces with this reason, such as blurred"
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    """Do the one thing that was asked for."""
    asked = {"--undo": options.undo, "--restore": options.restore, "--group": bool(options.group)}
    if sum(asked.values()) > 1:
        raise UsageError("choose one of --undo, --restore and --group")
    if options.keep and not options.group:
        raise UsageError(
            "--keep names groups", why="there is no --group", hint="--group persons --keep person_00 --apply"
        )
    if options.by == "list":
        return _list()
    if options.undo:
        return _undo(options, workspace)
    if options.restore:
        return _restore(options, workspace)
    if options.group:
        return _group(options, workspace)
    if options.by == "clean":
        return _clean(options, workspace)
    return _preview(options, workspace) if options.dry_run else _sort(options, workspace)


def _list() -> StageReport:
    from core.faceset.sorting.methods import METHODS

    numbers = ["" if method.number is None else str(method.number) for method in METHODS]
    rows = [(f"{number:>2} {method.name}", method.help) for number, method in zip(numbers, METHODS, strict=True)]
    return StageReport("sort methods", (*rows, ("   clean", "Look for bad faces; --apply moves them to the trash.")))


def _undo(options: Options, workspace: Workspace) -> StageReport:
    from core.jobs.faceset import sort

    done = sort.undo(workspace, options.side)
    warnings = _interrupted(done.completed)
    if done.missing:
        warnings += (f"{len(done.missing)} files were no longer there: {', '.join(done.missing[:5])}",)
    aligned = workspace.side(options.side).aligned
    return StageReport(
        f"undone: {done.what} of {options.side}", (("files moved back", done.moved),), warnings, (aligned,)
    )


def _restore(options: Options, workspace: Workspace) -> StageReport:
    from core.jobs.faceset import sort

    done = sort.restore(workspace, options.side, options.reason)
    aligned = workspace.side(options.side).aligned
    return StageReport(
        f"restored from the {options.side} trash", (("faces", done.faces),), _interrupted(done.completed), (aligned,)
    )


def _sort(options: Options, workspace: Workspace) -> StageReport:
    from core.jobs.faceset import sort

    done = sort.sort(workspace, options.side, options.by, _choices(options))
    side = workspace.side(options.side)
    return StageReport(
        f"sorted the {options.side} faces",
        (*_order_rows(done.order), ("files moved", done.moved)),
        _interrupted(done.completed),
        (side.aligned, side.aligned_trash) if done.order.rejected else (side.aligned,),
    )


def _preview(options: Options, workspace: Workspace) -> StageReport:
    from core.jobs.faceset import sort

    done = sort.preview(workspace, options.side, options.by, _choices(options))
    return StageReport(
        f"order of the {options.side} faces (nothing renamed)",
        _order_rows(done.order),
        _interrupted(done.completed),
        (done.listing, done.sheet),
    )


def _choices(options: Options) -> "Choices":
    from core.faceset.sorting.ranking import Choices

    return Choices(options.count, options.similar, options.exact_count)


def _order_rows(order: "Order") -> Rows:
    rejected = ((f"to the trash: {reason}", number) for reason, number in order.reasons().items())
    return (("method", order.method), ("faces in order", len(order.names)), *rejected)


def _group(options: Options, workspace: Workspace) -> StageReport:
    from core.jobs.faceset import group

    if options.keep and options.apply:
        return _keep(options, workspace)
    work = group.group if options.apply else group.preview_groups
    done = work(workspace, options.side, options.group, options.bins, options.likeness)
    rows, notes = tuple(done.sizes.items()), _interrupted(done.completed)
    if not options.apply:
        title = f"groups of the {options.side} faces (nothing moved; --apply moves)"
        return StageReport(title, rows, notes, (done.folder,) if done.sizes else ())
    hint = "the next steps find no faces in aligned now: --undo brings back all that is still there; "
    hint += "--keep GROUP in place of this leaves one group and moves the others to the trash"
    return StageReport(f"grouped the {options.side} faces", rows, (*notes, hint), (done.folder,))


def _keep(options: Options, workspace: Workspace) -> StageReport:
    from core.jobs.faceset import group

    done = group.keep_groups(
        workspace, options.side, options.group, options.keep, options.bins, likeness=options.likeness
    )
    moved = f"{done.rejected} (--undo brings them back)" if done.rejected else 0
    rows = (*done.sizes.items(), ("kept", done.kept), ("moved to the trash", moved))
    side = workspace.side(options.side)
    notes = _interrupted(done.completed)
    return StageReport(f"kept {', '.join(options.keep)} of {options.side}", rows, notes, (side.aligned,))


def _clean(options: Options, workspace: Workspace) -> StageReport:
    from core.faceset.cleaning.sentences import gap_sentence, remarks
    from core.faceset.masks.report import counted, described
    from core.jobs.faceset import clean

    work = clean.clean if options.apply else clean.review
    done = work(workspace, options.side, _verdicts(options.reason))
    rows = (
        ("pictures", len(done.names)),
        ("masks", described(counted(done.verdicts.masks))),
        *((_label(verdict, done.moving), count) for verdict, count in done.verdicts.counts().items()),
        ("blurred, kept for a rare pose", len(done.verdicts.spared)),
        *_kept_anyway(len(done.verdicts.kept_anyway)),
        ("moved to the trash" if options.apply else "to be moved with --apply", len(done.rejected)),
    )
    trash = (workspace.side(options.side).aligned_trash,) if options.apply else ()
    missing = [gap_sentence(gap) for gap in done.missing]
    more = [f"and {len(missing) - _GAPS} more such gaps, in the report"] if len(missing) > _GAPS else []
    notes = (*_interrupted(done.completed), *remarks(done.verdicts), *missing[:_GAPS], *more)
    if options.apply and not done.rejected:
        notes += ("nothing was moved; --undo would take back the change before this one",)
    return StageReport(f"cleaning of the {options.side} faces", rows, notes, (done.page, *trash))


def _kept_anyway(faces: int) -> Rows:
    return (("kept anyway: somebody rejected the verdict", faces),) if faces else ()


def _label(verdict: str, moving: Collection[str]) -> str:
    return verdict if verdict in moving else f"{verdict} (stays; --reason {verdict.split()[-1]} moves it)"


def _verdicts(reason: str) -> set[str] | None:
    """The verdicts that ``--reason`` names; None without it."""
    from core.faceset.cleaning.verdicts import VERDICTS

    if not reason:
        return None
    found = {verdict for verdict in VERDICTS if reason.lower() in verdict}
    if not found:
        raise UsageError("no verdict has this name", where=f"--reason {reason}", hint=f"one of {', '.join(VERDICTS)}")
    return found


def _interrupted(what: str) -> tuple[str, ...]:
    return (f"an interrupted change ({what}) was completed first",) if what else ()
