"""From a frame to its face files: detect, landmarks, filter, align, identity, encode. Frames are worked on side by side, results come in order."""

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, InputError
from core.faces import filters
from core.faces.contract import Detector, Embedder, Landmarker
from core.formats import dfl_image
from core.geometry.align import FaceType, face_matrix, transform_points
from core.geometry.pose import pitch_yaw_roll
from core.imaging.codec import encode_jpeg
from core.imaging.warp import warp_face
from core.types import FaceRecord

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Cut:
    """How faces are cut out and stored. size: pixels; quality: JPEG, 1..100; exact: bilinear and 4:2:0 as DeepFaceLab writes, else
    anti-aliased and 4:4:4; debug: also draw what was found."""

    face_type: FaceType = FaceType.WHOLE_FACE
    size: int = 512
    quality: int = 90
    exact: bool = False
    debug: bool = False


@dataclass(frozen=True)
class ExtractedFace:
    """A finished face. data: the file; landmarks: float64 (68, 2), frame pixels; box: float, frame pixels; score, sure: 0..1, of the detector and
    the landmarker; pitch, yaw: radians; roll: radians, the clockwise turn of the head in the frame; sharpness: variance of the Laplacian in a 256-pixel cut;
    identity: unit vector or None."""

    record: FaceRecord
    data: bytes
    landmarks: NDArray[np.float64]
    box: tuple[float, float, float, float]
    score: float
    sure: float
    pitch: float
    yaw: float
    roll: float
    sharpness: float
    identity: NDArray[np.float32] | None


@dataclass(frozen=True)
class FrameFaces:
    """All that a frame gave. dropped: how many faces under which name; error: why the frame could not be read, or empty; drawing: a JPEG or None."""

    name: str
    faces: tuple[ExtractedFace, ...] = ()
    dropped: tuple[tuple[str, int], ...] = ()
    error: str = ""
    drawing: bytes | None = None


@dataclass(frozen=True)
class Extractor:
    """The networks and settings of a run; ``extract`` may be called from several threads."""

    detector: Detector
    landmarker: Landmarker
    embedder: Embedder | None
    limits: filters.Limits
    cut: Cut

    def extract(self, name: str, load: Callable[[], NDArray[np.uint8]]) -> FrameFaces:
        """The faces of the frame ``name``, whose picture (uint8, H x W x 3, BGR) ``load`` returns. A frame that cannot be read is a result, too."""
        try:
            image = load()
        except (CorruptFileError, InputError) as error:
            return FrameFaces(name, error=f"{error.what}: {error.why}" if error.why else error.what)
        found = self.detector.detect(image)
        large = filters.large_enough(found, self.limits)
        candidates = [filters.Candidate(face, *self.landmarker.landmarks(image, face)) for face in large]
        kept, dropped = filters.sift(candidates, image.shape[0], image.shape[1], self.limits)
        if len(found) > len(large):
            dropped[filters.SMALL] = len(found) - len(large)
        faces = tuple(self._finish(name, index, image, candidate) for index, candidate in enumerate(kept))
        drawing = encode_jpeg(draw(image, faces, self.cut), 75) if self.cut.debug else None
        return FrameFaces(name, faces, tuple(sorted(dropped.items())), drawing=drawing)

    def _finish(self, frame: str, index: int, image: NDArray[np.uint8], candidate: filters.Candidate) -> ExtractedFace:
        points = candidate.landmarks.astype(np.float64)
        matrix = face_matrix(points, self.cut.size, self.cut.face_type)
        aligned = warp_face(image, matrix, self.cut.size, exact=self.cut.exact)
        record = self._record(frame, index, points, matrix, candidate.face.box)
        pitch, yaw, _ = pitch_yaw_roll(record.landmarks, self.cut.size)
        jpeg = encode_jpeg(aligned, self.cut.quality, "420" if self.cut.exact else "444")
        return ExtractedFace(
            record,
            dfl_image.embed(jpeg, record),
            points,
            tuple(candidate.face.box.tolist()),
            candidate.face.confidence,
            candidate.sure,
            pitch,
            yaw,
            _roll(points),
            sharpness(aligned),
            self.embedder.embed(image, points) if self.embedder else None,
        )

    def _record(
        self, frame: str, index: int, points: NDArray[np.float64], matrix: NDArray[np.float64], box: NDArray[np.float32]
    ) -> FaceRecord:
        left, top, right, bottom = (int(value) for value in box)
        return FaceRecord(
            name=f"{PurePath(frame).stem}_{index}.jpg",
            shape=(self.cut.size, self.cut.size),
            landmarks=transform_points(points, matrix),
            face_type=self.cut.face_type.file_name,
            source_filename=frame,
            source_rect=(left, top, right, bottom),
            source_landmarks=points,
            image_to_face_mat=matrix,
        )


def _roll(points: NDArray[np.float64]) -> float:
    eyes = points[42:48].mean(axis=0) - points[36:42].mean(axis=0)
    return math.atan2(eyes[1], eyes[0])


def sharpness(aligned: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of the middle of an aligned face, at 256 pixels a side so that sizes compare."""
    grey = cv2.cvtColor(cv2.resize(aligned, (256, 256), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey[32:224, 32:224], cv2.CV_64F).var())


def draw(image: NDArray[np.uint8], faces: Iterable[ExtractedFace], cut: Cut) -> NDArray[np.uint8]:
    """The frame with the detector's box, the landmarks and the aligned square (thick side up) of each face."""
    canvas = image.copy()
    for face in faces:
        left, top, right, bottom = (int(value) for value in face.box)
        cv2.rectangle(canvas, (left, top), (right, bottom), (255, 0, 0), 2)
        inverse = cv2.invertAffineTransform(np.asarray(face.record.image_to_face_mat))
        square = (
            transform_points([(0, 0), (cut.size, 0), (cut.size, cut.size), (0, cut.size)], inverse)
            .round()
            .astype(np.int32)
        )
        cv2.polylines(canvas, [square], True, (0, 0, 255), 2, cv2.LINE_AA)
        cv2.line(canvas, square[0].tolist(), square[1].tolist(), (0, 0, 255), 5, cv2.LINE_AA)
        for x, y in face.landmarks.round().astype(int).tolist():
            cv2.circle(canvas, (x, y), 2, (0, 255, 0), -1, cv2.LINE_AA)
    return canvas


def in_order(function: Callable[[A], B], items: Iterable[A], workers: int) -> Iterator[B]:
    """``function`` of each item, computed by ``workers`` threads, in the order of the items, never more than a few items ahead."""
    with ThreadPoolExecutor(workers, thread_name_prefix="extract") as pool:
        waiting: deque[Future[B]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > workers + 2:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Inside, a call of OpenCV uses one core: the work is already spread over frames."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
