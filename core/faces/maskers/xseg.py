"""the trained network of the DeepFaceLab format; its weights are in the model folder or assets/GenericXseg.zip"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, UsageError
from core.faces.contract import FloatArray, MaskerRequest, Prepared
from core.faces.mask_placing import place_smoothly, require_square, resize
from core.geometry.align import FaceType, Matrix, face_matrix
from core.imaging.warp import warp_face
from core.inference.sessions import Settings, open_session
from core.inference.xseg_weights import XSegWeights, find
from core.networks.onnx_graph import network_model
from core.types import FaceRecord

# As in the original.
_FLOOR = 0.1  # less than this counts as nothing


def create(request: MaskerRequest) -> "XSegMasker":
    """Load the weights of the model folder, else those of the archive.

    Raises:
        InputError: there are no weights.
        CorruptFileError: they are damaged.
        UsageError: the face type that is asked for is not theirs.
    """
    weights = find(request.weights, request.assets)
    if weights is None:
        raise InputError(
            "no XSeg weights", where=request.weights, hint="put XSeg_256.npy there, or GenericXseg.zip into assets/"
        )
    return XSegMasker(weights, _trained_on(request, weights), request.exact)


def _trained_on(request: MaskerRequest, weights: XSegWeights) -> FaceType | None:
    """What the files say, else what the person says."""
    asked = None if request.face_type == "same" else FaceType.parse(request.face_type)
    if weights.face_type is None:
        return asked
    if asked is not None and asked != weights.face_type:
        # Masks in the wrong place would look like a bad network.
        raise UsageError(
            "--face-type is not what these XSeg weights were trained on",
            where=f"--face-type {request.face_type}",
            why=f"{weights.origin} was trained on {weights.face_type.file_name}",
            hint="leave --face-type out",
        )
    return weights.face_type


class XSegMasker:
    """See ``core.faces.contract.Masker``.

    face_type: what the network was trained on; None for whatever each image is.
    exact: resample as the DeepFaceLab format does: at the image's own size, bilinear, then Lanczos; else smoothly.
    """

    def __init__(self, weights: XSegWeights, face_type: FaceType | None, exact: bool = True):
        self._session = open_session(network_model(weights.network, weights.weights), weights.origin, Settings())
        self._side = weights.resolution
        self._face_type = face_type
        self._exact = exact
        self.kind = "xseg"
        self.device = self._session.device
        self.origin = weights.origin
        self.identity = f"xseg {weights.sha256} {'same' if face_type is None else face_type.file_name}"

    def prepare(self, image: NDArray[np.uint8], record: FaceRecord) -> Prepared:
        width = require_square(image, record)
        image_f32 = image.astype(np.float32) / 255
        matrix = self._matrix(record, width)
        if self._exact:
            if matrix is not None:
                # Bilinear: the original passes its Lanczos in the place of another argument, so it has no effect.
                image_f32 = cv2.warpAffine(image_f32, matrix, (width, width))
            return Prepared(resize(image_f32, self._side, cv2.INTER_LANCZOS4), matrix)
        if matrix is None:
            interpolation = cv2.INTER_AREA if width > self._side else cv2.INTER_CUBIC
            return Prepared(np.clip(resize(image_f32, self._side, interpolation), 0, 1))
        matrix = matrix * (self._side / width)
        return Prepared(np.clip(warp_face(image_f32, matrix, self._side), 0, 1), matrix)

    def infer(self, batch: Sequence[FloatArray]) -> FloatArray:
        logits = self._session(np.stack(batch))[0]
        # Beyond 80 nothing changes any more, and far beyond it the exponential overflows float32.
        masks = 1 / (1 + np.exp(-np.clip(logits[..., 0], -80, 80)))
        masks[masks < _FLOOR] = 0
        return masks

    def place(self, mask: FloatArray, prepared: Prepared, shape: tuple[int, ...], side: int) -> FloatArray:
        if not self._exact:
            return place_smoothly(mask, prepared.matrix, shape, side)
        if prepared.matrix is None:
            return np.clip(resize(mask, side, cv2.INTER_LANCZOS4), 0, 1)
        width = shape[1]
        mask = resize(mask, width, cv2.INTER_LANCZOS4)
        back = cv2.warpAffine(mask, prepared.matrix, (width, width), flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP)
        return np.clip(resize(back, side, cv2.INTER_LANCZOS4), 0, 1)

    def _matrix(self, record: FaceRecord, width: int) -> Matrix | None:
        """Image -> the square that the network was trained on, at ``width`` pixels; None where both are the same."""
        if self._face_type is None or FaceType.parse(record.face_type) == self._face_type:
            return None
        return face_matrix(record.landmarks, width, self._face_type)
