"""What a masker is, and running one over many faces: reading, computing and writing overlap.

A plugin ``core/faces/maskers/<name>.py`` has a one-line docstring and ``create(request) -> Masker``.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import DiskFullError, EnvironmentFault, InputError, PipelineError, from_os_error
from core.geometry.align import Matrix, compose, invert
from core.imaging.warp import warp_face
from core.types import FaceRecord

Array = NDArray[np.float32]
STORED_SIDE = 256
# The machine's fault, not this face's: going on would fail for every face.
_FATAL = (DiskFullError, EnvironmentFault)


@dataclass(frozen=True)
class MaskerRequest:
    """What a masker may need. weights: the folder of the model (XSeg); assets: where archives lie; description: the JSON file of a network
    that people bring; face_type: what the network was trained on, where its files do not say; exact: place the mask as the DeepFaceLab
    format does, for the default stored mask; include, exclude: areas of the face, for networks that tell them apart."""

    weights: Path | None = None
    assets: Path | None = None
    description: Path | None = None
    face_type: str = "same"
    exact: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prepared:
    """A face on its way. data: what ``infer`` takes, float32; matrix: image pixels -> pixels of ``data``, None where they cover the same square."""

    data: Array
    matrix: Matrix | None = None


class Masker(Protocol):
    """``prepare`` and ``place`` are called from several threads, ``infer`` from one. kind: the plugin's name; identity: changes whenever the masks would."""

    device: str
    kind: str
    identity: str
    origin: str

    def prepare(self, image: NDArray[np.uint8], record: FaceRecord) -> Prepared:
        """The network's input for an aligned face (uint8, H x W x 3, BGR)."""

    def infer(self, batch: Sequence[Array]) -> Array:
        """Soft masks (n, h, w), 0..1, in the squares of the inputs."""

    def place(self, mask: Array, prepared: Prepared, shape: tuple[int, ...], side: int) -> Array:
        """The soft mask (side, side) that covers the image's own square."""


@dataclass(frozen=True)
class Made:
    """What became of one face: what its ``save`` returned, or why there is nothing."""

    key: Any
    saved: Any = None
    problem: str = ""


def place_smoothly(mask: Array, matrix: Matrix | None, shape: tuple[int, ...], side: int) -> Array:
    """A mask (h, w) seen through ``matrix`` (image pixels -> mask pixels; None: the same square) as (side, side) over the image's square."""
    height, width = shape[:2]
    if matrix is None:
        matrix = _between(width, height, mask.shape[1], mask.shape[0])
    to_square = compose(invert(matrix), _between(width, height, side, side))
    return np.clip(warp_face(mask, to_square, side), 0, 1)


def _between(width: int, height: int, other_width: int, other_height: int) -> Matrix:
    """Pixels of one raster -> pixels of another over the same area."""
    fx, fy = other_width / width, other_height / height
    return np.array([[fx, 0, fx / 2 - 0.5], [0, fy, fy / 2 - 0.5]])


def resize(picture: NDArray, side: int, kind: int) -> NDArray:
    return picture if picture.shape[:2] == (side, side) else cv2.resize(picture, (side, side), interpolation=kind)


@dataclass(frozen=True)
class PendingFace:
    """One face to mask. load: reads it, (image, record); side: of the mask to be made, 0 for the image's own; save: takes the soft mask
    (side, side). Both are called from threads."""

    key: Any
    load: Callable[[], tuple[NDArray[np.uint8], FaceRecord]]
    save: Callable[[Array], Any]
    side: int = STORED_SIDE


def masks_of(faces: Iterable[PendingFace], masker: Masker, *, batch_size: int = 8, threads: int = 4) -> Iterator[Made]:
    """Make and save the masks of ``faces``, in their order; a face that cannot be read, masked or saved comes with its problem.

    At most a few batches are in memory. Raises what concerns the machine and not a face: no space, no permission.
    """
    with ThreadPoolExecutor(threads, "masks") as pool:
        try:
            placed: deque[Future[Made]] = deque()
            for batch in _batches(pool, faces, masker, batch_size):
                placed.extend(_inferred(pool, batch, masker))
                while len(placed) > 2 * batch_size:
                    yield placed.popleft().result()
            while placed:
                yield placed.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True)
class _Loaded:
    face: PendingFace
    prepared: Prepared | None = None
    shape: tuple[int, ...] = ()
    problem: str = ""


def _batches(
    pool: ThreadPoolExecutor, faces: Iterable[PendingFace], masker: Masker, batch_size: int
) -> Iterator[list[_Loaded]]:
    """Prepared faces, ``batch_size`` at a time, while the next ones are being read."""
    waiting: deque[Future[_Loaded]] = deque()
    batch: list[_Loaded] = []
    for face in faces:
        waiting.append(pool.submit(_load, face, masker))
        if len(waiting) > 2 * batch_size:
            batch.append(waiting.popleft().result())
        if len(batch) == batch_size:
            yield batch
            batch = []
    while waiting:
        batch.append(waiting.popleft().result())
        if len(batch) == batch_size:
            yield batch
            batch = []
    if batch:
        yield batch


def _load(face: PendingFace, masker: Masker) -> _Loaded:
    try:
        image, record = face.load()
        return _Loaded(face, masker.prepare(image, record), image.shape)
    except _FATAL:
        raise
    except PipelineError as error:
        return _Loaded(face, problem=explanation(error))


def _inferred(pool: ThreadPoolExecutor, batch: list[_Loaded], masker: Masker) -> list[Future[Made]]:
    good = [item for item in batch if item.prepared is not None]
    soft = iter(masker.infer([item.prepared.data for item in good if item.prepared]) if good else ())
    return [pool.submit(_place, item, next(soft) if item.prepared else None, masker) for item in batch]


def _place(item: _Loaded, mask: Array | None, masker: Masker) -> Made:
    if mask is None or item.prepared is None:
        return Made(item.face.key, problem=item.problem)
    try:
        placed = masker.place(mask, item.prepared, item.shape, item.face.side or item.shape[1])
        return Made(item.face.key, item.face.save(placed))
    except _FATAL:
        raise
    except OSError as error:
        raise from_os_error(error) from None
    except PipelineError as error:
        return Made(item.face.key, problem=explanation(error))


def explanation(error: PipelineError) -> str:
    return f"{error.what}: {error.why}" if error.why else error.what


def square(image: NDArray[np.uint8], record: FaceRecord) -> int:
    """The side of an aligned face. Raises InputError when it is no square."""
    height, width = image.shape[:2]
    if height != width:
        raise InputError("an aligned face that is no square", where=record.name, why=f"{width} x {height} px")
    return width
