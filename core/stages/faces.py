"""pictures -> faces: find, align and cut out every face, into aligned/ and faces.db"""

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from core import fsio, plugins
from core.errors import InputError
from core.jobs.frame_receipt import Receipt, identity, read_receipt
from core.jobs.side import opened_side
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Side, Workspace, list_images

if TYPE_CHECKING:
    import sqlite3

    from core.faces.extractor import Extractor, FrameFaces
    from core.progress import Task
    from core.video.probe import VideoInfo

log = logging.getLogger(__name__)
FaceTypeName = Literal[
    "whole_face",
    "wf",
    "full_face",
    "f",
    "head",
    "midfull_face",
    "mf",
    "half_face",
    "h",
    "full_face_no_align",
    "head_no_align",
]
Source = list[tuple[str, Callable]]
_COMMIT_FRAMES = 32
_SHOWN = 20


def _known(kind: plugins.Kind) -> str:
    return "; ".join(f"{name}: {plugins.summary(kind, name)}" for name in plugins.names(kind))


class Options(SideOptions):
    """Extract the faces of one side. --debug also draws boxes, landmarks and cuts into aligned_debug/."""

    face_type: FaceTypeName = Field(
        "whole_face",
        description="how much around the face is cut: h half_face, mf midfull_face, f full_face, wf whole_face, head",
    )
    image_size: int | None = Field(
        None, ge=64, le=4096, description="pixels of a face image; left out: 512, for heads 768"
    )
    jpeg_quality: int = Field(90, ge=1, le=100, description="JPEG quality of the face images")
    max_faces: int = Field(0, ge=0, description="keep so many faces of a frame, the largest; 0 keeps all")
    min_face_size: int = Field(
        40, ge=1, description="leave out faces whose box is smaller than this (pixels of the frame, shorter side)"
    )
    every: int = Field(1, ge=1, description="look at every Nth frame only")
    from_video: bool = Field(False, description="read the video itself; no frames are needed on disk")
    detector: str = Field("yunet", description=_known("detectors"))
    detect_score: float = Field(0.6, ge=0.05, le=1, description="leave out faces that the detector is less sure of")
    detect_size: int = Field(
        640,
        ge=128,
        le=4096,
        multiple_of=32,
        description="longer side at which a frame is searched; larger finds smaller faces, slower",
    )
    rotations: Literal["auto", "all"] = Field(
        "auto", description="auto: search turned frames only where no face is clearly upright; all: always (slower)"
    )
    landmarker: str = Field("facemesh", description=_known("landmarkers"))
    embedder: str = Field(
        "sface", description="none: no identity vectors, which saves 40 % of the time; " + _known("embedders")
    )
    dfl_exact: bool = Field(
        False, description="cut as DeepFaceLab does: bilinear without anti-aliasing, colour at half resolution"
    )
    workers: int = Field(0, ge=0, description="frames worked on at the same time; 0: one for each core")
    overwrite: bool = Field(
        False, description="extract again; faces and database that are there move to workspace/.trash"
    )


# What decides the files that come out; a run that goes on must agree in them.
_BINDING = {
    "face_type",
    "image_size",
    "jpeg_quality",
    "max_faces",
    "min_face_size",
    "every",
    "from_video",
    "detector",
    "detect_score",
    "detect_size",
    "rotations",
    "landmarker",
    "embedder",
    "dfl_exact",
}


def run(options: Options, workspace: Workspace) -> StageReport:
    """Extract the faces of one side; what an earlier run finished is kept."""
    with opened_side(workspace, options.side) as side:
        settings = _settings(options, side)
        if options.overwrite:
            _check_source(options, side, settings)
            _clear(side, workspace)
        _refuse_strangers(side)
        side.aligned.mkdir(parents=True, exist_ok=True)
        return _run(options, side, workspace, settings)


def _settings(options: Options, side: Side) -> dict[str, Any]:
    """What the database records; also says so when there is nothing to extract from."""
    from core.geometry.align import FaceType

    face_type = FaceType.parse(options.face_type)
    size = options.image_size or (768 if face_type >= FaceType.HEAD else 512)
    if options.from_video:
        source = {"video": identity(side.video())}
    else:
        source = (read_receipt(side.frames) or Receipt()).source
    return options.model_dump(include=_BINDING) | {
        "face_type": face_type.file_name,
        "image_size": size,
        "source": source,
    }


def _check_source(options: Options, side: Side, settings: dict[str, Any]) -> None:
    """Raises what a wrong name, missing weights or a missing source would raise later, when the old faces are already out of the way."""
    _extractor(options, settings)
    if not options.from_video:
        _from_folder(side, options.every)


def _clear(side: Side, workspace: Workspace) -> None:
    """Move the results of earlier runs to the trash; the database first, so that faces without it are never taken for finished.

    What sorting remembers goes too: it would put back faces that are gone, or rename new ones.
    """
    from core.faceset.journal import HISTORY

    journal = side.database.with_name(side.database.name + "-journal")
    for path in (side.database, journal, side.frames / HISTORY, side.aligned, side.aligned_debug):
        if path.exists():
            log.info("%s -> %s", path.name, fsio.move_to_trash(path, workspace.trash))


def _refuse_strangers(side: Side) -> None:
    hint = "move them away, or use --overwrite, which moves them to workspace/.trash"
    if side.pak.exists():
        raise InputError("the faces of this side are packed", where=side.pak, hint=f"unpack them first, or {hint}")
    if not side.database.exists() and (images := list_images(side.aligned)):
        raise InputError(
            "there are faces already, and no database that knows them",
            where=side.aligned,
            why=f"{len(images)} images, the first is {images[0].name}",
            hint=hint,
        )


def _run(options: Options, side: Side, workspace: Workspace, settings: dict[str, Any]) -> StageReport:
    from core.faceset import database

    with database.open_database(side.database, create=True) as connection:
        if not _agree(connection, settings, side):
            database.write_settings(connection, settings)
        done = _finished(connection, side)
        names, pictures = _from_video(side, options.every) if options.from_video else _from_folder(side, options.every)
        rows: tuple[tuple[str, object], ...] = ()
        if set(names) - done:
            rows = _extract(options, side, connection, settings, names, pictures, done)
            _note_missing(connection, names)
        return _report(connection, side, names, rows)


def _agree(connection: "sqlite3.Connection", settings: dict[str, Any], side: Side) -> bool:
    """Whether the settings are the recorded ones. Raises InputError when they differ and there are faces already."""
    from core.faceset import database

    recorded = database.read_settings(connection)
    if recorded == settings:
        return True
    if any(database.faces_by_frame(connection).values()):
        changed = [
            f"{key.replace('_', '-')}: {recorded.get(key)} -> {value}"
            for key, value in settings.items()
            if recorded.get(key) != value
        ]
        raise InputError(
            "the faces there were extracted with other options",
            where=side.aligned,
            why=", ".join(changed),
            hint="give the same options to go on, or --overwrite to extract again (the old faces move to workspace/.trash)",
        )
    database.forget(connection)
    return False


def _finished(connection: "sqlite3.Connection", side: Side) -> set[str]:
    """Frames that need no more work. A face file left empty by a power cut makes its frame unfinished; one that is gone was sorted out by hand."""
    from core.faceset import database

    empty = {
        face.frame
        for face in database.faces(connection)
        if (path := side.aligned / face.name).is_file() and path.stat().st_size == 0
    }
    return set(database.faces_by_frame(connection)) - empty


def _from_folder(side: Side, every: int) -> tuple[list[str], Callable[[], Iterator[tuple[str, Callable]]]]:
    """Names of the frames, and a function that iterates over (name, how to load it)."""
    from core.imaging.codec import read_image

    paths = list_images(side.frames)
    if not paths:
        raise InputError(
            "no frames",
            where=side.frames,
            hint=f"run the frames step first, or use --from-video, or put pictures into {side.frames}",
        )
    stems: dict[str, str] = {}
    for path in paths:
        if stems.setdefault(path.stem, path.name) != path.name:
            raise InputError(
                "two frames with the same name but for the ending",
                where=path,
                why=f"{stems[path.stem]} is there, too",
                hint="face files are named after their frame: rename or move one of them",
            )
    paths = paths[::every]
    return [path.name for path in paths], lambda: ((path.name, lambda path=path: read_image(path)) for path in paths)


def _from_video(side: Side, every: int) -> tuple[list[str], Callable[[], Iterator[tuple[str, Callable]]]]:
    """The same for a video; its frames get the names that the frames step would give them."""
    from core.video.decode import Selection
    from core.video.probe import count_frames, probe

    info = probe(side.video())
    count = count_frames(info)
    digits = max(5, len(str(Selection().expected(info) or 0)))
    names = [f"{number:0{digits}d}.png" for number in range(1, count + 1, every)]
    return names, lambda: _video_frames(info, digits, every)


def _video_frames(info: "VideoInfo", digits: int, every: int) -> Iterator[tuple[str, Callable]]:
    from core.video.decode import read_frames

    for number, image in enumerate(read_frames(info), start=1):
        if (number - 1) % every == 0:
            yield f"{number:0{digits}d}.png", lambda image=image: image


def _extract(
    options: Options,
    side: Side,
    connection: "sqlite3.Connection",
    settings: dict[str, Any],
    names: list[str],
    pictures: Callable[[], Iterator[tuple[str, Callable]]],
    done: set[str],
) -> tuple[tuple[str, object], ...]:
    """Work through the frames that are not done; returns rows for the report."""
    import time

    from core.faces import extractor as pipeline
    from core.progress import Task

    extractor = _extractor(options, settings)
    workers = options.workers or pipeline.cores()
    started = time.monotonic()
    todo = ((name, load) for name, load in pictures() if name not in done)
    with (
        pipeline.one_opencv_thread(),
        Task("faces", "frame", total=len(names), done=len(done & set(names))) as task,
    ):
        before = task.done
        _commit(connection, side, pipeline.in_order(lambda item: extractor.extract(*item), todo, workers), task)
        rate = (task.done - before) / max(time.monotonic() - started, 1e-9)
    devices = f"detector {extractor.detector.device}, landmarks {extractor.landmarker.device}"
    devices += f", identity {extractor.embedder.device}" if extractor.embedder else ""
    return (("speed", f"{rate:.1f} frames/s with {workers} workers"), ("computed on", devices))


def _note_missing(connection: "sqlite3.Connection", names: list[str]) -> None:
    """Frames that the container counts and that did not come out of it are corrupt ones."""
    from core.faceset import database

    missing = set(names) - set(database.faces_by_frame(connection))
    why = "the video holds no such frame: it may be truncated"
    database.add(connection, [(database.FrameRow(name, "corrupt", why, {}), []) for name in sorted(missing)])


def _extractor(options: Options, settings: dict[str, Any]) -> "Extractor":
    from core.faces.contract import DetectorSettings
    from core.faces.extractor import Cut, Extractor
    from core.faces.filters import Limits
    from core.geometry.align import FaceType

    detector = plugins.load("detectors", options.detector).create(
        DetectorSettings(options.detect_score, options.detect_size, options.rotations)
    )
    landmarker = plugins.load("landmarkers", options.landmarker).create()
    embedder = None if options.embedder == "none" else plugins.load("embedders", options.embedder).create()
    cut = Cut(
        FaceType.parse(options.face_type),
        settings["image_size"],
        options.jpeg_quality,
        options.dfl_exact,
        options.debug,
    )
    return Extractor(detector, landmarker, embedder, Limits(options.min_face_size, max_faces=options.max_faces), cut)


def _commit(connection: "sqlite3.Connection", side: Side, results: "Iterator[FrameFaces]", task: "Task") -> None:
    """Write the face files of each frame, then, some frames at a time, their rows: a row means that the files are there."""
    from core.faceset import database

    rows: list = []
    try:
        for result in results:
            _write(side, result)
            rows.append(_rows(result))
            if len(rows) >= _COMMIT_FRAMES:
                database.add(connection, rows)
                rows = []
            task.update()
    finally:
        database.add(connection, rows)


def _write(side: Side, result: "FrameFaces") -> None:
    for face in result.faces:
        fsio.write_bytes(side.aligned / face.record.name, face.data, durable=False)
    if result.drawing:
        side.aligned_debug.mkdir(exist_ok=True)
        fsio.write_bytes(side.aligned_debug / f"{result.name.rpartition('.')[0]}.jpg", result.drawing, durable=False)


def _rows(result: "FrameFaces") -> tuple:
    from hashlib import sha256

    from core.faceset.database import FaceRow, FrameRow

    frame = FrameRow(result.name, "corrupt" if result.error else "done", result.error, dict(result.dropped))
    return frame, [
        FaceRow(
            face.record.name,
            result.name,
            index,
            "extracted",
            face.record.face_type,
            face.record.shape[0],
            *face.box,
            face.score,
            face.sure,
            face.pitch,
            face.yaw,
            face.roll,
            face.sharpness,
            sha256(face.data).hexdigest(),
            face.landmarks,
            face.identity,
        )
        for index, face in enumerate(result.faces)
    ]


def _report(
    connection: "sqlite3.Connection", side: Side, names: list[str], rows: tuple[tuple[str, object], ...]
) -> StageReport:
    from collections import Counter

    from core.faceset import database

    counts = database.faces_by_frame(connection)
    corrupt = {frame.name: frame.error for frame in database.frames(connection) if frame.status == "corrupt"}
    dropped: Counter[str] = Counter()
    for frame in database.frames(connection):
        dropped.update(frame.dropped)
    total = sum(counts.values())
    if total == 0:
        _no_faces(side, len(counts), corrupt, dropped)
    without = [name for name, count in counts.items() if count == 0 and name not in corrupt]
    several = [name for name, count in counts.items() if count > 1]
    facts = [
        ("frames", len(counts)),
        ("faces", total),
        ("frames without faces", _listed(without)),
        ("frames with several", _listed(several)),
    ]
    facts += [(f"dropped: {reason}", count) for reason, count in sorted(dropped.items())]
    warnings = tuple(
        f"{name} could not be read and was skipped: {error}" for name, error in list(corrupt.items())[:_SHOWN]
    )
    if corrupt:
        facts.append(("corrupt frames", _listed(list(corrupt))))
    title = (
        f"{side.frames.name}: faces extracted" if rows else f"{side.frames.name}: faces already there, nothing to do"
    )
    return StageReport(title, (*facts, *rows), warnings, (side.aligned, side.database))


def _listed(names: list[str]) -> str:
    if not names:
        return "0"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)}: {', '.join(names[:_SHOWN])}{more}"


def _no_faces(side: Side, frames: int, corrupt: dict[str, str], dropped: dict[str, int]) -> None:
    reasons = [f"{count} dropped: {reason}" for reason, count in sorted(dropped.items())]
    if corrupt:
        reasons.append(f"{len(corrupt)} frames could not be read, the first: {next(iter(corrupt.items()))}")
    raise InputError(
        f"no faces in {frames} frames",
        where=side.frames,
        why="; ".join(reasons),
        hint="is it the right video? --detect-score 0.4, --min-face-size 20, --detect-size 1280 and --rotations all find more",
    )
