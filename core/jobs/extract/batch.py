"""Many films and folders of pictures, each a job in a workspace of its own."""

import json
import logging
import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core import fsio
from core.errors import InputError, OutOfMemoryFault, PipelineError, from_os_error
from core.safe_paths import own_folder
from core.video.find import what_it_is
from core.workspace import Side, Workspace, list_frames

log = logging.getLogger(__name__)
FOLDER, REPORT = "batch", "report.json"


@dataclass(frozen=True)
class BatchJob:
    """What came of a source.

    name: of its workspace. source: film or folder. code: exit code, 0 where all is well. line: the result in a line.
    """

    name: str
    source: Path
    workspace: Path
    code: int
    line: str


@dataclass(frozen=True)
class Batch:
    """jobs: in the order of their names. folder: where their workspaces are. report: the same as a JSON file."""

    jobs: tuple[BatchJob, ...]
    folder: Path
    report: Path


def run_batch(workspace: Workspace, side: str, sources: Path, run: Callable[[Workspace, bool], str]) -> Batch:
    """Run a job for each film and each folder of pictures in the folder ``sources``, which stay as they are.

    Each gets the workspace ``batch/NAME``, with a link to the film, or to the pictures, in the place where a side has
    them. One that fails does not stop the others.

    side: ``src`` or ``dst``. run: does it in a workspace, told whether the source is a film; returns a line about it.

    Raises:
        InputError: there is nothing to do in the folder.
    """
    folder = own_folder(workspace.root, FOLDER)
    jobs = []
    found = _sources(sources)
    for number, (name, source) in enumerate(found, start=1):
        place = Workspace(folder / name, workspace.assets)
        code, line = _run(place, side, source, run)
        log.info("[%d/%d] %s: exit %d: %s", number, len(found), name, code, line)
        jobs.append(BatchJob(name, source, place.root, code, line))
    report = folder / REPORT
    fsio.write_text(report, json.dumps({"side": side, "jobs": [_as_json(job) for job in jobs]}, indent=1))
    return Batch(tuple(jobs), folder, report)


def _as_json(job: BatchJob) -> dict[str, object]:
    places = {"source": str(job.source), "workspace": str(job.workspace)}
    return {"name": job.name, **places, "exit": job.code, "report": job.line}


def _sources(folder: Path) -> list[tuple[str, Path]]:
    """(name of the job, film or folder), sorted by name."""
    if not folder.is_dir():
        raise InputError("no folder of films", where=folder, hint="--batch takes a folder")
    found, others = [], []
    for path in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        kind = ("" if list_frames(path) else "no pictures in it") if path.is_dir() else what_it_is(path)
        if kind:
            others.append(f"{path.name} ({kind})")
        else:
            found.append(path)
    if others:
        log.info("left out in %s: %s", folder, ", ".join(others))
    if not found:
        raise InputError("no film and no folder of pictures", where=folder, why=", ".join(others))
    stems = Counter(_stem(path) for path in found)
    return sorted((_stem(path) if stems[_stem(path)] == 1 else path.name, path) for path in found)


def _stem(path: Path) -> str:
    return path.name if path.is_dir() else path.stem


def _run(place: Workspace, side: str, source: Path, run: Callable[[Workspace, bool], str]) -> tuple[int, str]:
    """(exit code, the result in a line)."""
    try:
        own_folder(place.root.parent, place.root.name)
        place.create()
        _bring(source, place.side(side))
        return 0, run(place, not source.is_dir())
    except (PipelineError, OSError, MemoryError) as error:
        fault = _typed(error)
        return fault.exit_code, f"{fault.what}: {fault.why}" if fault.why else fault.what


def _typed(error: PipelineError | OSError | MemoryError) -> PipelineError:
    if isinstance(error, PipelineError):
        return error
    return from_os_error(error) if isinstance(error, OSError) else OutOfMemoryFault("out of memory", why=str(error))


def _bring(source: Path, side: Side) -> None:
    """Link a film, or the pictures of a folder, to where a side has its own."""
    if not source.is_dir():
        _link(source, side.frames.with_name(side.frames.name + (source.suffix or ".video")))
        return
    for path in list_frames(source):
        _link(path, side.frames / path.name)


def _link(source: Path, place: Path) -> None:
    """The same file under another name; a copy where the disk has no links."""
    if place.exists() and _same(source, place):
        return
    if place.exists() or place.is_symlink():
        raise InputError(
            "another file in the place of a source",
            where=place,
            why=f"it is not {source}, or not as it was",
            hint="move it away to begin anew with this source",
        )
    try:
        os.link(source, place)
    except OSError:
        # On another disk, or on one without hard links.
        shutil.copy2(source, place)


def _same(one: Path, other: Path) -> bool:
    """Whether both are one file, or one is a copy of the other."""
    first, second = one.stat(), other.stat()
    return one.samefile(other) or (first.st_size, first.st_mtime_ns) == (second.st_size, second.st_mtime_ns)
