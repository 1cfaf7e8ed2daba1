"""A network of your own: an ONNX file with a small JSON description (--description)."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, OutOfMemoryFault, UsageError, from_os_error
from core.faces.mask_network import Description, mask_of, network_input, read_description
from core.faces.masking import Array, MaskerRequest, Prepared, place_smoothly, square
from core.geometry.align import FaceType, Matrix, face_matrix
from core.geometry.centring import crop_matrix
from core.imaging.warp import warp_face
from core.inference.sessions import Settings, open_session
from core.types import FaceRecord


def create(request: MaskerRequest) -> "CustomMasker":
    """Raises UsageError without a description, InputError for a wrong one, CorruptFileError for a file that is no network."""
    if request.description is None:
        raise UsageError(
            "--masker custom needs a description", hint="--description FILE.json; docs/masks.md has examples"
        )
    description = read_description(request.description).choose(request.include, request.exclude)
    return CustomMasker(description, request.description.parent / description.model)


class CustomMasker:
    def __init__(self, description: Description, path: Path):
        try:
            data = path.read_bytes()
        except OSError as error:
            raise from_os_error(error) from None
        self._description, self._session = description, open_session(data, path, Settings())
        self._input = self._session.inputs[0]
        self._output = self._chosen_output(path)
        settings = json.dumps(description.model_dump(), sort_keys=True)
        self.kind = "custom"
        self.identity = f"custom {hashlib.sha256(data + settings.encode()).hexdigest()}"
        self.device, self.origin = self._session.device, path.name

    def _chosen_output(self, path: Path) -> str:
        names = [output.name for output in self._session.outputs]
        wanted = self._description.result or names[0]
        if wanted not in names:
            raise InputError(
                "the network has no such output", where=path, why=wanted, hint=f"outputs: {', '.join(names)}"
            )
        return wanted

    def prepare(self, image: NDArray[np.uint8], record: FaceRecord) -> Prepared:
        square(image, record)
        matrix = self._matrix(record)
        return Prepared(network_input(self._description, warp_face(image, matrix, self._description.size)), matrix)

    def _matrix(self, record: FaceRecord) -> Matrix:
        crop, size = self._description.crop, self._description.size
        if crop in ("face", "head", "legacy"):
            return crop_matrix(record.landmarks, size, crop)  # type: ignore[arg-type]
        return face_matrix(record.landmarks, size, FaceType.parse(crop))

    def infer(self, batch: Sequence[Array]) -> Array:
        one_by_one = isinstance(self._input.shape[0], int)
        groups = [np.stack(batch)] if not one_by_one else [item[None] for item in batch]
        masks = np.concatenate([mask_of(self._description, self._run(group)) for group in groups])
        size = self._description.size
        kind = cv2.INTER_NEAREST if self._description.output == "labels" else cv2.INTER_LINEAR
        return (
            masks
            if masks.shape[1:] == (size, size)
            else np.stack([cv2.resize(mask, (size, size), interpolation=kind) for mask in masks])
        )

    def _run(self, group: Array) -> NDArray:
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

    def place(self, mask: Array, prepared: Prepared, shape: tuple[int, ...], side: int) -> Array:
        return place_smoothly(mask, prepared.matrix, shape, side)
