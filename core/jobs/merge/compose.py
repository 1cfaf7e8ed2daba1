"""Faces of a frame, cut, swapped and put back: our composition, or DeepFaceLab's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.geometry.align import face_matrix
from core.imaging.warp import warp_face
from core.jobs.merge.cues import FaceSettings
from core.jobs.merge.masks import MaskSources
from core.jobs.merge.model import Swapper
from core.merge.dfl.compose import CutFace, cut_face, merged_face, merged_frame
from core.merge.dfl.settings import DflSettings, Prediction, Surroundings
from core.merge.face import merge_faces
from core.merge.patch import SwappedFace, face_colors
from core.merge.statistics import light_of
from core.types import Face
from core.video.film.frames import Frame, Image

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Swapped:
    """What the model made of a face: face (R, R, 3), target_mask and face_mask (R, R), float32."""

    face: FloatArray
    target_mask: FloatArray
    face_mask: FloatArray


@dataclass(frozen=True, eq=False)
class Work:
    """A frame on its way.

    faces: that are swapped in it. told: how, one for each. cuts: one for each, as the composer made them. swapped: one
    for each, once the model has been asked. ready: one for each, as our composer puts them in. light: the mean color
    around them, where it was measured. motion: (pixels, degrees). seed: of its scene.
    """

    frame: Frame
    faces: tuple[Face, ...] = ()
    told: tuple[FaceSettings, ...] = ()
    cuts: tuple[Any, ...] = ()
    swapped: tuple[Swapped, ...] = ()
    ready: tuple[SwappedFace, ...] = ()
    light: NDArray[np.float64] | None = None
    motion: tuple[float, float] = (0.0, 0.0)
    seed: int = 0


class Composer(Protocol):
    """Cuts faces for the model, and puts what it made of them back. Called from several threads."""

    def cut(self, image: Image, face: Face) -> Any:
        """A face cut out; what it is, is the composer's own business."""

    def network_input(self, cut: Any) -> FloatArray:
        """The face as the model takes it: float32 (R, R, 3), BGR, 0..1."""

    def ready(self, work: Work) -> Work:
        """The work with all that can be known of its faces before they are put in."""

    def compose(self, work: Work) -> tuple[Image, NDArray]:
        """The frame with its faces, and what they cover (H, W)."""


@dataclass(frozen=True)
class OurComposer:
    """The face put where the mask is, and nowhere else (``core.merge.face``).

    measures: also measure colors and light, which are then averaged over frames.
    """

    swapper: Swapper
    sources: MaskSources = field(default_factory=MaskSources)
    measures: bool = False

    def cut(self, image: Image, face: Face) -> FloatArray:
        size = self.swapper.dfm.resolution
        matrix = face_matrix(np.asarray(face.landmarks), size, self.swapper.face_type)
        crop = warp_face(image, matrix, size)
        return crop.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)

    def network_input(self, cut: FloatArray) -> FloatArray:
        return cut

    def ready(self, work: Work) -> Work:
        found = tuple(
            SwappedFace(
                landmarks=np.asarray(face.landmarks),
                prediction=swapped.face,
                masks=self._masks(face, cut, swapped),
                face_type=self.swapper.face_type,
                motion=work.motion,
            )
            for face, cut, swapped in zip(work.faces, work.cuts, work.swapped, strict=True)
        )
        if not self.measures or not found:
            return replace(work, ready=found)
        known = [
            replace(face, colors=face_colors(face, cut, told.settings))
            for face, cut, told in zip(found, work.cuts, work.told, strict=True)
        ]
        light = light_of(work.frame.image, [np.asarray(face.landmarks) for face in work.faces])
        return replace(work, ready=tuple(known), light=light)

    def compose(self, work: Work) -> tuple[Image, NDArray]:
        settings = [told.settings for told in work.told]
        merged = merge_faces(work.frame.image, work.ready, settings, work.seed, work.frame.number)
        return merged.image, merged.mask

    def _masks(self, face: Face, cut: FloatArray, swapped: Swapped) -> Mapping[str, FloatArray]:
        learned = {"learned_prd": swapped.face_mask, "learned_dst": swapped.target_mask}
        return learned | self.sources.masks(face, self.swapper.face_type, target=cut, made=swapped.face)


@dataclass(frozen=True)
class ExactComposer:
    """As DeepFaceLab merges, bit by bit (``core.merge.dfl``)."""

    swapper: Swapper
    settings: DflSettings
    sources: MaskSources = field(default_factory=MaskSources)

    def cut(self, image: Image, face: Face) -> CutFace:
        size, face_type = self.swapper.dfm.resolution, self.swapper.face_type
        return cut_face(np.asarray(image, np.uint8), np.asarray(face.landmarks), face_type, size, self.settings)

    def network_input(self, cut: CutFace) -> FloatArray:
        return cut.network_input

    def ready(self, work: Work) -> Work:
        return work

    def compose(self, work: Work) -> tuple[Image, NDArray]:
        around = Surroundings(
            segment=self.sources.segment if "xseg" in self.sources.maskers else None,
            motion_power=work.motion[0],
            motion_degrees=work.motion[1],
            seed=work.seed,
        )
        merged = [
            merged_face(cut, Prediction(swapped.face, swapped.face_mask, swapped.target_mask), self.settings, around)
            for cut, swapped in zip(work.cuts, work.swapped, strict=True)
        ]
        return merged_frame(np.asarray(work.frame.image, np.uint8), merged)


def swap_all(swapper: Swapper, composer: Composer, works: Sequence[Work], batch: int) -> list[Swapped]:
    """What the model makes of all faces of some frames, in their order."""
    told = [each.morph for work in works for each in work.told]
    inputs = [composer.network_input(cut) for work in works for cut in work.cuts]
    made: list[Swapped] = []
    for morph, group in groupby(zip(told, inputs, strict=True), key=lambda pair: pair[0]):
        alike = [face for _, face in group]
        for start in range(0, len(alike), batch):
            found = swapper.dfm.swap(np.stack(alike[start : start + batch]), morph)
            made += [
                Swapped(face, target[..., 0], own[..., 0])
                for face, target, own in zip(found.face, found.target_mask, found.face_mask, strict=True)
            ]
    return made
