"""Face pictures as faceswap makes them: crops of the frames, each with all about its face in its header."""

from collections.abc import Iterator
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, InputError, PipelineError
from core.faceset.exchange.to_fsa import Written
from core.formats.faceswap import face_png
from core.formats.faceswap.document import FsaFace, FsaFrame, landmarks_68
from core.formats.faceswap.face_png import FaceHeader
from core.fsio import write_bytes
from core.geometry.centring import Centring, crop_matrix
from core.imaging.codec import encode_png
from core.imaging.warp import warp_face
from core.jobs.extract.frame_source import FrameSource
from core.progress import progress

Problems = list[tuple[str, str]]


def write_pictures(
    source: FrameSource, written: Written, folder: Path, centring: Centring, size: int, film: str
) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Write a picture of each face into a folder; returns how many, and (name, why) of what could not be written.

    They are called ``<stem of the frame>_<index of the face>.png``; what has that name is replaced.

    source: all frames of the side. centring: faceswap reads heads; the others are for looking at and for training.
    film: that the frames are of, or empty.
    """
    wanted = {name: frame for name, frame in zip(written.names, written.document.frames, strict=True) if frame.faces}
    folder.mkdir(parents=True, exist_ok=True)
    count, problems = 0, Problems()
    for name, image in _images(source, set(wanted), problems):
        count += _write_frame(folder, wanted.pop(name), image, centring, size, problems, is_video=bool(film))
    problems += [(name, "there is no such frame") for name in wanted if name not in dict(problems)]
    return count, tuple(problems)


def _images(source: FrameSource, wanted: set[str], problems: Problems) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    frames = source.frames(lambda count: None)
    for name, load in progress(frames, total=len(source.names), description="faces", unit="frame"):
        if name not in wanted:
            continue
        try:
            yield name, load()
        except (CorruptFileError, InputError) as error:
            problems.append((name, error.why or error.what))


def _write_frame(
    folder: Path,
    frame: FsaFrame,
    image: NDArray[np.uint8],
    centring: Centring,
    size: int,
    problems: Problems,
    *,
    is_video: bool,
) -> int:
    count = 0
    for index, face in enumerate(frame.faces):
        name = f"{PurePath(frame.key).stem}_{index}.png"
        header = FaceHeader(face, frame.key, index, name, (image.shape[0], image.shape[1]), is_video)
        try:
            picture = encode_png(_crop(image, face, centring, size))
            write_bytes(folder / name, face_png.with_header(picture, header, name), durable=False)
            count += 1
        except PipelineError as error:
            problems.append((name, error.why or error.what))
    return count


def _crop(image: NDArray[np.uint8], face: FsaFace, centring: Centring, size: int) -> NDArray[np.uint8]:
    points = landmarks_68(face.landmarks)
    if points is None:
        raise InputError("a face without points", why="it has only a box")
    return warp_face(image, crop_matrix(points, size, centring), size)
