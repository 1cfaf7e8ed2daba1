"""Masks moved from one crop of a frame to another."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import CorruptFileError
from core.faceset.database.frame_masks import FrameMask
from core.formats.faceswap.document import CENTRINGS, LARGEST_MASK, FsaMask, make_mask
from core.geometry.align import FaceType, compose, face_matrix, invert
from core.geometry.centring import crop_matrix
from core.imaging.masks import decode_mask
from core.imaging.warp import warp_face
from core.types import FaceRecord

SIZE = 128  # pixels of the masks that faceswap stores


def moved(pixels: NDArray[np.uint8], old: ArrayLike, new: ArrayLike, size: int) -> NDArray[np.uint8]:
    """A mask, uint8 (s, s), as it lies in another crop of ``size`` pixels.

    old, new: float64 (2, 3), frame pixels -> pixels of the mask, and of that crop.
    """
    return warp_face(pixels, compose(invert(old), new), size)


def for_faceswap(mask: FrameMask, landmarks: NDArray[np.float64] | None, *, stale: bool) -> FsaMask:
    """A mask of ours as faceswap stores it.

    One that covers a crop that faceswap does not have, or that was made with other points, is moved to the crop of the
    points of today: the same for its own crops, else that of the face.

    landmarks: (68, 2), frame pixels; None where there are none, and the mask stays where it is.

    Raises:
        CorruptFileError: it is no square picture of 8 bits.
        InputError: points or a matrix that place nothing.
    """
    pixels = mask.pixels()
    if pixels.dtype != np.uint8 or pixels.shape[0] != pixels.shape[1] or len(pixels) > LARGEST_MASK:
        raise CorruptFileError("a damaged mask", where=mask.kind, why=f"{pixels.shape}, {pixels.dtype}")
    centring = mask.centring if mask.centring in CENTRINGS else "face"
    if landmarks is None or (mask.centring in CENTRINGS and not stale):
        return make_mask(pixels, mask.matrix, centring, mask.interpolation)
    size = len(pixels) if mask.centring in CENTRINGS else SIZE
    matrix = crop_matrix(landmarks, size, centring)  # type: ignore[arg-type]
    return make_mask(moved(pixels, mask.matrix, matrix, size), matrix, centring)


def stored_mask(record: FaceRecord) -> tuple[NDArray[np.uint8], NDArray[np.float64]] | None:
    """The mask in a face file, uint8 (s, s), and its matrix, frame pixels -> mask pixels.

    None where it has no mask, or does not say where in the frame the face is.

    Raises:
        CorruptFileError: a damaged mask.
    """
    if record.xseg_mask is None or record.source_landmarks is None:
        return None
    pixels = (decode_mask(record.xseg_mask, record.name)[..., 0] * 255 + 0.5).astype(np.uint8)
    side = record.shape[1]
    matrix = record.image_to_face_mat
    if matrix is None:
        matrix = face_matrix(record.source_landmarks, side, FaceType.parse(record.face_type))
    if pixels.shape[0] != pixels.shape[1]:
        return None
    # The mask covers the picture: pixels are squares, so half of one is what the corners are off.
    scale = len(pixels) / side
    return pixels, compose(matrix, [[scale, 0, scale / 2 - 0.5], [0, scale, scale / 2 - 0.5]])
