"""The faces of a side at another size, or showing more or less of the head."""

from dataclasses import dataclass
from pathlib import Path

from core import fsio
from core.errors import InputError, PipelineError
from core.faceset import resize
from core.formats import dfl_image
from core.geometry.align import FaceType
from core.jobs.side import loose_faces, opened_side
from core.progress import progress
from core.safe_paths import own_folder
from core.workspace import Side, Workspace, list_images

RESIZED_FOLDER = "aligned_resized"


@dataclass(frozen=True)
class Resized:
    """What resizing did.

    made: new faces.
    kept: faces that an earlier run had made.
    problems: (file name, why) of faces that were left out.
    folder: where the new faces are.
    settled: nothing was resized: an earlier run had been interrupted before its last step, which was done now.
    """

    made: int
    kept: int
    problems: tuple[tuple[str, str], ...]
    folder: Path
    settled: bool = False


def resize_faces(
    workspace: Workspace,
    side_name: str,
    size: int,
    face_type: FaceType | None = None,
    *,
    quality: int = 100,
    in_place: bool = False,
) -> Resized:
    """Write the loose faces of a side anew into ``aligned_resized``; a run that was killed goes on where it was.

    size: pixels of a side of the new images.
    face_type: what they show; None for what they show now.
    quality: of JPEG faces, 1..100; PNG faces stay PNG.
    in_place: the new folder takes the place of ``aligned``, which goes to the trash of the workspace.

    Raises:
        InputError: there are no loose faces, the output folder has other images, another run holds the side, or
            ``in_place`` and some face could not be resized.
    """
    with opened_side(workspace, side_name) as side:
        output = side.frames / RESIZED_FOLDER
        # Killed between the two renames of the last step: all new faces are there, and the old ones in the trash.
        if in_place and not side.aligned.exists() and output.exists():
            output.rename(side.aligned)
            return Resized(0, 0, (), side.aligned, settled=True)
        paths = loose_faces(side)
        if in_place and all(_is_so(path, size, face_type) for path in paths):
            return Resized(0, len(paths), (), side.aligned)
        _prepare(output, paths)
        done = _resize_all(paths, output, size, face_type, quality)
        if not in_place:
            return done
        _swap(side, done)
        return Resized(done.made, done.kept, (), side.aligned)


def _is_so(path: Path, size: int, face_type: FaceType | None) -> bool:
    try:
        return resize.is_so(dfl_image.read(path), size, face_type)
    except PipelineError:
        return False


def _prepare(output: Path, paths: list[Path]) -> None:
    """Make the output folder; refuse one with images that are not of these faces."""
    own_folder(output)
    fsio.remove_leftovers(output)
    others = {path.name for path in list_images(output)} - {path.name for path in paths}
    if others:
        raise InputError(
            "the output folder has other pictures",
            where=output,
            why=f"{len(others)}, such as {min(others)}",
            hint="move that folder away",
        )


def _resize_all(paths: list[Path], output: Path, size: int, face_type: FaceType | None, quality: int) -> Resized:
    kept = 0
    problems: list[tuple[str, str]] = []
    for path in progress(paths, description="resizing", unit="face"):
        target = output / path.name
        if resize.is_done(path, target, size, face_type, quality):
            kept += 1
            continue
        try:
            resize.resize_file(path, target, size, face_type, quality)
        except PipelineError as error:
            problems.append((path.name, error.why or error.what))
    return Resized(len(paths) - kept - len(problems), kept, tuple(problems), output)


def _swap(side: Side, done: Resized) -> None:
    """The new folder takes the place of the old one, which goes to the trash whole; not while a face is left out."""
    if done.problems:
        raise InputError(
            "some faces could not be resized, so the originals stay",
            where=side.aligned,
            why="; ".join(f"left out: {name}: {why}" for name, why in done.problems[:3]),
            hint=f"the others are in {done.folder}; move the bad ones away and run it again",
        )
    # A run that is killed between these two is settled by the next one.
    fsio.move_to_trash(side.aligned, side.workspace.trash)
    done.folder.rename(side.aligned)
