"""Running a masker over many faces: reading, computing and writing overlap, and only a few batches are in memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DiskFullError, EnvironmentFault, PipelineError, from_os_error
from core.faces.contract import FloatArray, Masker, Prepared
from core.parallel import ahead
from core.types import FaceRecord

STORED_SIDE = 256
# The machine's fault, not this face's: going on would fail for every face.
_FATAL = (DiskFullError, EnvironmentFault)


@dataclass(frozen=True)
class PendingFace:
    """A face that waits for its mask.

    key: names it in the results.
    load: reads it: the image, uint8 H x W x 3 BGR, and its record. Called from several threads.
    save: takes the mask, float32 (side, side), 0..1. Called from several threads.
    side: of the mask in pixels, 0 for that of the image.
    """

    key: Any
    load: Callable[[], tuple[NDArray[np.uint8], FaceRecord]]
    save: Callable[[FloatArray], Any]
    side: int = STORED_SIDE


@dataclass(frozen=True)
class Made:
    """What became of a face.

    key: as in ``PendingFace``.
    saved: what its ``save`` returned.
    problem: why there is no mask, or empty.
    """

    key: Any
    saved: Any = None
    problem: str = ""


def masks_of(faces: Iterable[PendingFace], masker: Masker, *, batch_size: int = 8, threads: int = 4) -> Iterator[Made]:
    """Make and save the masks of ``faces``, in their order. One that cannot be read, masked or saved has a problem.

    Raises:
        DiskFullError, EnvironmentFault: what concerns the machine and not a face, such as no permission.
    """
    with ThreadPoolExecutor(threads, "masks") as pool:
        try:
            placing: deque[Future[Made]] = deque()
            for batch in _batches(pool, faces, masker, batch_size):
                placing.extend(_inferred(pool, batch, masker))
                # Waiting here bounds the memory when writing is slower than computing.
                while len(placing) > 2 * batch_size:
                    yield placing.popleft().result()
            while placing:
                yield placing.popleft().result()
        finally:
            # A caller that stops early, or an error, must not wait for all that was still to be written.
            pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True)
class _Loaded:
    """A face that was read: prepared, or with a problem. shape: of its image."""

    face: PendingFace
    prepared: Prepared | None = None
    shape: tuple[int, ...] = ()
    problem: str = ""


def _batches(
    pool: ThreadPoolExecutor, faces: Iterable[PendingFace], masker: Masker, batch_size: int
) -> Iterator[list[_Loaded]]:
    """Prepared faces, ``batch_size`` at a time, while the next ones are being read."""
    loaded = ahead(pool, partial(_load, masker), faces, 2 * batch_size)
    while batch := list(islice(loaded, batch_size)):
        yield batch


def _load(masker: Masker, face: PendingFace) -> _Loaded:
    try:
        image, record = face.load()
        return _Loaded(face, masker.prepare(image, record), image.shape)
    except _FATAL:
        raise
    except PipelineError as error:
        return _Loaded(face, problem=explanation(error))


def _inferred(pool: ThreadPoolExecutor, batch: list[_Loaded], masker: Masker) -> list[Future[Made]]:
    """Compute the masks of a batch, and have them placed and saved."""
    # Faces that could not be read stay in the batch, so that results keep the order of the faces.
    inputs = [item.prepared.data for item in batch if item.prepared]
    masks = iter(masker.infer(inputs) if inputs else ())
    return [pool.submit(_place, item, next(masks) if item.prepared else None, masker) for item in batch]


def _place(item: _Loaded, mask: FloatArray | None, masker: Masker) -> Made:
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
    """The error in one line, without the file: what, and why as far as it is known."""
    return f"{error.what}: {error.why}" if error.why else error.what
