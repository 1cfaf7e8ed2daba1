"""Faces from the frames of a side: found, cropped and written to ``aligned/``, each a row of ``faces.db``."""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from core import fsio, parallel, plugins
from core.console import size_text
from core.errors import InputError
from core.faces.contract import DetectorSettings
from core.faces.extractor import AlignedFace, CropSettings, Extractor, FrameFaces, one_opencv_thread
from core.faces.filters import Limits
from core.faceset.database import extraction, faces, frames, images
from core.faceset.database.connection import open_database
from core.faceset.database.faces import FaceRow
from core.faceset.database.frames import FrameRow
from core.faceset.identity import record_geometry
from core.faceset.register import missing_files
from core.faceset.steps import HISTORY
from core.formats import dfl_image
from core.geometry.align import FaceType
from core.jobs.frame_receipt import Receipt, identity, read_receipt
from core.jobs.frame_source import FrameSource, frames_of_folder, frames_of_video
from core.jobs.side import opened_side
from core.progress import Task
from core.safe_paths import own_folder
from core.video.find import find_film
from core.workspace import Side, Workspace, list_images

log = logging.getLogger(__name__)
# Rows wait for this many frames, so that the disk is not waited for after each.
_COMMIT_FRAMES = 16


@dataclass(frozen=True)
class ExtractSettings:
    """What decides the files that come out; a run that goes on must agree in them.

    Fields as the options of the stage.
    """

    face_type: FaceType = FaceType.WHOLE_FACE
    image_size: int = 512
    jpeg_quality: int = 90
    max_faces: int = 0
    min_face_size: int = 40
    every: int = 1
    from_video: bool = False
    detector: str = "yunet"
    detect_score: float = 0.6
    detect_size: int = 640
    rotations: Literal["auto", "all"] = "auto"
    landmarker: str = "facemesh"
    embedder: str = "sface"
    dfl_exact: bool = False
    debug: bool = False
    deinterlace: bool = False

    def recorded(self, source: dict[str, Any]) -> dict[str, Any]:
        """As the database records them, with what the frames were made from."""
        values = asdict(self) | {"face_type": self.face_type.file_name, "source": source}
        del values["debug"]  # it changes no face
        if not self.deinterlace:  # databases of versions that could not do not name it
            del values["deinterlace"]
        return values


@dataclass(frozen=True)
class ExtractedFaces:
    """What a side has after extraction.

    frames: how many were looked at, now or before; faces: how many they gave.
    without_faces, with_several: names of frames. corrupt: name of a frame -> why it could not be read.
    filtered: reason -> how many faces were not kept for it.
    deleted: names of face files that somebody deleted; they are not made again.
    left_out: (name, why) of files among the frames that cannot be used.
    new_frames: looked at by this run; 0 where there was nothing to do. seconds: what that took. workers: threads used.
    devices: part of the work -> where it really computed.
    aligned, database: where the results are.
    """

    frames: int
    faces: int
    without_faces: tuple[str, ...]
    with_several: tuple[str, ...]
    corrupt: dict[str, str]
    filtered: dict[str, int]
    deleted: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    new_frames: int
    seconds: float
    workers: int
    devices: dict[str, str]
    aligned: Path
    database: Path


@dataclass
class _Run:
    """What this run did, for the result."""

    new_frames: int = 0
    seconds: float = 0.0
    workers: int = 0
    devices: dict[str, str] = field(default_factory=dict)
    read: int = 0


def extract_faces(
    workspace: Workspace,
    name: str,
    settings: ExtractSettings,
    *,
    workers: int = 0,
    overwrite: bool = False,
) -> ExtractedFaces:
    """Extract the faces of a side; what an earlier run with the same settings finished is kept.

    name: ``src`` or ``dst``. workers: frames worked on at the same time, 0 for one a core. overwrite: extract again;
    what is there goes to the trash.

    Raises:
        InputError: there are no frames, or faces of another origin, or faces made with other settings.
        CorruptFileError: the film or the database is damaged.
        UsageError: a plugin is unknown.
    """
    with opened_side(workspace, name) as side:
        if overwrite:
            _require_source(settings, side)
            _clear(side, workspace)
        _refuse_strangers(side)
        side.aligned.mkdir(parents=True, exist_ok=True)
        with open_database(side.database, create=True) as connection:
            return _extract(connection, side, settings, workers)


def _require_source(settings: ExtractSettings, side: Side) -> None:
    """Raise now what would be raised when the old faces are out of the way: wrong plugin, no weights, no frames."""
    _extractor(settings, side.workspace.assets)
    _frames(settings, side)


def _frames(
    settings: ExtractSettings, side: Side, known: Callable[[Path], int | None] = lambda film: None
) -> FrameSource:
    if settings.from_video:
        return frames_of_video(side, settings.every, deinterlace=settings.deinterlace, known=known)
    return frames_of_folder(side, settings.every)


def _clear(side: Side, workspace: Workspace) -> None:
    """Move the results of earlier runs to the trash.

    The database goes first, so that faces without it are never taken for finished. What sorting remembers goes too: it
    would put back faces that are gone, or rename new ones.
    """
    # SQLite would play an old journal back into a new database of that name.
    journal = side.database.with_name(f"{side.database.name}-journal")
    for path in (side.database, journal, side.frames / HISTORY, side.aligned, side.aligned_debug):
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


def _extract(connection: sqlite3.Connection, side: Side, settings: ExtractSettings, workers: int) -> ExtractedFaces:
    recorded = settings.recorded(_source(settings, side))
    if not _agree(connection, recorded, side):
        extraction.write_settings(connection, recorded)
    done = _finished(connection, side)
    source = _frames(settings, side, known=partial(_known_length, connection))
    run = _Run()
    # Where all is done no network is loaded, so a second run answers at once.
    if set(source.names) - done:
        run = _work(connection, side, settings, source, done, workers)
        _note_end(connection, side, settings, source, run)
    return _result(connection, side, source, run)


def _source(settings: ExtractSettings, side: Side) -> dict[str, Any]:
    """What the frames are made from: faces of another film, or of frames made anew, are other faces."""
    if settings.from_video:
        return {"video": identity(find_film(side))}
    return (read_receipt(side.frames) or Receipt()).source


def _agree(connection: sqlite3.Connection, settings: dict[str, Any], side: Side) -> bool:
    """Whether the settings are the recorded ones. Raises InputError when they differ and there are faces already."""
    recorded = extraction.read_settings(connection)
    if recorded == settings:
        return True
    if any(frames.faces_by_frame(connection).values()):
        changed = [
            f"{key.replace('_', '-')}: {_in_words(recorded.get(key))} -> {_in_words(settings.get(key))}"
            for key in {**settings, **recorded}
            if recorded.get(key) != settings.get(key)
        ]
        raise InputError(
            "the faces there were extracted with other options",
            where=side.aligned,
            why=", ".join(changed),
            hint="give the same options to go on, or --overwrite to extract again "
            "(the old faces move to workspace/.trash)",
        )
    # No frame has a face, but the other settings might find some: all of them are looked at again.
    frames.forget(connection)
    return False


def _in_words(value: Any) -> str:
    """A recorded setting for people; a film by what tells it from others."""
    film = value.get("video", value) if isinstance(value, dict) else value
    if not isinstance(film, dict):
        return str(film)
    try:
        changed = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(film["mtime_ns"] / 1e9))
        return f"{film['name']} ({size_text(film['size'])}, of {changed})"
    except (LookupError, TypeError, ValueError, OverflowError):  # of frames that a person put there, or damaged
        return "frames of unknown origin"


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


def _work(
    connection: sqlite3.Connection,
    side: Side,
    settings: ExtractSettings,
    source: FrameSource,
    done: set[str],
    workers: int,
) -> _Run:
    """Work through the frames that are not done."""
    extractor = _extractor(settings, side.workspace.assets)
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
        _commit(connection, side, settings, results, task)
        new = task.done - before
    devices = {"detector": extractor.detector.device, "landmarks": extractor.landmarker.device}
    if extractor.embedder:
        devices["identity"] = extractor.embedder.device
    return _Run(new, time.monotonic() - started, workers, devices, read=ended[-1])


def _extractor(settings: ExtractSettings, assets: Path) -> Extractor:
    looks = DetectorSettings(settings.detect_score, settings.detect_size, settings.rotations, assets)
    embedder = None if settings.embedder == "none" else plugins.load("embedders", settings.embedder).create(assets)
    return Extractor(
        detector=plugins.load("detectors", settings.detector).create(looks),
        landmarker=plugins.load("landmarkers", settings.landmarker).create(assets),
        embedder=embedder,
        limits=Limits(settings.min_face_size, max_faces=settings.max_faces),
        crop=CropSettings(
            face_type=settings.face_type,
            size=settings.image_size,
            quality=settings.jpeg_quality,
            exact=settings.dfl_exact,
            debug=settings.debug,
        ),
        detector_name=settings.detector,
    )


def _commit(
    connection: sqlite3.Connection,
    side: Side,
    settings: ExtractSettings,
    results: Iterator[FrameFaces],
    task: Task,
) -> None:
    """Write the face files of each frame, then, some frames at a time, their rows: a row means that the files are
    there.
    """
    rows: list[tuple[FrameRow, list[FaceRow]]] = []
    try:
        for result in results:
            _write(side, result)
            rows.append(_rows(side, settings, result))
            if len(rows) >= _COMMIT_FRAMES:
                faces.add(connection, rows)
                rows = []
            task.update()
    finally:
        faces.add(connection, rows)


def _write(side: Side, result: FrameFaces) -> None:
    for face in result.faces:
        # Not waited for: a file that a power cut leaves empty is found by the next run, see _finished.
        fsio.write_bytes(side.aligned / face.record.name, face.data, durable=False)
    if result.drawing:
        own_folder(side.aligned_debug)
        fsio.write_bytes(side.aligned_debug / f"{result.name.rpartition('.')[0]}.jpg", result.drawing, durable=False)


def _rows(side: Side, settings: ExtractSettings, result: FrameFaces) -> tuple[FrameRow, list[FaceRow]]:
    frame = FrameRow(result.name, "corrupt" if result.error else "done", result.error)
    kept = [_row(side, settings, face) for face in result.faces]
    return frame, kept + [FaceRow(face) for face in result.filtered]


def _row(side: Side, settings: ExtractSettings, face: AlignedFace) -> FaceRow:
    record = face.record
    image = images.ImageRow(
        face=face.face.id,
        folder=images.ALIGNED,
        name=record.name,
        extracted_name=record.name,
        face_type=record.face_type,
        size=record.shape[0],
        image_digest=dfl_image.image_digest(face.data),
        sha256=sha256(face.data).hexdigest(),
        bytes=len(face.data),
        mtime_ns=(side.aligned / record.name).stat().st_mtime_ns,
        geometry=record_geometry(record),
    )
    vectors = {} if face.identity is None else {settings.embedder: face.identity}
    return FaceRow(face.face, image, face.scores, vectors)


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
        faces.add(connection, [(FrameRow(name, "corrupt", why), []) for name in sorted(missing)])
    elif settings.from_video:
        extraction.write_film_length(connection, identity(find_film(side)), run.read)


def _result(connection: sqlite3.Connection, side: Side, source: FrameSource, run: _Run) -> ExtractedFaces:
    counts = frames.faces_by_frame(connection)
    corrupt = {frame.name: frame.error for frame in frames.frames(connection) if frame.status == "corrupt"}
    return ExtractedFaces(
        frames=len(counts),
        faces=sum(counts.values()),
        without_faces=tuple(name for name, count in counts.items() if count == 0 and name not in corrupt),
        with_several=tuple(name for name, count in counts.items() if count > 1),
        corrupt=corrupt,
        filtered=faces.filtered_by_reason(connection),
        left_out=source.left_out,
        deleted=tuple(missing_files(connection, list_images(side.aligned))),
        new_frames=run.new_frames,
        seconds=run.seconds,
        workers=run.workers,
        devices=run.devices,
        aligned=side.aligned,
        database=side.database,
    )
