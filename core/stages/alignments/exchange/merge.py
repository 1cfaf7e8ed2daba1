"""join several databases or alignments files of one film into the database of a side"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from core.options import Positional, SideOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    """Flags of the stage."""

    files: Positional[list[Path]] = Field(description="databases (faces.db) and alignments files (.fsa)")
    prefer: Literal["here", "file"] = Field(
        "here",
        description="which of two that are the same face counts: what is here (it gets what it lacks), or the file",
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    """Join them."""
    from core.jobs.alignments.exchange.merge_files import merge_files

    done = merge_files(workspace, options.side, options.files, prefer_file=options.prefer == "file")
    rows: list[tuple[str, object]] = []
    for one in done:
        merged = one.merged
        text = (
            f"{one.faces} faces: {merged.added} new, {merged.updated} made as in the file, {merged.kept} here already"
        )
        rows.append((one.name, text))
        rows += [(f"{one.name}, remark", f"{what}: {count}") for what, count in merged.remarks.items()]
    rows.append(("pictures of new faces", f"bash scripts/alignments.sh extract {options.side}"))
    return StageReport(f"data_{options.side}: {len(done)} files joined", tuple(rows))
