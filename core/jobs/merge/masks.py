"""Masks by name for merging: what the model made, what mask networks make, what people and steps left in face files."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, InputError
from core.faces.contract import Masker
from core.faceset.exchange.placed import moved, stored_mask
from core.formats import dfl_image
from core.geometry.align import FaceType, face_matrix, transform_points
from core.imaging.codec import to_uint8
from core.imaging.masks import polygon_mask
from core.types import Face, FaceRecord

FloatArray = NDArray[np.float32]

STORED, POLYGONS = "stored", "polygons"
_OF_FILES = frozenset({STORED, POLYGONS})
# Of the face that the model made, and of that of the film.
_PRD, _DST = "_prd", "_dst"
LEARNED = frozenset({"learned_prd", "learned_dst"})


def networks_of(names: frozenset[str]) -> frozenset[str]:
    """Which maskers the masks with these names need: ``xseg`` for ``xseg_dst``."""
    asked = {name.removesuffix(_PRD).removesuffix(_DST) for name in names - LEARNED if name.endswith((_PRD, _DST))}
    return frozenset(asked)


@dataclass(frozen=True)
class MaskSources:
    """Where masks come from.

    names: that are needed. maskers: opened mask networks by name. files: face -> its face file, for the stored ones.
    """

    names: frozenset[str] = frozenset()
    maskers: Mapping[str, Masker] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def masks(self, face: Face, face_type: FaceType, *, target: FloatArray, made: FloatArray) -> dict[str, FloatArray]:
        """The masks that are needed of networks and files, (n, n), 0..1, over the square of the face.

        target, made: the face of the film and that of the model, (R, R, 3), 0..1.

        Raises:
            InputError: a mask is stored nowhere.
            CorruptFileError: a face file is damaged.
        """
        found: dict[str, FloatArray] = {}
        for name in self.names & _OF_FILES:
            found[name] = self._of_file(name, face, face_type, len(target))
        for name, masker in self.maskers.items():
            for suffix, image in ((_DST, target), (_PRD, made)):
                if name + suffix in self.names:
                    found[name + suffix] = self._of_network(masker, face, face_type, image)
        return found

    def segment(self, image: FloatArray, which: str) -> FloatArray:
        """What the XSeg network says of a face of 256 pixels, as DeepFaceLab asks it. which: ``prd`` or ``dst``."""
        with self._turn:
            return np.asarray(self.maskers["xseg"].infer([image])[0], np.float32)

    def _of_network(self, masker: Masker, face: Face, face_type: FaceType, image: FloatArray) -> FloatArray:
        size = len(image)
        points = np.asarray(face.landmarks)
        matrix = face_matrix(points, size, face_type)
        record = FaceRecord(face.frame, (size, size), transform_points(points, matrix), face_type.file_name)
        prepared = masker.prepare(to_uint8(np.clip(image, 0, 1)), record)
        with self._turn:
            mask = masker.infer([prepared.data])[0]
        return masker.place(mask, prepared, image.shape, size)

    def _of_file(self, name: str, face: Face, face_type: FaceType, size: int) -> FloatArray:
        record = self._record(face)
        matrix = face_matrix(np.asarray(face.landmarks), size, face_type)
        if name == POLYGONS:
            mask = polygon_mask(record.shape, record.polygons)[..., 0]
            if record.image_to_face_mat is None:
                raise InputError("a face file does not say where its face is", where=record.name)
            return _part(moved((mask * 255).astype(np.uint8), record.image_to_face_mat, matrix, size))
        stored = stored_mask(record)
        if stored is None:
            raise InputError(
                "a face has no stored mask",
                where=record.name,
                hint="step 4.2 makes masks; or choose a mask of another name",
            )
        return _part(moved(*stored, matrix, size))

    def _record(self, face: Face) -> FaceRecord:
        path = self.files.get(face.id)
        if path is None:
            raise InputError(
                "a face has no file in aligned/, and its mask is there",
                where=f"{face.id} in {face.frame}",
                hint="bash scripts/4.1.5_reextract_dst.sh makes the files",
            )
        try:
            return dfl_image.read(path)
        except OSError as error:
            raise CorruptFileError("a face file cannot be read", where=path, why=str(error)) from None


def _part(pixels: NDArray[np.uint8]) -> FloatArray:
    return pixels.astype(np.float32) / np.float32(255)


def open_sources(
    names: frozenset[str], open_masker: Callable[[str], Masker], files: Callable[[], Mapping[str, Path]]
) -> MaskSources:
    """Open what the masks with these names need. open_masker, files: asked only for what is needed."""
    maskers = {name: open_masker(name) for name in sorted(networks_of(names))}
    return MaskSources(names, maskers, files() if names & _OF_FILES else {})
