"""XSeg, the trained segmentation network of the DeepFaceLab format; needs its weights in the model folder or assets/GenericXseg.zip."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, UsageError
from core.faces.masking import Array, MaskerRequest, Prepared, place_smoothly, resize, square
from core.geometry.align import FaceType, Matrix, face_matrix
from core.imaging.warp import warp_face
from core.inference.sessions import Settings, open_session
from core.inference.xseg_weights import XSegWeights, find
from core.networks.onnx_graph import network_model
from core.types import FaceRecord

_FLOOR = 0.1


def create(request: MaskerRequest) -> "XSegMasker":
    """Raises InputError when there are no weights, CorruptFileError when they are damaged, UsageError for another face type than theirs."""
    weights = find(request.weights, request.assets)
    if weights is None:
        raise InputError(
            "no XSeg weights", where=request.weights, hint="put XSeg_256.npy there, or GenericXseg.zip into assets/"
        )
    return XSegMasker(weights, _trained_on(request, weights), request.exact)


def _trained_on(request: MaskerRequest, weights: XSegWeights) -> FaceType | None:
    """What the files say, else what the person says. Raises UsageError when the two differ: masks in the wrong place look like a bad network."""
    asked = None if request.face_type == "same" else FaceType.parse(request.face_type)
    if asked is not None and weights.face_type is not None and asked != weights.face_type:
        raise UsageError(
            "--face-type is not what these XSeg weights were trained on",
            where=f"--face-type {request.face_type}",
            why=f"{weights.origin} was trained on {weights.face_type.file_name}",
            hint="leave --face-type out",
        )
    return weights.face_type if weights.face_type is not None else asked


class XSegMasker:
    """face_type: what the network was trained on, None: whatever each image is. exact: resampling as in the DeepFaceLab format."""

    def __init__(self, weights: XSegWeights, face_type: FaceType | None, exact: bool = True):
        self._session = open_session(network_model(weights.network, weights.weights), weights.origin, Settings())
        self._side, self._face_type, self._exact = weights.resolution, face_type, exact
        self.device, self.origin = self._session.device, weights.origin
        self.kind = "xseg"
        self.identity = f"xseg {weights.sha256} {'same' if face_type is None else face_type.file_name}"

    def prepare(self, image: NDArray[np.uint8], record: FaceRecord) -> Prepared:
        width = square(image, record)
        picture = image.astype(np.float32) / 255
        matrix = self._matrix(record, width)
        if self._exact:
            if matrix is not None:
                picture = cv2.warpAffine(picture, matrix, (width, width))
            return Prepared(resize(picture, self._side, cv2.INTER_LANCZOS4), matrix)
        if matrix is None:
            return Prepared(
                np.clip(resize(picture, self._side, cv2.INTER_AREA if width > self._side else cv2.INTER_CUBIC), 0, 1),
                None,
            )
        matrix = matrix * (self._side / width)
        return Prepared(np.clip(warp_face(picture, matrix, self._side), 0, 1), matrix)

    def infer(self, batch: Sequence[Array]) -> Array:
        logits = self._session(np.stack(batch))[0]
        masks = 1 / (1 + np.exp(-np.clip(logits[..., 0], -80, 80)))
        masks[masks < _FLOOR] = 0
        return masks

    def place(self, mask: Array, prepared: Prepared, shape: tuple[int, ...], side: int) -> Array:
        if not self._exact:
            return place_smoothly(mask, prepared.matrix, shape, side)
        if prepared.matrix is None:
            return np.clip(resize(mask, side, cv2.INTER_LANCZOS4), 0, 1)
        width = shape[1]
        mask = resize(mask, width, cv2.INTER_LANCZOS4)
        back = cv2.warpAffine(mask, prepared.matrix, (width, width), flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP)
        return np.clip(resize(back, side, cv2.INTER_LANCZOS4), 0, 1)

    def _matrix(self, record: FaceRecord, width: int) -> Matrix | None:
        """Image -> the square that the network was trained on, at ``width`` pixels; None where it is the image's own."""
        if self._face_type is None or FaceType.parse(record.face_type) == self._face_type:
            return None
        return face_matrix(record.landmarks, width, self._face_type)
