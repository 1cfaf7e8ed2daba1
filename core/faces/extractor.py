"""From a frame to its face files: find, recognize, name, crop, encode."""

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import PurePath

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, InputError
from core.faces import filters
from core.faces.contract import Embedder
from core.faces.cropping import CropSettings, cut, encoded, large_enough, pose_scores, record_of, sharpness
from core.faces.finding import Finder
from core.faces.overlay import draw
from core.faces.wanted import Wanted
from core.faceset.identity import birth_id
from core.imaging.codec import encode_jpeg
from core.types import Face, FaceRecord

_LOOK = 8  # side of the small picture that tells frames apart
_SMALLEST = 4  # pixels of the frame that a face must have to be written


@dataclass(frozen=True, eq=False)
class AlignedFace:
    """A face of a frame, finished.

    face: where it is in the frame.
    record: everything about the crop but its pixels; None where no crop can be made of the points.
    data: the JPEG file with the record in it; None where none was to be made.
    scores: pitch, yaw (radians, of the crop), roll (radians, of the eyes in the frame), sharpness; ``likeness_wanted``
        and ``likeness_unwanted`` where people were to be told apart.
    identity: float32 unit vector, or None.
    """

    face: Face
    record: FaceRecord | None = None
    data: bytes | None = None
    scores: dict[str, float] = field(default_factory=dict)
    identity: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class FrameFaces:
    """All that a frame gave.

    name: of the frame.
    faces: the largest first.
    filtered: faces that are not kept, each with its reason.
    error: why the frame could not be read, or empty.
    drawing: a JPEG of the frame with what was found, or None.
    size: (height, width) of the frame, pixels; zeros where it could not be read.
    look: the frame as 8 x 8 mean colours, uint8 BGR, 192 bytes; empty where it could not be read.
    """

    name: str
    faces: tuple[AlignedFace, ...] = ()
    filtered: tuple[AlignedFace, ...] = ()
    error: str = ""
    drawing: bytes | None = None
    size: tuple[int, int] = (0, 0)
    look: bytes = b""


@dataclass(frozen=True)
class Extractor:
    """The networks and settings of a run; ``extract`` may be called from several threads.

    embedder: None leaves identities out.
    wanted: whose faces are kept; None for everybody's.
    """

    finder: Finder
    embedder: Embedder | None
    crop: CropSettings
    wanted: Wanted | None = None

    def extract(self, name: str, load: Callable[[], NDArray[np.uint8]]) -> FrameFaces:
        """The faces of the frame ``name``, whose image (uint8, H x W x 3, BGR) ``load`` returns.

        A frame that cannot be read is a result, too.
        """
        try:
            image = load()
        except (CorruptFileError, InputError) as error:
            return FrameFaces(name, error=f"{error.what}: {error.why}" if error.why else error.what)
        found = _named(self._found(name, image))
        kept = [each for each in found if each.face.status == "kept"]
        others = [each for each in found if each.face.status != "kept"]
        drawing = None
        if self.crop.debug:
            pictures = [each.face for each in kept], [each.face for each in others]
            drawing = encode_jpeg(draw(image, *pictures, self.crop.face_type), 75)
        return FrameFaces(
            name,
            tuple(self._finish(image, f"{PurePath(name).stem}_{index}.jpg", each) for index, each in enumerate(kept)),
            tuple(self._set_aside(image, each) for each in others),
            drawing=drawing,
            size=(image.shape[0], image.shape[1]),
            look=cv2.resize(image, (_LOOK, _LOOK), interpolation=cv2.INTER_AREA).tobytes(),
        )

    def _found(self, name: str, image: NDArray[np.uint8]) -> list[AlignedFace]:
        """All faces of a frame: those that are kept come first. Who it is, is asked before anything is cropped."""
        passed, others = self.finder.find(name, image)
        people = [_judged(self.wanted, image, face) if self.wanted else AlignedFace(face) for face in passed]
        right = [each for each in people if each.face.status == "kept"]
        wrong = [each for each in people if each.face.status != "kept"]
        kept = right[: self.finder.limits.max_faces or len(right)]
        many = [replace(each, face=filters.filtered(each.face, filters.MANY)) for each in right[len(kept) :]]
        return [*kept, *many, *wrong, *map(AlignedFace, others)]

    def _finish(self, image: NDArray[np.uint8], name: str, found: AlignedFace) -> AlignedFace:
        points = np.asarray(found.face.landmarks)
        identity = found.identity
        if identity is None and self.embedder:
            identity = self.embedder.embed(image, points)
        record = record_of(found.face, name, self.crop)
        scores = found.scores | pose_scores(record, found.face.pose)
        if not self.crop.files:
            return AlignedFace(found.face, record, None, scores, identity)
        aligned = cut(image, record, self.crop)
        data = encoded(aligned, record, self.crop) if large_enough(points, self.crop) else None
        return AlignedFace(found.face, record, data, scores | {"sharpness": sharpness(aligned)}, identity)

    def _set_aside(self, image: NDArray[np.uint8], found: AlignedFace) -> AlignedFace:
        """A face that is not kept, with a file of its own where those are wanted and one can be made.

        It is recognized all the same, so that it has a person when somebody takes it back; but not what is hardly one.
        """
        face = found.face
        if face.landmarks is None:
            return found
        if self.embedder and found.identity is None and face.reason not in (filters.SMALL, filters.NO_FACE):
            found = replace(found, identity=self.embedder.embed(image, face.landmarks))
        if not self.crop.filtered:
            return found
        name = f"{PurePath(face.frame).stem}_{face.id}.jpg"
        try:
            record = record_of(face, name if len(os.fsencode(name)) <= 255 else f"{face.id}.jpg", self.crop)
        except InputError:  # the points are no face at all
            return found
        return replace(found, record=record, data=encoded(cut(image, record, self.crop), record, self.crop))


def _judged(wanted: Wanted, image: NDArray[np.uint8], face: Face) -> AlignedFace:
    """Whether it is a wanted person, and the vector that says so."""
    vector = wanted.embedder.embed(image, np.asarray(face.landmarks))
    reason, likeness = wanted.judge(vector)
    return AlignedFace(filters.filtered(face, reason) if reason else face, scores=likeness, identity=vector)


def _named(found: Sequence[AlignedFace]) -> list[AlignedFace]:
    """The faces of a frame with their ids; one without landmarks is known by the corners of its box."""
    named: list[AlignedFace] = []
    taken: set[str] = set()
    for each in found:
        face = each.face
        points = face.box.reshape(2, 2) if face.landmarks is None else face.landmarks
        twins = (birth_id(face.frame, points, twin) for twin in itertools.count())
        identity = next(candidate for candidate in twins if candidate not in taken)
        taken.add(identity)
        named.append(replace(each, face=replace(face, id=identity)))
    return named


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Inside, a call of OpenCV uses one core: the work is already spread over frames."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
