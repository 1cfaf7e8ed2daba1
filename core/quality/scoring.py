"""What a model is worth: every figure of ``metrics``, for every face."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.faces.landmarkers import facemesh
from core.imaging.masks import mask_iou
from core.merge.settings import MergeSettings
from core.quality import pixels, shape
from core.quality.faces import Crop, QualityFace, crop_of
from core.quality.swap import Judged, Swapped, merged, swap_faces
from core.types import Face

# Metric -> id of the face -> value; a face of which it cannot be said is left out.
Values = dict[str, dict[str, float]]
Embed = Callable[[NDArray[np.uint8], NDArray], NDArray[np.float32]]
_NO_TRANSFER = MergeSettings(color="none")
_SEEN = 0.5  # confidence from which the mesh network sees a face
_PASTED = 0.25  # of the target's mask: where less is covered, the expression that is seen is the target's own


@dataclass(frozen=True)
class Networks:
    """What looks at faces. embed: whose a face is; mesh: the points of an image's face at given landmarks."""

    embed: Embed
    mesh: Callable[[NDArray[np.uint8], NDArray], tuple[shape.Mesh, float]]


@dataclass(frozen=True, eq=False)
class Subject:
    """The faces that models are judged on, and what is known of them without a model.

    src, dst: of the sides. run: target faces in consecutive frames.
    source, target: unit vectors, the mean identity of a side.
    meshes: id of a target face -> its mesh, of those that the network sees.
    beside: figures of the faces themselves, for comparison.
    """

    src: Sequence[QualityFace]
    dst: Sequence[QualityFace]
    run: Sequence[QualityFace]
    source: NDArray
    target: NDArray
    meshes: Mapping[str, shape.Mesh]
    beside: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Scores:
    """values: of every metric. pictures: id of a target face -> it with the swap in it, uint8 BGR."""

    values: Values
    pictures: Mapping[str, NDArray[np.uint8]]


def open_networks(embed: Embed) -> Networks:
    """Raises EnvironmentFault where the weights of the mesh network are not installed."""
    network = facemesh.create()

    def mesh(image: NDArray[np.uint8], landmarks: NDArray) -> tuple[shape.Mesh, float]:
        low, high = landmarks.min(0), landmarks.max(0)
        return network.mesh(image, Face(np.array([*low, *high], np.float32), 1.0))

    return Networks(embed, mesh)


def subject_of(
    src: Sequence[QualityFace], dst: Sequence[QualityFace], run: Sequence[QualityFace], networks: Networks
) -> Subject:
    """Looks at the faces once, for all models."""
    ours, theirs = (np.stack([networks.embed(face.image, face.landmarks) for face in side]) for side in (src, dst))
    source, target = _mean(ours), _mean(theirs)
    looked = {face.id: networks.mesh(face.image, face.landmarks) for face in dst}
    meshes = {face: mesh for face, (mesh, seen) in looked.items() if seen >= _SEEN}
    shapes = [shape.shape_of(mesh, shape.face_width(mesh)) for mesh in meshes.values()]
    beside = {
        "source_likeness": float(np.mean(_to_the_others(ours))),
        "target_likeness": float(np.mean(_to_the_others(theirs))),
        "source_identity": float(np.mean(_to_the_others(ours) - ours @ target)),
        "target_identity": float(np.mean(theirs @ source - _to_the_others(theirs))),
        "target_eyes_move": _movement([each.eyes for each in shapes]),
        "target_mouth_moves": _movement([each.mouth for each in shapes]),
    }
    return Subject(src, dst, run, source, target, meshes, {name: x for name, x in beside.items() if np.isfinite(x)})


def score(model: Judged, subject: Subject, networks: Networks) -> Scores:
    """Every figure of every face. The same model and faces give the same figures."""
    values: Values = {}
    source = swap_faces(model, subject.src)
    rebuilt = [(face.id, made.crop, made.face) for face, made in zip(subject.src, source, strict=True)]
    _rebuilt(values, "src", rebuilt)
    detail = float(np.nanmean([pixels.detail(made.crop.image, made.crop.hull) for made in source]))
    swaps = swap_faces(model, subject.dst)
    again = [
        (face.id, made.crop, made.own) for face, made in zip(subject.dst, swaps, strict=True) if made.own is not None
    ]
    _rebuilt(values, "dst", again)
    shapes, pictures = {}, {}
    for face, made in zip(subject.dst, swaps, strict=True):
        picture = merged(model, face, made).image
        pictures[face.id] = picture
        _identity(values, face, picture, subject, networks)
        _mask(values, face.id, made)
        _put(values, "sharpness", face.id, pixels.detail(made.face, made.crop.hull) / detail)
        _edge(values, model, face, made, picture)
        mesh, seen = networks.mesh(picture, face.landmarks)
        _put(values, "seen", face.id, seen)
        pasted = values["mask_area"].get(face.id, 0.0) >= _PASTED
        if pasted and seen >= _SEEN and face.id in subject.meshes:
            shapes[face.id] = mesh
    _expression(values, shapes, subject.meshes)
    _flicker(values, model, subject.run)
    return Scores(values, pictures)


def _rebuilt(values: Values, side: str, faces: Sequence[tuple[str, Crop, NDArray]]) -> None:
    for face, crop, made in faces:
        _put(values, f"{side}_ssim", face, pixels.ssim(crop.image, made, crop.hull))
        _put(values, f"{side}_psnr", face, pixels.psnr(crop.image, made, crop.hull))


def _identity(values: Values, face: QualityFace, picture: NDArray, subject: Subject, networks: Networks) -> None:
    vector = networks.embed(picture, face.landmarks)
    _put(values, "identity", face.id, float(vector @ subject.source - vector @ subject.target))
    _put(values, "identity_src", face.id, float(vector @ subject.source))


def _mask(values: Values, face: str, made: Swapped) -> None:
    covered, wanted = made.target_mask * made.face_mask, made.crop.mask
    _put(values, "mask_iou", face, mask_iou(covered, wanted))
    values.setdefault("mask_area", {})
    area = int((wanted > 0.5).sum())
    _put(values, "mask_area", face, int((covered > 0.5).sum()) / area if area else float("nan"))


def _edge(values: Values, model: Judged, face: QualityFace, made: Swapped, picture: NDArray[np.uint8]) -> None:
    plain = merged(model, face, made, _NO_TRANSFER)
    target, cover = _part(face.image), _part(plain.mask)
    _put(values, "edge", face.id, pixels.edge_step(target, _part(plain.image), cover))
    _put(values, "edge_merged", face.id, pixels.edge_step(target, _part(picture), cover))


def _expression(values: Values, swaps: Mapping[str, shape.Mesh], targets: Mapping[str, shape.Mesh]) -> None:
    """How well the swaps follow. What two persons' faces differ by in all pictures is no mistake and is taken out."""
    if len(swaps) < 2:
        return
    eyes, mouths, points, turns = [], [], [], []
    for face, mesh in swaps.items():
        width = shape.face_width(targets[face])
        ours, theirs = (shape.shape_of(each, width) for each in (mesh, targets[face]))
        eyes.append(ours.eyes - theirs.eyes)
        mouths.append(ours.mouth - theirs.mouth)
        points.append(shape.inner_points(ours.points - theirs.points))
        turns.append(shape.turn_between(mesh, targets[face]))
    away = np.linalg.norm(_beside_mean(np.stack(points)), axis=-1).mean(-1)
    found = {
        "eyes": np.abs(_beside_mean(np.array(eyes))),
        "mouth": np.abs(_beside_mean(np.array(mouths))),
        "points": away,
        "pose": np.linalg.norm(_beside_mean(np.stack(turns)), axis=1),
    }
    for key, each in found.items():
        for face, value in zip(swaps, each, strict=True):
            _put(values, key, face, float(value))


def _flicker(values: Values, model: Judged, run: Sequence[QualityFace]) -> None:
    if len(run) < 3:
        return
    made = swap_faces(model, run)
    crops = [crop_of(face, model.dfm.resolution, model.face_type) for face in run]
    swaps, targets, hulls = (
        np.stack(each)
        for each in ([m.face for m in made], [crop.image for crop in crops], [crop.hull for crop in crops])
    )
    for face, value in zip(run[1:-1], pixels.flicker(swaps, targets, hulls), strict=True):
        _put(values, "flicker", face.id, value)


def _put(values: Values, metric: str, face: str, value: float) -> None:
    if np.isfinite(value):
        values.setdefault(metric, {})[face] = float(value)


def _part(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return image.astype(np.float32) / np.float32(255)


def _mean(vectors: NDArray) -> NDArray:
    mean = vectors.mean(0)
    return mean / max(float(np.linalg.norm(mean)), 1e-12)


def _to_the_others(vectors: NDArray) -> NDArray:
    """Of each vector its likeness to the mean of the others; of a single one to itself."""
    if len(vectors) == 1:
        return np.ones(1)
    total = vectors.sum(0)
    return np.array([float(vector @ _mean((total - vector)[None])) for vector in vectors])


def _movement(values: Sequence[float]) -> float:
    """The mean distance from the mean: what a swap that never moves would be off by."""
    return float(np.abs(_beside_mean(np.array(values))).mean()) if len(values) > 1 else float("nan")


def _beside_mean(differences: NDArray) -> NDArray:
    # One of n differences has a part in the mean that it is measured from.
    count = len(differences)
    return (differences - differences.mean(0)) * np.sqrt(count / (count - 1))
