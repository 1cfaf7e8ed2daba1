"""take in faces from faceswap's alignments (.fsa of any version, .json, .pickle) or from an exported JSON"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from core.options import Positional, SideOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.alignments.exchange.import_ import Imported

_SHOWN = 20
_PREFER = "which of two that are the same face counts: what is here (it gets the masks that it lacks), or the file"


class Options(SideOptions):
    """Flags of the stage."""

    file: Positional[Path] = Field(description="the file; your own stays as it is")
    prefer: Literal["here", "file"] = Field("here", description=_PREFER)


def run(options: Options, workspace: Workspace) -> StageReport:
    """Take in the faces of a file; `alignments undo` takes it back."""
    from core.jobs.alignments.exchange.import_ import import_file

    done = import_file(workspace, options.side, options.file, prefer_file=options.prefer == "file")
    return imported_report(options.side, options.file.name, done)


def imported_report(side: str, source: str, done: "Imported") -> StageReport:
    """What imports say."""
    merged = done.merged
    rows: list[tuple[str, object]] = [
        ("frames in it", done.frames),
        ("faces in it", done.faces),
        ("new faces", merged.added),
        ("made as in the file", merged.updated),
        ("here already", merged.kept),
        ("of these, got what they lacked", merged.completed),
        ("new frames", len(merged.frames)),
    ]
    optional = (
        ("pictures of a face that another one shows", merged.doubled),
        ("here already, but filtered or dropped, and so they stay (--prefer file takes them)", merged.not_kept_here),
        ("frames that are not on the disk", len(done.without_frame)),
    )
    rows += [(what, count) for what, count in optional if count]
    if done.film:
        rows.append(("frames, by number, of the film", done.film))
    if merged.added:
        rows.append(("pictures of new faces", f"bash scripts/alignments.sh extract {side}"))
    warnings = [*done.remarks, *_named(done.left_out)]
    if done.choice:
        warnings.append(f"the frames step took only some frames ({done.choice}): numbers may not be those of the film")
    return StageReport(f"data_{side}: faces of {source}", tuple(rows), tuple(warnings))


def _named(left_out: Sequence[tuple[str, str]]) -> list[str]:
    more = [f"and {len(left_out) - _SHOWN} more"] if len(left_out) > _SHOWN else []
    return [*(f"left out: {name}: {why}" for name, why in left_out[:_SHOWN]), *more]
