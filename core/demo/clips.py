"""Short clips of the fictional faces: the head turns and nods, the jaw moves, the light wanders."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.demo.faces import SIZE, Portrait, anchors, fictional_face, portraits, warp
from core.formats.origin.film import label_film
from core.formats.provenance import VIDEO_TAGS
from core.progress import progress
from core.video.encode import write_video

FPS = 12  # frames a second
# Share of the second portrait in each face.
SHARES = {"src": 0.35, "dst": 0.65}
# Turns of the two clips, a phase apart, so that the poses of one side are not in step with the other's.
_PHASE = {"src": 0.0, "dst": 1.3}


def make_clips(folder: Path, frames: int) -> list[Path]:
    """Write ``data_src.mp4`` and ``data_dst.mp4`` with ``frames`` frames each; returns their paths."""
    first, second = portraits()
    paths = []
    for name, share in SHARES.items():
        face = fictional_face(first, second, share)
        path = folder / f"data_{name}.mp4"
        moving = animate(face, frames, _PHASE[name])
        counted = progress(moving, total=frames, description=f"demo clip {name}", unit="frame")
        write_video(path, counted, width=SIZE, height=SIZE, rate=FPS, tags=VIDEO_TAGS, seal=label_film)
        paths.append(path)
    return paths


def animate(face: Portrait, frames: int, phase: float) -> Iterator[NDArray[np.uint8]]:
    """Frames, uint8 SIZE x SIZE x 3 BGR, of the face in motion; the same every time. phase: radians."""
    noise = np.random.default_rng(7)
    for index in range(frames):
        t = 2 * np.pi * index / frames
        turned = turn(
            face.mesh,
            yaw=0.24 * np.sin(t + phase),
            pitch=0.16 * np.sin(2 * t + phase),
            roll=0.10 * np.sin(3 * t + phase),
        )
        spoken = open_jaw(turned, 9 * max(0.0, np.sin(5 * t + phase)))
        drift = np.array([14 * np.sin(t * 2), 8 * np.cos(t * 3), 0])
        moved = spoken + drift
        # The hair comes along half as far as the face, as it does when a head turns.
        image = warp(face.image, anchors(face.mesh), anchors(moved, follow=(face.mesh + moved) / 2))
        yield light(image, np.sin(2 * t + phase), noise)


def turn(mesh: NDArray, yaw: float, pitch: float, roll: float) -> NDArray:
    """Rotate the mesh (n, 3) by angles in radians about a point behind the face, where the neck would hold it."""
    cy, sy = np.cos(yaw), np.sin(yaw)
    cp, sp = np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(roll), np.sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    width = np.ptp(mesh[:, 0])
    pivot = mesh.mean(0) + np.array([0, 0, 0.35 * width])
    return (mesh - pivot) @ (about_z @ about_x @ about_y).T + pivot


def open_jaw(mesh: NDArray, pixels: float) -> NDArray:
    """Lower what lies below the middle of the mouth by up to ``pixels``."""
    mouth, chin = mesh[13, 1], mesh[152, 1]  # the upper inner lip and the chin
    below = np.clip((mesh[:, 1] - mouth) / (0.3 * (chin - mouth)), 0, 1)
    moved = mesh.copy()
    moved[:, 1] += pixels * below
    return moved


def light(image: NDArray[np.uint8], side: float, noise: np.random.Generator) -> NDArray[np.uint8]:
    """The image under a lamp that moves from left (``side`` -1) to right (1), with the grain of a camera."""
    gain = 1 + 0.16 * side * np.linspace(-1, 1, SIZE, dtype=np.float32)[None, :, None]
    grain = noise.normal(0, 1.5, image.shape).astype(np.float32)
    return cv2.convertScaleAbs(np.clip(image * gain + grain, 0, 255)).astype(np.uint8)
