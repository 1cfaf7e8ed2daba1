"""Cropping a face square out of a frame."""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.geometry.align import compose, invert

_MAX_SAMPLES = 4  # per side of an output pixel; beyond it the source is halved first


def warp_face(image: NDArray, matrix: ArrayLike, size: int, exact: bool = False) -> NDArray:
    """The ``size`` x ``size`` crop of ``image`` (H x W or H x W x C), black outside; dtype and number of axes are kept.

    Where the crop shrinks the image, each output pixel is the mean of a regular grid of bicubic samples at most one
    source pixel apart (a box filter of the output pixel's own footprint); where it enlarges, one bicubic sample.

    matrix: (2, 3), image pixels -> crop pixels.
    exact: one bilinear sample always, as DeepFaceLab crops, aliasing included.
    """
    m = np.asarray(matrix, np.float64)
    if exact:
        return _warp(image, m, size, cv2.INTER_LINEAR)
    while _source_step(m) > _MAX_SAMPLES and min(image.shape[:2]) > 1:
        image, m = _halve(image, m)
    # 1e-6: a step of 2 that rounding made a little larger needs no third sample.
    samples = int(np.ceil(min(_source_step(m), _MAX_SAMPLES) - 1e-6))
    if samples <= 1:
        return _warp(image, m, size, cv2.INTER_CUBIC)
    # Whole numbers are centers of pixels: this puts the samples evenly around that of the output pixel.
    offset = (samples - 1) / 2
    finer = compose(m, [[samples, 0, offset], [0, samples, offset]])
    fine = _warp(image, finer, size * samples, cv2.INTER_CUBIC)
    return _like(cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA), image)


def _source_step(matrix: NDArray) -> float:
    """Source pixels per output pixel, in the direction where they are most."""
    return float(np.linalg.norm(invert(matrix)[:, :2], 2))


def _halve(image: NDArray, matrix: NDArray) -> tuple[NDArray, NDArray]:
    """The image at half size by area averaging, and the matrix for it (half-pixel aligned)."""
    height, width = image.shape[:2]
    half_w, half_h = max(1, width // 2), max(1, height // 2)
    fx, fy = width / half_w, height / half_h
    small = _like(cv2.resize(image, (half_w, half_h), interpolation=cv2.INTER_AREA), image)
    return small, compose([[fx, 0, fx / 2 - 0.5], [0, fy, fy / 2 - 0.5]], matrix)


def _warp(image: NDArray, matrix: NDArray, size: int, interpolation: int) -> NDArray:
    shape = (size, size)
    warped = cv2.warpAffine(image, matrix, shape, flags=interpolation, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return _like(warped, image)


def _like(result: NDArray, image: NDArray) -> NDArray:
    """OpenCV drops a single channel; put it back."""
    return result[..., None] if result.ndim < image.ndim else result
