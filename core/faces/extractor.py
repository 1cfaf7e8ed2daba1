"""From a frame to its face files: detect, mark, filter, name, crop, recognize, encode."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePath

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, InputError
from core.faces import filters
from core.faces.contract import Detector, Embedder, Landmarker
from core.faceset.identity import birth_id
from core.formats import dfl_image
from core.geometry.align import FaceType, face_matrix, transform_points
from core.geometry.pose import pitch_yaw_roll
from core.imaging.codec import encode_jpeg
from core.imaging.warp import warp_face
from core.types import Face, FaceRecord


@dataclass(frozen=True)
class CropSettings:
    """How faces are cropped and stored.

    face_type: how much around the face.
    size: side of the crop, pixels.
    quality: of the JPEG, 1..100.
    exact: bilinear and 4:2:0 as DeepFaceLab writes; else anti-aliased and 4:4:4.
    debug: also draw what was found into a copy of the frame.
    """

    face_type: FaceType = FaceType.WHOLE_FACE
    size: int = 512
    quality: int = 90
    exact: bool = False
    debug: bool = False


@dataclass(frozen=True, eq=False)
class AlignedFace:
    """A face with its crop, finished.

    face: where it is in the frame.
    record: everything about the crop but its pixels.
    data: the JPEG file with the record in it.
    scores: pitch, yaw (radians, of the crop), roll (radians, of the eyes in the frame), sharpness.
    identity: float32 unit vector, or None.
    """

    face: Face
    record: FaceRecord
    data: bytes
    scores: dict[str, float]
    identity: NDArray[np.float32] | None


@dataclass(frozen=True)
class FrameFaces:
    """All that a frame gave.

    name: of the frame.
    faces: the largest first.
    filtered: faces that are not kept, each with its reason.
    error: why the frame could not be read, or empty.
    drawing: a JPEG of the frame with what was found, or None.
    """

    name: str
    faces: tuple[AlignedFace, ...] = ()
    filtered: tuple[Face, ...] = ()
    error: str = ""
    drawing: bytes | None = None


@dataclass(frozen=True)
class Extractor:
    """The networks and settings of a run; ``extract`` may be called from several threads.

    embedder: None leaves identities out.
    limits: what is kept.
    detector_name: where the faces come from, as they remember it.
    """

    detector: Detector
    landmarker: Landmarker
    embedder: Embedder | None
    limits: filters.Limits
    crop: CropSettings
    detector_name: str = "detector"

    def extract(self, name: str, load: Callable[[], NDArray[np.uint8]]) -> FrameFaces:
        """The faces of the frame ``name``, whose image (uint8, H x W x 3, BGR) ``load`` returns.

        A frame that cannot be read is a result, too.
        """
        try:
            image = load()
        except (CorruptFileError, InputError) as error:
            return FrameFaces(name, error=f"{error.what}: {error.why}" if error.why else error.what)
        large, small = filters.by_size(self._detect(name, image), self.limits)
        marked = [self._mark(image, face) for face in large]
        kept, others = filters.sift(marked, image.shape[0], image.shape[1], self.limits)
        named = _named([*kept, *others, *small])
        faces = tuple(self._finish(image, index, face) for index, face in enumerate(named[: len(kept)]))
        drawing = encode_jpeg(draw(image, faces, self.crop), 75) if self.crop.debug else None
        return FrameFaces(name, faces, tuple(named[len(kept) :]), drawing=drawing)

    def _detect(self, frame: str, image: NDArray[np.uint8]) -> list[Face]:
        return [replace(face, frame=frame, origin=self.detector_name) for face in self.detector.detect(image)]

    def _mark(self, image: NDArray[np.uint8], face: Face) -> Face:
        points, confidence = self.landmarker.landmarks(image, face)
        return replace(face, landmarks=points.astype(np.float64), landmark_confidence=confidence)

    def _finish(self, image: NDArray[np.uint8], index: int, face: Face) -> AlignedFace:
        points = np.asarray(face.landmarks)
        matrix = face_matrix(points, self.crop.size, self.crop.face_type)
        aligned = warp_face(image, matrix, self.crop.size, exact=self.crop.exact)
        record = self._record(face, index, points, matrix)
        pitch, yaw, _ = pitch_yaw_roll(record.landmarks, self.crop.size)
        jpeg = encode_jpeg(aligned, self.crop.quality, "420" if self.crop.exact else "444")
        return AlignedFace(
            face=face,
            record=record,
            data=dfl_image.embed(jpeg, record),
            scores={"pitch": pitch, "yaw": yaw, "roll": _roll(points), "sharpness": sharpness(aligned)},
            identity=self.embedder.embed(image, points) if self.embedder else None,
        )

    def _record(self, face: Face, index: int, points: NDArray[np.float64], matrix: NDArray[np.float64]) -> FaceRecord:
        # Cut off and not rounded, as the original writes it.
        left, top, right, bottom = (int(value) for value in face.box)
        return FaceRecord(
            name=f"{PurePath(face.frame).stem}_{index}.jpg",
            shape=(self.crop.size, self.crop.size),
            landmarks=transform_points(points, matrix),
            face_type=self.crop.face_type.file_name,
            source_filename=face.frame,
            source_rect=(left, top, right, bottom),
            source_landmarks=points,
            image_to_face_mat=matrix,
            face_id=face.id,
        )


def _named(faces: list[Face]) -> list[Face]:
    """The faces of a frame with their ids; one without landmarks is known by the corners of its box."""
    named: list[Face] = []
    taken: set[str] = set()
    for face in faces:
        points = face.box.reshape(2, 2) if face.landmarks is None else face.landmarks
        twins = (birth_id(face.frame, points, twin) for twin in itertools.count())
        identity = next(candidate for candidate in twins if candidate not in taken)
        taken.add(identity)
        named.append(replace(face, id=identity))
    return named


def _roll(points: NDArray[np.float64]) -> float:
    """The clockwise turn of the line through the eyes, radians."""
    eyes = points[42:48].mean(axis=0) - points[36:42].mean(axis=0)
    return math.atan2(eyes[1], eyes[0])


def sharpness(aligned: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of the middle of an aligned face, at 256 pixels a side so that sizes compare."""
    grey = cv2.cvtColor(cv2.resize(aligned, (256, 256), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey[32:224, 32:224], cv2.CV_64F).var())


def draw(image: NDArray[np.uint8], faces: Iterable[AlignedFace], crop: CropSettings) -> NDArray[np.uint8]:
    """The frame with the detector's box, the landmarks and the aligned square (thick side up) of each face."""
    canvas = image.copy()
    corners = [(0, 0), (crop.size, 0), (crop.size, crop.size), (0, crop.size)]
    for aligned in faces:
        left, top, right, bottom = (int(value) for value in aligned.face.box)
        cv2.rectangle(canvas, (left, top), (right, bottom), (255, 0, 0), 2)
        face_to_frame = cv2.invertAffineTransform(np.asarray(aligned.record.image_to_face_mat))
        square = transform_points(corners, face_to_frame).round().astype(np.int32)
        cv2.polylines(canvas, [square], True, (0, 0, 255), 2, cv2.LINE_AA)
        cv2.line(canvas, square[0].tolist(), square[1].tolist(), (0, 0, 255), 5, cv2.LINE_AA)
        for x, y in np.asarray(aligned.face.landmarks).round().astype(int).tolist():
            cv2.circle(canvas, (x, y), 2, (0, 255, 0), -1, cv2.LINE_AA)
    return canvas


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Inside, a call of OpenCV uses one core: the work is already spread over frames."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
