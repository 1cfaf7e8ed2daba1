"""Faces from the frames of a side: found, cropped and written to ``aligned/``, each a row of ``faces.db``."""

import logging
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from core import fsio, parallel
from core.errors import InputError
from core.faces.contract import Detector
from core.faces.cropping import large_enough
from core.faces.extractor import Extractor, one_opencv_thread
from core.faces.second_look import FITTED, SPARE
from core.faces.wanted import LIKENESS_UNWANTED, LIKENESS_WANTED
from core.faceset.database import brief, extraction, faces, frames, images, measured
from core.faceset.database.connection import open_database
from core.faceset.database.frames import FrameRow
from core.faceset.register import missing_files
from core.faceset.steps import HISTORY
from core.jobs.extract.agreement import agree
from core.jobs.extract.frame_source import FrameSource
from core.jobs.extract.networks import People, crop_settings, open_extractor, open_quick_detector
from core.jobs.extract.overlay import write_overlay
from core.jobs.extract.rows import FILTERED, commit, sweep_filtered
from core.jobs.extract.search_size import search_size
from core.jobs.extract.settings import ExtractSettings
from core.jobs.extract.sources import frames_of, origin
from core.jobs.frame_receipt import identity
from core.jobs.side import opened_side
from core.progress import Task
from core.video.find import find_film
from core.workspace import Side, Workspace, image_names, list_images

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunChoices:
    """What decides how a run goes, not what comes out.

    workers: frames worked on at the same time, 0 for one a core.
    overwrite: extract again; what is there goes to the trash.
    retry_empty: look again at frames in which no face was kept.
    overlay: write ``overlay.mp4``, the frames with what was found in them.
    """

    workers: int = 0
    overwrite: bool = False
    retry_empty: bool = False
    overlay: bool = False


@dataclass(frozen=True)
class ExtractedFaces:
    """What a side has after extraction.

    frames: how many were looked at, now or before; faces: how many they gave.
    without_faces, with_several: names of frames. corrupt: name of a frame -> why it could not be read.
    filtered: reason -> how many faces were not kept for it.
    detect_size: longer side at which frames were searched, pixels.
    hard: origin of faces whose points needed a second way -> how many are kept (``core.faces.second_look``).
    deleted: names of face files that somebody deleted; they are not made again.
    left_out: (name, why) of files among the frames that cannot be used.
    unwritten: faces that are kept without a file, because they are too small in the frame.
    people: the pictures that faces were compared with, as far as this run read them.
    wanted, unwanted: how like the wanted and the unwanted people faces are, cosines; empty where nobody was named.
    new_frames: looked at by this run; 0 where there was nothing to do. seconds: what that took. workers: threads used.
    devices: part of the work -> where it really computed.
    aligned, database: where the results are. overlay: the film of what was found, where one was wanted.
    """

    frames: int
    faces: int
    without_faces: tuple[str, ...]
    with_several: tuple[str, ...]
    corrupt: dict[str, str]
    filtered: dict[str, int]
    detect_size: int
    hard: dict[str, int]
    deleted: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    unwritten: int
    people: People
    wanted: tuple[float, ...]
    unwanted: tuple[float, ...]
    new_frames: int
    seconds: float
    workers: int
    devices: dict[str, str]
    aligned: Path
    database: Path
    overlay: Path | None


@dataclass
class _Run:
    """What this run did, for the result."""

    new_frames: int = 0
    seconds: float = 0.0
    workers: int = 0
    devices: dict[str, str] = field(default_factory=dict)
    read: int = 0
    people: People = People()
    overlay: Path | None = None


def extract_faces(
    workspace: Workspace, name: str, settings: ExtractSettings, choices: RunChoices = RunChoices()
) -> ExtractedFaces:
    """Extract the faces of a side; what an earlier run with the same settings finished is kept.

    name: ``src`` or ``dst``.

    Raises:
        InputError: there are no frames, or faces of another origin, or faces made with other settings.
        CorruptFileError: the film or the database is damaged.
        UsageError: a plugin is unknown.
    """
    with opened_side(workspace, name) as side:
        if choices.overwrite:
            _require_source(settings, side)
            _clear(side, workspace)
        _refuse_strangers(side)
        if not side.database.exists():
            # Without frames no database is begun, which would look like work that was done.
            frames_of(settings, side)
        side.aligned.mkdir(parents=True, exist_ok=True)
        for folder in (side.frames / FILTERED).glob("*/"):
            fsio.remove_leftovers(folder)
        with open_database(side.database, create=True) as connection:
            return _extract(connection, side, settings, choices)


def _require_source(settings: ExtractSettings, side: Side) -> None:
    """Raise now what would be raised when the old faces are out of the way: wrong plugin, no weights, no frames."""
    open_extractor(settings, side.workspace.assets)
    frames_of(settings, side)


def _clear(side: Side, workspace: Workspace) -> None:
    """Move the results of earlier runs to the trash.

    The database goes first, so that faces without it are never taken for finished. What sorting remembers goes too: it
    would put back faces that are gone, or rename new ones.
    """
    # SQLite would play an old journal back into a new database of that name.
    journal = side.database.with_name(f"{side.database.name}-journal")
    folders = (side.frames / HISTORY, side.aligned, side.aligned_debug, side.frames / FILTERED)
    for path in (side.database, journal, *folders):
        if path.exists():
            log.info("%s -> %s", path.name, fsio.move_to_trash(path, workspace.trash))


def _refuse_strangers(side: Side) -> None:
    hint = "move them away, or use --overwrite, which moves them to workspace/.trash"
    if side.pak.exists():
        raise InputError("the faces of this side are packed", where=side.pak, hint=f"unpack them first, or {hint}")
    there = list_images(side.aligned)
    if there and not (side.database.exists() and _was_extracted(side.database)):
        raise InputError(
            "there are faces already, and they were not extracted here",
            where=side.aligned,
            why=f"{len(there)} images, the first is {there[0].name}",
            hint=hint,
        )


def _was_extracted(database: Path) -> bool:
    """Whether an extraction made this database; else other jobs took foreign faces into it."""
    with open_database(database) as connection:
        return bool(extraction.read_settings(connection))


def _extract(
    connection: sqlite3.Connection, side: Side, settings: ExtractSettings, choices: RunChoices
) -> ExtractedFaces:
    settings = _settled(connection, side, settings)
    recorded = settings.recorded(origin(settings, side))
    agree(connection, recorded, side.aligned, retry=choices.retry_empty)
    extraction.write_sources(connection, list(map(str, settings.sources)))
    done = _finished(connection, side)
    if choices.retry_empty:
        done -= _empty(connection)
    source = frames_of(settings, side, known=partial(_known_length, connection))
    run = _Run()
    # Where all is done no network is loaded, so a second run answers at once.
    if set(source.names) - done:
        run = _work(connection, side, settings, source, done, choices.workers)
        _note_end(connection, side, settings, source, run)
        sweep_filtered(connection, side)
    if choices.overlay:
        run.overlay = write_overlay(connection, side, source, settings.face_type)
    return _result(connection, side, settings, source, run)


def _settled(connection: sqlite3.Connection, side: Side, settings: ExtractSettings) -> ExtractSettings:
    """The settings as far as the faces that are there decide them, or the frames: the points of older facesets stay as
    they are, and a search size that nobody chose is that of the run before.
    """
    before = extraction.read_settings(connection)
    going_on = bool(before) and any(frames.faces_by_frame(connection).values())
    if going_on and "mesh_points" not in before:
        settings = replace(settings, mesh_points=1)
    if settings.detect_size:
        return settings
    size = before.get("detect_size") if going_on else None
    return replace(settings, detect_size=size if isinstance(size, int) else _search_size(side, settings))


def _search_size(side: Side, settings: ExtractSettings) -> int:
    def detector(size: int) -> Detector:
        return open_quick_detector(settings, size, side.workspace.assets)

    film = settings.from_video or bool(settings.sources)
    return search_size(frames_of(settings, side), detector, settings.min_face_size, film=film)


def _finished(connection: sqlite3.Connection, side: Side) -> set[str]:
    """Frames that need no more work.

    A face file left empty by a power cut makes its frame unfinished; one that is gone was sorted out by hand.
    """
    frame_of = {face.id: face.frame for face in faces.faces(connection)}
    empty = set()
    for row in images.images(connection, images.ALIGNED):
        path = side.aligned / row.name
        if path.is_file() and path.stat().st_size == 0:
            empty.add(frame_of.get(row.face, ""))
    return set(frames.faces_by_frame(connection)) - empty


def _empty(connection: sqlite3.Connection) -> set[str]:
    """Frames in which no face was kept, nor dropped by a person, whose decision is not lost."""
    decided = {face.frame for face in faces.faces(connection, "dropped")}
    return {name for name, count in frames.faces_by_frame(connection).items() if count == 0} - decided


def _work(
    connection: sqlite3.Connection,
    side: Side,
    settings: ExtractSettings,
    source: FrameSource,
    done: set[str],
    workers: int,
) -> _Run:
    """Work through the frames that are not done."""
    extractor, people = open_extractor(settings, side.workspace.assets)
    ended: list[int] = []
    todo = ((name, load) for name, load in source.frames(ended.append) if name not in done)
    workers = workers or parallel.cores()
    started = time.monotonic()
    with (
        one_opencv_thread(),
        Task("faces", "frame", total=len(source.names), done=len(done & set(source.names))) as task,
    ):
        before = task.done
        results = parallel.in_threads(lambda item: extractor.extract(*item), todo, workers)
        commit(connection, side, settings, results, source, task)
        new = task.done - before
    return _Run(new, time.monotonic() - started, workers, _devices(extractor), read=ended[-1], people=people)


def _devices(extractor: Extractor) -> dict[str, str]:
    devices = {"detector": extractor.finder.detector.device, "landmarks": extractor.finder.landmarker.device}
    if extractor.embedder:
        devices["identity"] = extractor.embedder.device
    return devices


def _known_length(connection: sqlite3.Connection, film: Path) -> int | None:
    """How many frames a film gave when it was read to its end."""
    found = extraction.film_length(connection)
    return found[1] if found and found[0] == identity(film) else None


def _note_end(
    connection: sqlite3.Connection, side: Side, settings: ExtractSettings, source: FrameSource, run: _Run
) -> None:
    """Names that did not come: damaged frames where the container counts them, else frames that there are not."""
    if source.sure:
        missing = set(source.names) - set(frames.faces_by_frame(connection))
        why = "the video holds no such frame: it may be truncated"
        for name in sorted(missing):
            faces.add(connection, [(FrameRow(name, "corrupt", why), [])], source.of(name))
    elif settings.from_video:
        extraction.write_film_length(connection, identity(find_film(side)), run.read)


def _result(
    connection: sqlite3.Connection, side: Side, settings: ExtractSettings, source: FrameSource, run: _Run
) -> ExtractedFaces:
    counts = frames.faces_by_frame(connection)
    corrupt = {frame.name: frame.error for frame in frames.frames(connection) if frame.status == "corrupt"}
    return ExtractedFaces(
        frames=len(counts),
        faces=sum(counts.values()),
        without_faces=tuple(name for name, count in counts.items() if count == 0 and name not in corrupt),
        with_several=tuple(name for name, count in counts.items() if count > 1),
        corrupt=corrupt,
        filtered=faces.filtered_by_reason(connection),
        detect_size=settings.detect_size,
        hard=_hard(connection),
        left_out=source.left_out,
        unwritten=_unwritten(connection, settings),
        people=run.people,
        wanted=tuple(measured.scores(connection, LIKENESS_WANTED).values()),
        unwanted=tuple(measured.scores(connection, LIKENESS_UNWANTED).values()),
        deleted=tuple(missing_files(connection, side.aligned, image_names(side.aligned))),
        new_frames=run.new_frames,
        seconds=run.seconds,
        workers=run.workers,
        devices=run.devices,
        aligned=side.aligned,
        database=side.database,
        overlay=run.overlay,
    )


def _hard(connection: sqlite3.Connection) -> dict[str, int]:
    origins = Counter(face.origin for face in brief.in_brief(connection))
    return {origin: count for origin, count in sorted(origins.items()) if origin == SPARE or FITTED in origin}


def _unwritten(connection: sqlite3.Connection, settings: ExtractSettings) -> int:
    """How many kept faces have no file because they are too small in the frame."""
    if not settings.min_scale or settings.no_faces:
        return 0
    crop = crop_settings(settings)
    found = (face.landmarks for face in faces.faces(connection) if face.landmarks is not None)
    return sum(not large_enough(np.asarray(points), crop) for points in found)
