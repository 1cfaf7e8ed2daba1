"""Finding and reading XSeg weights: those of the model folder, else those of the archive that people bring."""

import hashlib
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import CorruptFileError, InputError
from core.formats import dfl_weights
from core.formats.safe_zip import extract_members
from core.geometry.align import FaceType
from core.networks import xseg
from core.networks.builder import Network
from core.networks.weights import Weights, check_weights

ARCHIVE = "GenericXseg.zip"
WEIGHTS, DATA = f"XSeg_{xseg.RESOLUTION}.npy", "XSeg_data.dat"
_ANY_SIZE = re.compile(r"XSeg_(\d+)\.npy")
_MAX_UNPACKED = 400_000_000
_HINT = "restore the file from a backup or an earlier save, or remove it: landmark masks then take its place"


@dataclass(frozen=True)
class XSegWeights:
    """The weights of a mask network and what is known about them.

    weights: key -> array.
    resolution: side of the network's images, pixels.
    width: channels of its first level.
    face_type: what it was trained on, None for unknown.
    sha256: of the weight file.
    origin: where they come from, for people.
    """

    weights: Weights
    resolution: int
    width: int
    face_type: FaceType | None
    sha256: str
    origin: str

    @property
    def network(self) -> Network:
        """The description of the network."""
        return xseg.xseg_network(self.width, resolution=self.resolution)


def find(folder: Path | None, assets: Path | None) -> XSegWeights | None:
    """The weights in ``folder``, else in ``assets/GenericXseg.zip``, else None.

    Raises:
        CorruptFileError: the files are damaged, or no weights of XSeg.
        PipelineError: the archive is hostile; see ``core.formats.safe_zip``.
    """
    found = _in_folder(folder) if folder else None
    if folder and found:
        return load(found, folder / DATA, found.name)
    archive = assets / ARCHIVE if assets else None
    if archive is None or not archive.is_file():
        return None
    return _from_archive(archive)


def _from_archive(archive: Path) -> XSegWeights:
    with tempfile.TemporaryDirectory(prefix="xseg-") as temporary:
        names = {p.name: p for p in extract_members(archive, (WEIGHTS, DATA), Path(temporary), _MAX_UNPACKED)}
        if WEIGHTS not in names:
            raise CorruptFileError(
                "no weights in the archive",
                where=archive,
                why=f"it holds no {WEIGHTS}",
                hint="put the original GenericXseg.zip there",
            )
        return load(names[WEIGHTS], Path(temporary) / DATA, ARCHIVE)


def present(folder: Path | None) -> bool:
    """Whether the folder has XSeg weights, whole or not."""
    return folder is not None and _in_folder(folder) is not None


def _in_folder(folder: Path) -> Path | None:
    """The weight file for 256 pixels, else that of the largest other size (our own training makes such)."""
    files = folder.iterdir() if folder.is_dir() else ()
    sizes = {int(found[1]): path for path in files if (found := _ANY_SIZE.fullmatch(path.name))}
    if not sizes:
        return None
    # Files of the original are always of this size.
    return sizes.get(xseg.RESOLUTION) or sizes[max(sizes)]


def load(path: Path, data: Path, origin: str) -> XSegWeights:
    """Read a weight file and what ``XSeg_data.dat`` says about it.

    data: that file; it may be missing.
    origin: where the weights come from, for people.

    Raises:
        CorruptFileError: damaged, or no weights of XSeg.
    """
    try:
        weights = dfl_weights.read_weights(path)
        resolution, width = _dimensions(weights, path)
        check_weights(xseg.xseg_network(width, resolution=resolution), weights, path)
        options = dfl_weights.read_data(data).options if data.is_file() else {}
    except InputError as error:
        raise CorruptFileError("not XSeg weights", where=path, why=error.why or error.what, hint=_HINT) from None
    except CorruptFileError as error:
        raise CorruptFileError(error.what, where=error.where, why=error.why, hint=_HINT) from None
    return XSegWeights(
        weights=weights,
        resolution=resolution,
        width=width,
        face_type=_face_type(options, data),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        origin=origin,
    )


def _dimensions(weights: Weights, path: Path) -> tuple[int, int]:
    """(resolution, width) as the shapes tell them: no file says them in words."""
    try:
        width = weights["out_conv/weight:0"].shape[2]
        # The second dense layer makes side * side * 8 * width numbers.
        side = round((weights["dense2/weight:0"].shape[1] / (8 * width)) ** 0.5)
    except (KeyError, IndexError, ZeroDivisionError):
        raise CorruptFileError("not XSeg weights", where=path, why="out_conv or dense2 is missing") from None
    return side * xseg.STEP, width


def _face_type(options: Mapping, data: Path) -> FaceType | None:
    """What the options of ``XSeg_data.dat`` name, None when they name none."""
    name = options.get("face_type")
    if not isinstance(name, str):
        return None
    try:
        return FaceType.parse(name)
    except InputError:
        raise CorruptFileError(
            "unknown face type in the data of XSeg", where=data, why=repr(name), hint=_HINT
        ) from None
