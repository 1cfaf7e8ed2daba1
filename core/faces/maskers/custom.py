"""a network of your own, an ONNX file with a small JSON description (--description)"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, OutOfMemoryFault, UsageError
from core.faces.contract import FloatArray, MaskerRequest, Prepared
from core.faces.mask_network import Description, mask_of, network_input, read_description
from core.faces.mask_placing import place_smoothly, require_square, resize
from core.geometry.align import FaceType, Matrix, face_matrix
from core.geometry.centring import crop_matrix
from core.imaging.warp import warp_face
from core.inference.sessions import Session, Settings, open_session
from core.safe_files import read_bytes
from core.safe_paths import child
from core.types import FaceRecord


def create(request: MaskerRequest) -> "CustomMasker":
    """Load the network that ``request.description`` names.

    Raises:
        UsageError: there is no description, or it has no such areas.
        InputError: the description is wrong, or the network has no such output.
        CorruptFileError: the file is no network, or the description names one that is not beside it.
    """
    if request.description is None:
        raise UsageError(
            "--masker custom needs a description", hint="--description FILE.json; docs/masks.md has examples"
        )
    description = read_description(request.description).choose(request.include, request.exclude)
    return CustomMasker(description, child(request.description.parent, description.model, request.description))


class CustomMasker:
    """See ``core.faces.contract.Masker``. path: the ONNX file."""

    def __init__(self, description: Description, path: Path):
        data = read_bytes(path)
        self._description = description
        self._session = open_session(data, path, Settings())
        if not self._session.inputs or not self._session.outputs:
            raise InputError("not a network for masks", where=path, why="it has no input, or no output")
        self._input = self._session.inputs[0]
        self._output = _chosen_output(self._session, description.result, path)
        # Into the identity as well: the same network read another way makes other masks.
        settings = json.dumps(description.model_dump(), sort_keys=True)
        self.kind = "custom"
        self.identity = f"custom {hashlib.sha256(data + settings.encode()).hexdigest()}"
        self.device = self._session.device
        self.origin = path.name

    def prepare(self, image: NDArray[np.uint8], record: FaceRecord) -> Prepared:
        require_square(image, record)
        matrix = self._matrix(record)
        crop = warp_face(image, matrix, self._description.size)
        return Prepared(network_input(self._description, crop), matrix)

    def _matrix(self, record: FaceRecord) -> Matrix:
        """Pixels of the image -> pixels of the network's input."""
        crop, size = self._description.crop, self._description.size
        if crop in ("face", "head", "legacy"):
            return crop_matrix(record.landmarks, size, crop)  # type: ignore[arg-type]
        return face_matrix(record.landmarks, size, FaceType.parse(crop))

    def infer(self, batch: Sequence[FloatArray]) -> Sequence[FloatArray]:
        # A free batch has a name or nothing for its size; a number is what the file insists on.
        one_by_one = bool(self._input.shape) and isinstance(self._input.shape[0], int)
        groups = [item[None] for item in batch] if one_by_one else [np.stack(batch)]
        masks = np.concatenate([mask_of(self._description, self._run(group)) for group in groups])
        # Between two labels lies no third one.
        interpolation = cv2.INTER_NEAREST if self._description.output == "labels" else cv2.INTER_LINEAR
        return [resize(mask, self._description.size, interpolation) for mask in masks]

    def _run(self, group: FloatArray) -> NDArray:
        try:
            return self._session.run({self._input.name: group}, [self._output])[0]
        except OutOfMemoryFault:
            raise
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise InputError(
                "the network does not take this input",
                where=f"{self._input.name} {self._input.shape}",
                why=f"shape {group.shape}: {str(error).strip().splitlines()[-1][:200]}",
                hint="check size and layout in the description",
            ) from None

    def place(self, mask: FloatArray, prepared: Prepared, shape: tuple[int, ...], side: int) -> FloatArray:
        return place_smoothly(mask, prepared.matrix, shape, side)


def _chosen_output(session: Session, wanted: str | None, path: Path) -> str:
    """The output that the description names, else the first. Raises InputError when there is none of that name."""
    names = [output.name for output in session.outputs]
    chosen = wanted or names[0]
    if chosen not in names:
        raise InputError("the network has no such output", where=path, why=chosen, hint=f"outputs: {', '.join(names)}")
    return chosen
