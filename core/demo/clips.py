"""Short clips of the fictional faces: the head turns and nods, the jaw moves, the light wanders."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.demo.faces import SIZE, Portrait, anchors, fictional_face, portraits, warp
from core.formats.provenance import VIDEO_TAGS
from core.progress import progress
from core.video.encode import write_video

FPS = 12
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
        moving = progress(
            animate(face, frames, _PHASE[name]), total=frames, description=f"demo clip {name}", unit="frame"
        )
        write_video(path, moving, width=SIZE, height=SIZE, rate=FPS, tags=VIDEO_TAGS)
        paths.append(path)
    return paths


def animate(face: Portrait, frames: int, phase: float) -> Iterator[NDArray[np.uint8]]:
    """Frames (uint8 SIZE x SIZE x 3 BGR) of the face in motion; the same every time."""
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
        drift = np.array([14 * np.sin(t * 2), 8 * np.cos(t * 3)])
        spoken = spoken + np.append(drift, 0)
        image = warp(face.image, anchors(face.mesh), anchors(spoken, follow=(face.mesh + spoken) / 2))
        yield light(image, np.sin(2 * t + phase), noise)


def turn(mesh: NDArray, yaw: float, pitch: float, roll: float) -> NDArray:
    """Rotate the mesh (radians) about a point behind the face, where the neck would hold it."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    width = np.ptp(mesh[:, 0])
    pivot = mesh.mean(0) + np.array([0, 0, 0.35 * width])
    return (mesh - pivot) @ (about_z @ about_x @ about_y).T + pivot


def open_jaw(mesh: NDArray, pixels: float) -> NDArray:
    """Lower what lies below the mouth's middle by up to ``pixels``; mesh points 13 and 152 are the upper inner lip and the chin."""
    mouth, chin = mesh[13, 1], mesh[152, 1]
    below = np.clip((mesh[:, 1] - mouth) / (0.3 * (chin - mouth)), 0, 1)
    moved = mesh.copy()
    moved[:, 1] += pixels * below
    return moved


def light(image: NDArray[np.uint8], side: float, noise: np.random.Generator) -> NDArray[np.uint8]:
    """A lamp that moves from left (-1) to right (1), and the grain of a camera."""
    gain = 1 + 0.16 * side * np.linspace(-1, 1, SIZE, dtype=np.float32)[None, :, None]
    grain = noise.normal(0, 1.5, image.shape).astype(np.float32)
    return cv2.convertScaleAbs(np.clip(image * gain + grain, 0, 255)).astype(np.uint8)
