"""The trained face in the film: frame by frame from the film into the new one, without pictures on the disk between."""

import hashlib
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from core import parallel, plugins
from core.errors import InputError
from core.faces.contract import Masker, MaskerRequest
from core.faces.extractor import one_opencv_thread
from core.faceset.database import images
from core.faceset.database.connection import open_database
from core.formats.provenance import write_synthetic_image
from core.jobs.merge.anchor import anchored
from core.jobs.merge.choices import MergeChoices
from core.jobs.merge.color_calm import REACH, calm_colors
from core.jobs.merge.compose import Composer, ExactComposer, OurComposer, Swapped, Work, swap_all
from core.jobs.merge.cues import FaceSettings, find_cues, read_cues
from core.jobs.merge.faces_of_film import FilmFaces, read_faces
from core.jobs.merge.footage import Footage, open_footage
from core.jobs.merge.masks import MaskSources, open_sources
from core.jobs.merge.model import Swapper, open_swapper
from core.jobs.provenance import open_seal
from core.jobs.side import opened_side
from core.merge.expressions import parse
from core.progress import Task, progress
from core.safe_paths import own_folder
from core.video.film.frames import Frame
from core.video.film.writer import FilmReport, FilmWriter
from core.workspace import Side, Workspace

RESULT, RESULT_REVERSE = "result.mp4", "result_reverse.mp4"
MERGED, MASKS = "merged", "merged_mask"


@dataclass(frozen=True)
class MergedFilm:
    """What was made.

    frames: of the film. swapped: of these, frames with a swapped face. faces: that were swapped. left_out: faces
    without landmarks.
    model: the file that swapped. device: where it computed. film: the new film, or None. folders: of pictures.
    new_frames: made by this run; seconds: what that took.
    cues: the file whose cues were obeyed, or None; cue_count: how many it has; unused: numbers of those that no face
    obeys. scenes: frames with which the scenes begin. calmed: faces whose landmarks were smoothed for this film.
    """

    frames: int
    swapped: int
    faces: int
    left_out: int
    model: Path
    device: str
    film: FilmReport | None
    folders: tuple[Path, ...]
    new_frames: int
    seconds: float
    cues: Path | None = None
    cue_count: int = 0
    unused: tuple[int, ...] = ()
    scenes: tuple[int, ...] = ()
    calmed: int = 0


def merge(workspace: Workspace, name: str, choices: MergeChoices) -> MergedFilm:
    """Put the model's face into the film of a side, where the database of the side has faces.

    name: ``dst``, or ``src`` for a model that swaps the other way. A killed run goes on where it was, and ends in the
    same bytes.

    Raises:
        InputError: there is no model, no film, no database, or no face to swap.
        CorruptFileError: one of them is damaged.
    """
    with opened_side(workspace, name) as side:
        base = FaceSettings(choices.settings, choices.morph)
        cue_file = find_cues(workspace, choices.cues)
        cues = read_cues(cue_file, base, exact=choices.exact is not None) if cue_file else ()
        with open_database(side.database) as connection:
            faces = read_faces(connection, choices, base, cues)
            sources = mask_sources(workspace, side, connection, faces.settings, choices)
        swapper = open_swapper(workspace, choices.dfm, choices.face_type, reverse=choices.reverse)
        composer = composer_of(swapper, sources, choices)
        output = choices.output or workspace.root / (RESULT_REVERSE if choices.reverse else RESULT)
        footage = open_footage(side, output.suffix or ".mp4", choices.film, choices.rate)
        if choices.exact is not None and footage.plan.deep:
            raise InputError(
                "the original's way knows 8 bits only", where=side.frames, hint="--bits 8, or leave --exact out"
            )
        started = time.monotonic()
        with one_opencv_thread():
            if faces.calmed:
                following = {"description": "following faces", "unit": "frame"}
                frames = progress(footage.read(1), **following, total=footage.count or None)
                faces = anchored(faces, frames, choices.calming)
            if choices.pictures:
                film, folders, new = None, *_pictures(side, footage, faces, composer, swapper, choices)
            else:
                film, new = _film(output, footage, faces, composer, swapper, choices)
                folders = ()
        return MergedFilm(
            frames=film.frames if film else footage.count,
            swapped=len(faces.by_number),
            faces=faces.count,
            left_out=faces.left_out,
            model=swapper.path,
            device=swapper.dfm.session.device,
            film=film,
            folders=folders,
            new_frames=new,
            seconds=time.monotonic() - started,
            cues=cue_file,
            cue_count=len(cues),
            unused=faces.unused,
            scenes=faces.scene_starts,
            calmed=len(faces.calmed),
        )


def mask_sources(
    workspace: Workspace,
    side: Side,
    connection: sqlite3.Connection,
    settings: Iterable[FaceSettings],
    choices: MergeChoices,
) -> MaskSources:
    """Where the masks come from that these settings name; raises what opening a mask network raises."""
    if choices.exact is None:
        names = frozenset().union(*(parse(told.settings.mask).names for told in settings))
    else:
        names = frozenset({"xseg_dst"} if "XSeg" in choices.exact.mask_mode else ())

    def opened(name: str) -> Masker:
        return plugins.load("maskers", name).create(MaskerRequest(workspace.model, workspace.assets))

    def files() -> dict[str, Path]:
        return {row.face: side.aligned / row.name for row in images.images(connection)}

    return open_sources(names, opened, files)


def composer_of(swapper: Swapper, sources: MaskSources, choices: MergeChoices) -> Composer:
    """Our way of putting faces in, or DeepFaceLab's."""
    if choices.exact is not None:
        return ExactComposer(swapper, choices.exact, sources)
    return OurComposer(swapper, sources, measures=choices.calming > 0)


def _film(
    output: Path, footage: Footage, faces: FilmFaces, composer: Composer, swapper: Swapper, choices: MergeChoices
) -> tuple[FilmReport, int]:
    """Write the film; returns also how many frames this run made."""
    made_from = _made_from(footage, swapper, choices)
    digest = partial(_digest, footage, faces, REACH if choices.calming else 0)
    seal = open_seal(output, footage.info.path if footage.info else None, swapper.path)
    with (
        FilmWriter(
            output,
            footage.plan,
            footage.info,
            made_from=made_from,
            digest=digest,
            keep=choices.keep_parts,
            seal=seal.sign,
        ) as writer,
        Task("merging", "frame", total=footage.count or None, done=writer.resumed) as task,
    ):
        for first, last in writer.gaps():
            with closing(_merged(footage, faces, composer, swapper, choices, start=first)) as made:
                for number, work, image, _ in islice(made, last and last - first + 1):
                    writer.write(replace(work.frame, number=number, image=image))
                    task.update()
        if seal.why_not:
            writer.note(seal.why_not)
        report = writer.finish()
        return report, report.frames - report.resumed


def _pictures(
    side: Side, footage: Footage, faces: FilmFaces, composer: Composer, swapper: Swapper, choices: MergeChoices
) -> tuple[tuple[Path, ...], int]:
    """Write pictures of the frames and of what the faces cover; returns the folders and how many."""
    folders = own_folder(side.frames / MERGED), own_folder(side.frames / MASKS)
    count = 0
    with Task("merging", "frame", total=footage.count or None) as task:
        for _, work, image, mask in _merged(footage, faces, composer, swapper, choices, start=1):
            name = f"{work.frame.number:05d}.png"
            write_synthetic_image(folders[0] / name, image)
            write_synthetic_image(folders[1] / name, cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR))
            count += 1
            task.update()
    return folders, count


def _works(frames: Iterable[Frame], faces: FilmFaces) -> Iterator[Work]:
    for frame in frames:
        there = faces.by_number.get(frame.number, ())
        motion = faces.motion.get(frame.number, (0.0, 0.0))
        told = faces.told.get(frame.number, ())
        yield Work(frame, there, told, motion=motion, seed=faces.scene.get(frame.number, 0))


def _merged(
    footage: Footage, faces: FilmFaces, composer: Composer, swapper: Swapper, choices: MergeChoices, *, start: int
) -> Generator[tuple[int, Work, np.ndarray, np.ndarray]]:
    """(number in the film from ``start`` on, work, image, mask): cut and put back in threads, swapped in batches."""
    workers = choices.workers or parallel.cores()
    # Colors go by the frames before, also where a run begins in the middle of the film.
    lead = min(start - 1, REACH) if choices.calming else 0
    works = _works(footage.read(start - lead), faces)
    cut = parallel.in_threads(partial(_cut, composer), works, workers)
    swapped = _in_batches(cut, composer, swapper, choices)
    ready = parallel.in_threads(composer.ready, swapped, workers)
    if choices.calming:
        ready = islice(calm_colors(ready, faces.track, choices.calming), lead, None)
    composed = parallel.in_threads(partial(_composed, composer), ready, workers)
    for number, (work, image, mask) in enumerate(composed, start=start):
        yield number, work, image, mask


def _cut(composer: Composer, work: Work) -> Work:
    return replace(work, cuts=tuple(composer.cut(work.frame.image, face) for face in work.faces))


def _in_batches(works: Iterator[Work], composer: Composer, swapper: Swapper, choices: MergeChoices) -> Iterator[Work]:
    """Frames whose faces the model has been asked about, so many faces at a time."""
    waiting: list[Work] = []
    for work in works:
        waiting.append(work)
        # Also frames without faces are kept for a short while only.
        if sum(len(each.cuts) for each in waiting) >= choices.batch or len(waiting) >= 2 * choices.batch:
            yield from _swapped(waiting, composer, swapper, choices)
            waiting = []
    yield from _swapped(waiting, composer, swapper, choices)


def _swapped(works: list[Work], composer: Composer, swapper: Swapper, choices: MergeChoices) -> Iterator[Work]:
    made: Iterator[Swapped] = iter(swap_all(swapper, composer, works, choices.batch))
    for work in works:
        yield replace(work, swapped=tuple(next(made) for _ in work.cuts))


def _composed(composer: Composer, work: Work) -> tuple[Work, np.ndarray, np.ndarray]:
    if not work.faces:
        return work, work.frame.image, np.zeros(work.frame.image.shape[:2], work.frame.image.dtype)
    return work, *composer.compose(work)


def _digest(footage: Footage, faces: FilmFaces, reach: int, first: int, last: int) -> str:
    """What decides the frames of a part, so many around it included; pictures have numbers of their own."""
    around = range(first - reach, last + reach + 1) if footage.info else sorted(faces.by_number)
    return faces.identity(around)[:16]


def _made_from(footage: Footage, swapper: Swapper, choices: MergeChoices) -> str:
    """What decides all pixels: parts of another run that were made of something else are of no use."""
    said = (footage.identity, swapper.identity, choices.exact, choices.calming)
    return hashlib.sha256(repr(said).encode()).hexdigest()
