"""Two fictional people who make the same faces: what a perfect swap is, and swaps with one planted fault each."""

from functools import cache

import cv2
import numpy as np

from core.demo import clips
from core.demo.people import PEOPLE, person
from core.demo.portraits import portraits
from core.faces.embedders import sface
from core.faces.mesh_points import points_68
from core.geometry.align import FaceType
from core.imaging.masks import hull_mask
from core.inference.dfm import Swap
from core.quality.faces import QualityFace, crop_of
from core.quality.scoring import open_networks, score, subject_of
from core.quality.swap import Judged

SIZE, FRAMES = 64, 6


@cache
def people():
    """(what is judged on, the networks, target crop -> the crop of the source with that expression)."""
    networks = open_networks(sface.create().embed)
    first, second = portraits()
    source, target = (_filmed(name, person(first, second, PEOPLE[name]), networks) for name in ("src", "dst"))
    subject = subject_of(source, target, target, networks)
    crops = {
        side: [crop_of(face, SIZE, FaceType.WHOLE_FACE) for face in faces]
        for side, faces in (("src", source), ("dst", target))
    }
    perfect = {wanted.image.tobytes(): number for number, wanted in enumerate(crops["dst"])}
    perfect |= {own.image.tobytes(): number for number, own in enumerate(crops["src"])}
    return subject, networks, (perfect, crops["src"], crops["dst"])


def _filmed(name, portrait, networks):
    frames = [
        cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA) for frame in clips.animate(portrait, FRAMES, 0.4)
    ]
    found = []
    for number, frame in enumerate(frames):
        mesh, _ = networks.mesh(frame, portrait.mesh[:, :2] / 2)
        landmarks = points_68(mesh[:, :2])
        mask = hull_mask(frame.shape, landmarks)[..., 0]
        found.append(QualityFace(f"{name}{number}", f"{name}{number}.jpg", frame, landmarks, mask))
    return found


class Painter:
    """Stands for a model: gives the source with the expression that it is shown, and does one thing wrong."""

    resolution = SIZE

    def __init__(self, fault):
        self.fault = fault

    def swap(self, batch):
        numbers, ours, theirs = people()[2]
        made = [self.fault(numbers[np.asarray(crop, np.float32).tobytes()], ours, theirs) for crop in batch]
        faces, masks = (np.stack(each) for each in zip(*made, strict=True))
        return Swap(masks[..., None], faces, masks[..., None])


def perfect(number, ours, theirs):
    return ours[number].image, theirs[number].mask


def blurred(number, ours, theirs):
    return cv2.GaussianBlur(ours[number].image, (0, 0), 0.8), theirs[number].mask


def tinted(number, ours, theirs):
    return np.clip(ours[number].image + np.float32([-0.1, -0.06, 0.1]), 0, 1), theirs[number].mask


def small_mask(number, ours, theirs):
    return ours[number].image, cv2.erode(theirs[number].mask, np.ones((3, 3)))


def somebody_else(number, ours, theirs):
    return theirs[number].image, theirs[number].mask


def out_of_step(number, ours, theirs):
    return ours[(number + 3) % len(ours)].image, theirs[number].mask


def unsteady(number, ours, theirs):
    return np.clip(ours[number].image * np.float32(1 + 0.2 * (-1) ** number), 0, 1), theirs[number].mask


PLANTS = {
    plant.__name__: plant for plant in (perfect, blurred, tinted, small_mask, somebody_else, out_of_step, unsteady)
}


def judged(plant) -> Judged:
    return Judged(Painter(plant), FaceType.WHOLE_FACE)


@cache
def scored(plant):
    subject, networks, _ = people()
    return score(judged(plant), subject, networks)
