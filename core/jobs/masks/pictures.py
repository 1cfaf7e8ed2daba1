"""Masks as pictures: brought from other programs, and written out for other programs and for people."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from core import fsio
from core.errors import CorruptFileError, InputError, PipelineError
from core.faceset.database.frames import frame_number
from core.faceset.database.masks import MaskRow, MaskTable, checksum
from core.faceset.edit import change_records
from core.faceset.identity import record_geometry
from core.faceset.register import KnownFaces, open_known
from core.geometry.align import invert
from core.imaging.codec import decode_image, encode_png, read_image
from core.imaging.masks import BY_HAND, best_mask, encode_mask
from core.imaging.warp import warp_face
from core.jobs.alignments.frames_again import read_again, source_again
from core.jobs.side import OpenedSide, opened_side
from core.progress import progress
from core.types import FaceRecord
from core.workspace import Workspace, list_frames

Space = Literal["frame", "face"]
What = Literal["combined", "masked", "mask"]
_STORED = 256  # pixels of a mask that comes from a frame
_BORDER = 1  # white, around each picture of a combined one


@dataclass(frozen=True)
class BroughtMasks:
    """taken: faces that have a mask of the folder now. unused: pictures that fit no face.

    without: faces that no picture fits. problems: (name, why).
    """

    taken: int
    unused: tuple[str, ...]
    without: tuple[str, ...]
    problems: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Finish:
    """What is done to a mask before it is written.

    threshold: per cent; less is black, and as much below white is white. blur: pixels of the Gaussian, 0 for none.
    grow: per cent of the side, by which the mask grows, or shrinks where it is negative.
    """

    threshold: float = 0.0
    blur: int = 0
    grow: float = 0.0


@dataclass(frozen=True)
class WrittenMasks:
    """written: pictures. folder: where they are. problems: (name, why) of what could not be written."""

    written: int
    folder: Path
    problems: tuple[tuple[str, str], ...]


def bring_masks(workspace: Workspace, name: str, folder: Path, space: Space) -> BroughtMasks:
    """Give the faces of a side the masks that pictures in a folder show, as made by hand: no masker replaces them.

    space: ``frame``, pictures of whole frames, called as the frame (or ending in its number); ``face``, of crops,
    called as the face file. White is face; other sizes are fitted.

    Raises:
        InputError: there are no pictures, or none fits a face.
    """
    pictures = {path.stem: path for path in list_frames(folder)}
    if not pictures:
        raise InputError("no pictures", where=folder, hint="name the folder of the masks")
    with opened_side(workspace, name) as side, open_known(side) as known:
        matches = _matches(known, pictures, space)
        if not matches:
            raise _strangers(known, pictures, folder, space)
        used = {path.stem for path in matches.values()}
        masks: dict[int, bytes] = {}
        problems: list[tuple[str, str]] = []
        for index, path in progress(matches.items(), description="masks", unit="face"):
            record = known.faceset.full_record(index)
            try:
                masks[index] = encode_mask(_mask_of(record, path, space, _frame_shape(known, record)), BY_HAND)
            except PipelineError as error:
                problems.append((path.name, error.why or error.what))
        problems += change_records(known.faceset, {index: partial(_with_mask, mask) for index, mask in masks.items()})
        failed = {name for name, _ in problems}
        records = known.faceset.records()
        with MaskTable(known.connection) as table:
            for index, mask in masks.items():
                if records[index].name not in failed:
                    table.add(_row(known, index, mask, folder.name))
        without = tuple(record.name for index, record in enumerate(records) if index not in matches)
        return BroughtMasks(len(masks), tuple(sorted(pictures.keys() - used)), without, tuple(problems))


def write_masks(
    workspace: Workspace, name: str, what: What, *, full_frame: bool = False, finish: Finish = Finish()
) -> WrittenMasks:
    """Write the masks of a side as pictures into ``aligned_masks/<what>`` beside the faces.

    what: ``combined``, the face, the face under its mask, and the mask side by side; ``masked``, the face with the mask
    as its transparency; ``mask``, the mask alone. full_frame: of whole frames instead of crops; where several faces are
    in one their masks are joined.

    Raises:
        InputError: there are no faces, or no frames to write whole ones.
    """
    with opened_side(workspace, name) as side, open_known(side) as known:
        folder = side.frames / "aligned_masks" / (f"{what}_frames" if full_frame else what)
        folder.mkdir(parents=True, exist_ok=True)
        problems: list[tuple[str, str]] = []
        pairs = _frames(side, known, problems) if full_frame else _crops(known, problems)
        count = 0
        for stem, image, mask in pairs:
            picture = _picture(image, _finished(mask, finish), what)
            fsio.write_bytes(folder / f"{stem}.png", encode_png(picture), durable=False)
            count += 1
        return WrittenMasks(count, folder, tuple(problems))


def _matches(known: KnownFaces, pictures: dict[str, Path], space: Space) -> dict[int, Path]:
    """Index of a face -> its picture."""
    numbers = {frame_number(path.name): path for path in pictures.values()}
    found = {}
    for index, record in enumerate(known.faceset.records()):
        if space == "face":
            path = pictures.get(Path(record.name).stem)
        else:
            frame = record.source_filename or ""
            path = pictures.get(Path(frame).stem)
            number = frame_number(frame)
            if path is None and number is not None:
                path = numbers.get(number)
        if path is not None:
            found[index] = path
    return found


def _strangers(known: KnownFaces, pictures: dict[str, Path], folder: Path, space: Space) -> InputError:
    """The error that no picture fits a face."""
    other: Space = "face" if space == "frame" else "frame"
    hint = "call each as the face file" if space == "face" else "call each as its frame, or end its name in its number"
    if _matches(known, pictures, other):
        hint = f"they are called as {other}s are: --space {other}"
    first = min(pictures)
    return InputError(f"no picture fits a {space}", where=folder, why=f"the first is {first}", hint=hint)


def _mask_of(record: FaceRecord, path: Path, space: Space, frame_shape: tuple[int, int]) -> NDArray[np.float32]:
    grey = cv2.cvtColor(read_image(path), cv2.COLOR_BGR2GRAY).astype(np.float32) / 255
    if space == "face":
        if grey.shape[0] != grey.shape[1]:
            raise InputError("a mask of a face is square", why=f"{grey.shape[1]} x {grey.shape[0]} pixels")
        return grey
    if record.image_to_face_mat is None:
        raise InputError("the face does not say where it is in its frame", why="no matrix")
    if 0 not in frame_shape and grey.shape != frame_shape:
        grey = cv2.resize(grey, frame_shape[::-1], interpolation=cv2.INTER_AREA)
    scale = _STORED / record.shape[0]
    half = scale / 2 - 0.5
    matrix = np.array([[scale, 0, half], [0, scale, half]]) @ np.vstack([record.image_to_face_mat, [0, 0, 1]])
    return np.clip(warp_face(grey, matrix, _STORED), 0, 1)


def _frame_shape(known: KnownFaces, record: FaceRecord) -> tuple[int, int]:
    """(height, width) of the frame; zeros where the database does not know."""
    query = "SELECT height, width FROM frames WHERE name = ?"
    row = known.connection.execute(query, (record.source_filename,)).fetchone()
    return (int(row[0] or 0), int(row[1] or 0)) if row else (0, 0)


def _with_mask(mask: bytes, record: FaceRecord) -> FaceRecord:
    return replace(record, xseg_mask=mask)


def _row(known: KnownFaces, index: int, mask: bytes, source: str) -> MaskRow:
    return MaskRow(
        face=known.ids[index],
        kind=BY_HAND,
        masker=f"{BY_HAND} {source}",
        checksum=checksum(mask),
        area=0.0,
        uncertainty=0.0,
        geometry=record_geometry(known.faceset.full_record(index)),
    )


Pair = tuple[str, NDArray[np.uint8], NDArray[np.float32]]


def _crops(known: KnownFaces, problems: list[tuple[str, str]]) -> Iterator[Pair]:
    for index in progress(range(len(known.ids)), description="masks", unit="face"):
        name = known.faceset.records()[index].name
        try:
            image = decode_image(known.faceset.read(index), name)
            mask, _ = best_mask(known.faceset.full_record(index))
        except PipelineError as error:
            problems.append((name, error.why or error.what))
            continue
        yield Path(name).stem, image, mask[..., 0]


def _frames(side: OpenedSide, known: KnownFaces, problems: list[tuple[str, str]]) -> Iterator[Pair]:
    by_frame: dict[str, list[int]] = defaultdict(list)
    for index, record in enumerate(known.faceset.records()):
        by_frame[record.source_filename or ""].append(index)
    source = source_again(known.connection, side)
    frames = progress(read_again(source, by_frame), total=len(by_frame), description="masks", unit="frame")
    for name, load in frames:
        try:
            image = load()
        except (CorruptFileError, InputError) as error:
            problems.append((name, error.why or error.what))
            continue
        joined = np.zeros(image.shape[:2], np.float32)
        for index in by_frame.pop(name):
            joined = np.maximum(joined, _in_frame(known.faceset.full_record(index), image.shape, problems))
        yield Path(name).stem, image, joined
    problems += [(name or "a face that names no frame", "the frame is not there") for name in by_frame]


def _in_frame(record: FaceRecord, shape: tuple[int, ...], problems: list[tuple[str, str]]) -> NDArray[np.float32]:
    try:
        mask, _ = best_mask(record)
        if record.image_to_face_mat is None:
            raise InputError("the face does not say where it is in its frame")
        to_frame = invert(record.image_to_face_mat)
    except PipelineError as error:
        problems.append((record.name, error.why or error.what))
        return np.zeros(shape[:2], np.float32)
    return cv2.warpAffine(mask[..., 0], to_frame, (shape[1], shape[0]), flags=cv2.INTER_LINEAR)


def _finished(mask: NDArray[np.float32], finish: Finish) -> NDArray[np.uint8]:
    pixels = (np.clip(mask, 0, 1) * 255 + 0.5).astype(np.uint8)
    reach = round(len(pixels) * abs(finish.grow) / 100)
    if reach:
        ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
        pixels = cv2.dilate(pixels, ellipse) if finish.grow > 0 else cv2.erode(pixels, ellipse)
    if finish.threshold:
        limit = 2.55 * finish.threshold
        pixels = np.where(pixels < limit, 0, np.where(pixels > 255 - limit, 255, pixels)).astype(np.uint8)
    if finish.blur:
        side = finish.blur + 1 - finish.blur % 2  # a Gaussian kernel has an odd side
        pixels = cv2.GaussianBlur(pixels, (side, side), 0)
    return pixels


def _picture(image: NDArray[np.uint8], mask: NDArray[np.uint8], what: What) -> NDArray[np.uint8]:
    if what == "mask":
        return mask
    if mask.shape != image.shape[:2]:
        mask = cv2.resize(mask, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if what == "masked":
        return np.dstack([image, mask])
    under = (image * (mask[..., None] / 255)).astype(np.uint8)
    three = [image, under, cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR)]
    framed = [_framed(part) for part in three]
    # Wide pictures stand above each other.
    return np.vstack(framed) if image.shape[1] > image.shape[0] else np.hstack(framed)


def _framed(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.pad(image, ((_BORDER, _BORDER), (_BORDER, _BORDER), (0, 0)), constant_values=255)
