"""What detectors, landmarkers, embedders and maskers are. To add one, write one file; nothing else changes.

    core/faces/detectors/<name>.py     create(settings: DetectorSettings) -> Detector
    core/faces/landmarkers/<name>.py   create(assets: Path | None = None, normalisation: str = "none") -> Landmarker
    core/faces/embedders/<name>.py     create(assets: Path | None = None) -> Embedder
    core/faces/maskers/<name>.py       create(request: MaskerRequest) -> Masker

The name of the file is the name on the command line: ``--detector <name>``, ``--landmarker <name>``,
``--embedder <name>``, ``--masker <name>``. The first line of its docstring is what ``--help`` says about it.
The normalisation (``core.imaging.normalise``) is done to the pixels that the landmarker's network sees. ``create``
loads what is needed, and raises an error of ``core.errors`` when that is missing or damaged. The tests in
``tests/faces/test_face_plugins.py`` run on every file there is.

What ``create`` returns is called from several threads at once, and gives the same answer for the same image every time.
Its ``device`` is where it really computes, ``CPU`` or ``CUDA``. Images are uint8 H x W x 3 BGR; points and boxes are in
their pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.geometry.align import Matrix
from core.types import Face, FaceRecord

FloatArray = NDArray[np.float32]
Rotations = Literal["auto", "all", "none"]


@dataclass(frozen=True)
class DetectorSettings:
    """How faces are looked for.

    confidence: 0..1, faces below it are not reported.
    size: pixels of the frame's longer side when it is searched; larger finds smaller faces.
    rotations: ``auto`` turns the frame by quarters where it may hold a face that is not upright, ``all`` always,
        ``none`` never.
    assets: the folder of files that people bring; None for that of the environment.
    """

    confidence: float = 0.6
    size: int = 640
    rotations: Rotations = "auto"
    assets: Path | None = None


class Detector(Protocol):
    """Finds faces at any angle in the image plane, each once."""

    device: str

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """The faces of an image, each with box, confidence and roll; none is a result, too."""


class Landmarker(Protocol):
    """Finds the 68 points."""

    device: str

    def landmarks(self, image: NDArray[np.uint8], face: Face) -> tuple[FloatArray, float]:
        """The points, float32 (68, 2), and the confidence that this is a face: 0..1, 1 where it cannot tell.

        face: what a detector found in the image; its box and roll are used.
        """


class Embedder(Protocol):
    """Turns a face into a vector; vectors of one person are close."""

    device: str

    def embed(self, image: NDArray[np.uint8], landmarks: NDArray) -> FloatArray:
        """A vector, float32 (n,) of unit length, for the face with these landmarks (68, 2) in the image."""


@dataclass(frozen=True)
class MaskerRequest:
    """What a masker may need; each takes what concerns it.

    weights: the folder of the model, which may hold XSeg weights.
    assets: the folder of the archives that people bring.
    description: the JSON file that describes a network of a person's own.
    face_type: what the network was trained on, where its files do not say; ``same`` for whatever each image is.
    exact: resample as the DeepFaceLab format does, for the mask that is stored by default.
    include, exclude: areas to take in or to leave out, for networks that tell areas apart.
    """

    weights: Path | None = None
    assets: Path | None = None
    description: Path | None = None
    face_type: str = "same"
    exact: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prepared:
    """A face on its way through a masker.

    data: what ``infer`` takes, float32.
    matrix: float64 (2, 3), pixels of the image -> pixels of ``data``; None where both cover the same square.
    """

    data: FloatArray
    matrix: Matrix | None = None


class Masker(Protocol):
    """Makes masks of aligned faces, in three steps so that reading, computing and writing overlap.

    ``prepare`` and ``place`` are called from several threads, ``infer`` from one.

    kind: the name of the plugin.
    identity: names the network and its settings; other masks mean another identity.
    origin: where the masks come from, for people.
    """

    device: str
    kind: str
    identity: str
    origin: str

    def prepare(self, image: NDArray[np.uint8], record: FaceRecord) -> Prepared:
        """What ``infer`` needs of an aligned face.

        Raises:
            InputError: the image is no square.
        """

    def infer(self, batch: Sequence[FloatArray]) -> Sequence[FloatArray]:
        """The masks (h, w), 0..1, in the squares of the inputs; one for each."""

    def place(self, mask: FloatArray, prepared: Prepared, shape: tuple[int, ...], side: int) -> FloatArray:
        """The mask (side, side), 0..1, over the square of the aligned image. shape: of that image."""
