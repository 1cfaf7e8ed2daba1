"""A swapped face put into its frame exactly as DeepFaceLab's merger does it, its oddities included.

The steps and their order are facts that pictures depend on. A face is cut (``cut_face``), a model makes a prediction of
``CutFace.network_input``, and ``merged_face`` composes; ``merged_frame`` mixes the faces of a frame.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import UsageError
from core.geometry.align import FaceType, Matrix, face_matrix
from core.imaging.masks import hull_mask
from core.merge import filters
from core.merge.dfl import masks
from core.merge.dfl.colors import drawn, histogram_matched, transferred
from core.merge.dfl.settings import DflSettings, Prediction, Surroundings
from core.merge.seamless import cloned

Array = NDArray[Any]  # float32
Merged = tuple[Array, Array]  # picture (H, W, 3) and mask (H, W)

_LOG = logging.getLogger(__name__)
_SEGMENTED = 256  # side of what the mask network sees
_NOWHERE = Surroundings()


@dataclass(frozen=True, eq=False)
class CutFace:
    """A face cut out of a frame for one configuration.

    network_input: float32 (R, R, 3), what the model predicts from.
    target: float32 (O, O, 3), the face of the film; O is R, or 4R with super resolution.
    plain, scaled, fine: frame -> face, at O, at O with the output scale, at 4R with it.
    """

    frame: Array
    landmarks: ArrayLike
    face_type: FaceType
    resolution: int
    network_input: Array
    target: Array
    plain: Matrix
    scaled: Matrix
    fine: Matrix

    @property
    def size(self) -> int:
        """O: the side of what is composed."""
        return len(self.target)


def cut_face(
    frame: NDArray[np.uint8], landmarks: ArrayLike, face_type: FaceType, resolution: int, settings: DflSettings
) -> CutFace:
    """The face with these landmarks (68, 2) cut out of a frame, uint8 (H, W, 3) BGR. resolution: R, of the model.

    Raises:
        InputError: degenerate landmarks.
    """
    image = frame.astype(np.float32) / 255
    size = 4 * resolution if settings.super_resolution else resolution
    scale = 1 + 0.01 * settings.output_face_scale
    plain = face_matrix(landmarks, size, face_type)
    target = np.clip(_cut(image, plain, size), 0, 1)
    return CutFace(
        frame=image,
        landmarks=landmarks,
        face_type=face_type,
        resolution=resolution,
        network_input=_resized(target, resolution, cv2.INTER_LINEAR),
        target=target,
        plain=plain,
        scaled=face_matrix(landmarks, size, face_type, scale),
        fine=face_matrix(landmarks, 4 * resolution, face_type, scale),
    )


def merged_frame(frame: NDArray[np.uint8], merged: Sequence[Merged]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The faces of a frame, each merged alone, mixed in order: picture (H, W, 3) and mask (H, W), truncated to 8 bits.

    A frame without faces is given back with an empty mask. With raw-predict, the sizes are those of the faces.
    """
    if not merged:
        return frame, np.zeros(frame.shape[:2], np.uint8)
    image, mask = merged[0]
    for other, cover in merged[1:]:
        image = image * (1 - cover[..., None]) + other * cover[..., None]
        mask = np.clip(mask + cover, 0, 1)
    return _truncated(image), _truncated(mask)


def merged_face(cut: CutFace, prediction: Prediction, settings: DflSettings, around: Surroundings = _NOWHERE) -> Merged:
    """One face in its frame: picture float32 (H, W, 3), mask float32 (H, W). raw-predict: of the face's size instead.

    Raises:
        UsageError: a mask network or an enhancer is needed and not there.
    """
    face = _enhanced(np.clip(prediction.face, 0, 1), cut, settings, around)
    work, cover = _masks(cut, prediction, face, settings, around)
    if settings.mode == "original":
        return cut.frame, cover
    if settings.mode == "raw-predict":
        return face, work
    if settings.mode == "raw-rgb":
        square = _to_frame(np.ones_like(face), cut.scaled, cut.frame)
        return np.clip(cut.frame * (1 - square) + _to_frame(face, cut.scaled, cut.frame) * square, 0, 1), cover
    if not masks.is_worth_merging(cover):
        return cut.frame, cover
    # Not quite 0 or 1: the resized mask is a little below 0 beside its edges, and that is kept.
    area = np.where(work > 0, np.float32(1), work)[..., None]
    draws = drawn(settings.color_transfer, around.seed) if around.draws is None else around.draws
    face = _recolored(face, cut.target, area, settings, draws)
    out = np.clip(_to_frame(face, cut.scaled, cut.frame), 0, 1)
    if settings.seamless:
        out = _seamless(out, cut.frame, cover)
    out = cut.frame * (1 - cover[..., None]) + out * cover[..., None]
    if _has_second_pass(settings):
        out = _second_pass(out, cut, cover[..., None], area, settings, around, draws)
    return filters.fewer_colors(out, settings.color_degrade), cover


def segmentation_input(cut: CutFace) -> Array:
    """What the mask network sees of the face of the film: float32 (256, 256, 3), not clipped, not scaled."""
    return _cut(cut.frame, face_matrix(cut.landmarks, _SEGMENTED, cut.face_type), _SEGMENTED)


def _enhanced(face: Array, cut: CutFace, settings: DflSettings, around: Surroundings) -> Array:
    if not settings.super_resolution:
        return face
    if around.enhance is None:
        raise UsageError("super resolution needs an enhancer", hint="set super_resolution to 0, or give one")
    part = np.float32(settings.super_resolution / 100)
    better = around.enhance(face)
    return np.clip(_resized(face, cut.size, cv2.INTER_LINEAR) * (1 - part) + better * part, 0, 1)


def _masks(
    cut: CutFace, prediction: Prediction, face: Array, settings: DflSettings, around: Surroundings
) -> tuple[Array, Array]:
    """The working mask at the size of the face, and the mask of the frame."""
    names = masks.factors(settings.mask_mode)
    fine = 4 * cut.resolution
    named = {name: _named_mask(name, cut, prediction, face, around) for name in names if name != "full"}
    work = masks.working_mask(settings.mask_mode, named, cut.size)
    work = _resized(work, fine)
    if not settings.raw:
        work = masks.with_edge(work, settings.erode_mask, settings.blur_mask, cut.resolution)
    cover = masks.floored(np.clip(_to_frame(work, cut.fine, cut.frame), 0, 1))
    return _resized(work, cut.size), cover


def _named_mask(name: str, cut: CutFace, prediction: Prediction, face: Array, around: Surroundings) -> Array:
    if name == "dst":
        return np.clip(_cut(hull_mask(cut.frame.shape, cut.landmarks)[..., 0], cut.plain, cut.size), 0, 1)
    if name.startswith("learned"):
        learned = prediction.face_mask if name.endswith("prd") else prediction.target_mask
        return _resized(np.clip(learned, 0, 1), cut.size)
    if around.segment is None:
        raise UsageError(
            "this mask needs a mask network", where=name, hint="choose a learned mask, or give an XSeg model"
        )
    predicted = name.endswith("prd")
    seen = _resized(face, _SEGMENTED) if predicted else segmentation_input(cut)
    return _resized(around.segment(seen, "prd" if predicted else "dst"), cut.size)


def _recolored(face: Array, target: Array, area: Array, settings: DflSettings, draws: NDArray) -> Array:
    if not settings.seamless:
        face = transferred(settings.color_transfer, face, target, area, draws)
    if settings.mode != "hist-match":
        return face
    kept = area if settings.masked_hist_match else np.float32(1)
    # Only the face is clipped; that of the film keeps what is above 1.
    masked_face = np.minimum(face * kept + (1 - kept), 1)
    return histogram_matched(masked_face, target * kept + (1 - kept), settings.hist_match_threshold)


def _seamless(out: Array, frame: Array, cover: Array) -> Array:
    above = [t / 10 for t in range(1, 10) if (cover > t / 10).any()]
    mask = np.where(cover > above[0], np.uint8(255), np.uint8(0)) if above else (cover * 255).astype(np.uint8)
    try:
        return cloned(_truncated(out), _truncated(frame), mask).astype(np.float32) / 255
    except cv2.error as error:  # the original goes on with the face that is not cloned
        _LOG.warning("a face could not be cloned seamlessly: %s", str(error).strip().splitlines()[-1])
        return out


def _has_second_pass(settings: DflSettings) -> bool:
    recolored = settings.seamless and settings.color_transfer != "none"
    filtered = settings.motion_blur or settings.blursharpen or settings.image_denoise or settings.bicubic_degrade
    return bool(recolored or settings.mode == "seamless-hist-match" or filtered)


def _second_pass(
    out: Array, cut: CutFace, cover: Array, area: Array, settings: DflSettings, around: Surroundings, draws: NDArray
) -> Array:
    """The blended face is cut out again, filtered, and blended a second time into the degraded frame."""
    face = _cut(out, cut.plain, cut.size)
    if settings.seamless:
        face = transferred(settings.color_transfer, face, cut.target, area, draws)
    if settings.mode == "seamless-hist-match":
        face = histogram_matched(face, cut.target, settings.hist_match_threshold)
    length = int(around.motion_power * settings.motion_blur / 100)
    if length >= 1:
        length = int(np.clip(length + 1, 2, 50)) * (2 if settings.super_resolution else 1)
        face = filters.motion_blur(face, length, around.motion_degrees)
    face = _blursharpened(face, settings)
    frame = filters.smooth(cut.frame, settings.image_denoise, whole=100)
    if settings.bicubic_degrade:
        frame = filters.degrade(frame, settings.bicubic_degrade)
    # The unscaled matrix, also with an output scale: this picture was scaled already.
    return np.clip(frame * (1 - cover) + _to_frame(face, cut.plain, cut.frame) * cover, 0, 1)


def _blursharpened(face: Array, settings: DflSettings) -> Array:
    amount = settings.blursharpen
    if amount < 0:
        return filters.smooth(face, -amount, whole=10)
    if amount and settings.sharpen_mode == "box":
        return filters.sharpen_box(face, 3, amount)
    if amount and settings.sharpen_mode == "gaussian":
        return filters.sharpen_gaussian(face, 3, amount)
    return face


def _cut(image: Array, matrix: Matrix, size: int) -> Array:
    return np.asarray(cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_CUBIC), np.float32)


def _to_frame(face: Array, matrix: Matrix, frame: Array) -> Array:
    size = frame.shape[1], frame.shape[0]
    return np.asarray(cv2.warpAffine(face, matrix, size, flags=cv2.WARP_INVERSE_MAP | cv2.INTER_CUBIC), np.float32)


def _resized(image: Array, size: int, interpolation: int = cv2.INTER_CUBIC) -> Array:
    if len(image) == size:
        return image
    return np.asarray(cv2.resize(image, (size, size), interpolation=interpolation), np.float32)


def _truncated(values: Array) -> NDArray[np.uint8]:
    """Through integers: what is below 0 or above 1 wraps around, as it does in the original."""
    return (values * 255).astype(np.int32).astype(np.uint8)
