"""The 68 facial points (iBUG order) and what is known about them: mean faces, parts, mirror pairs, other numberings.

0-16 jaw (image left to right), 17-21 and 22-26 eyebrows, 27-30 nose ridge, 31-35 nose base, 36-41 and 42-47 eyes,
48-59 outer lips, 60-67 inner lips. "Right" is the subject's right, at the left of the image. Points are (x, y) pixels.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import InputError

COUNT = 68
PARTS = {
    "mouth": slice(48, 68),
    "right_eyebrow": slice(17, 22),
    "left_eyebrow": slice(22, 27),
    "right_eye": slice(36, 42),
    "left_eye": slice(42, 48),
    "nose": slice(27, 36),
    "jaw": slice(0, 17),
}

# Mean face in the unit square for the points 17-67, as in the DeepFaceLab format.
# fmt: off
MEAN_51 = np.array([
    (0.000213256, 0.106454), (0.0752622, 0.038915), (0.18113, 0.0187482), (0.29077, 0.0344891), (0.393397, 0.0773906),
    (0.586856, 0.0773906), (0.689483, 0.0344891), (0.799124, 0.0187482), (0.904991, 0.038915), (0.98004, 0.106454),
    (0.490127, 0.203352), (0.490127, 0.307009), (0.490127, 0.409805), (0.490127, 0.515625), (0.36688, 0.587326),
    (0.426036, 0.609345), (0.490127, 0.628106), (0.554217, 0.609345), (0.613373, 0.587326), (0.121737, 0.216423),
    (0.187122, 0.178758), (0.265825, 0.179852), (0.334606, 0.231733), (0.260918, 0.245099), (0.182743, 0.244077),
    (0.645647, 0.231733), (0.714428, 0.179852), (0.793132, 0.178758), (0.858516, 0.216423), (0.79751, 0.244077),
    (0.719335, 0.245099), (0.254149, 0.780233), (0.340985, 0.745405), (0.428858, 0.727388), (0.490127, 0.742578),
    (0.551395, 0.727388), (0.639268, 0.745405), (0.726104, 0.780233), (0.642159, 0.864805), (0.556721, 0.902192),
    (0.490127, 0.909281), (0.423532, 0.902192), (0.338094, 0.864805), (0.290379, 0.784792), (0.428096, 0.778746),
    (0.490127, 0.785343), (0.552157, 0.778746), (0.689874, 0.784792), (0.553364, 0.824182), (0.490127, 0.831803),
    (0.42689, 0.824182),
], np.float32)
# fmt: on
MEAN_51.flags.writeable = False

# Its points that hardly move with the mouth, the ones that a crop is aligned by.
MEAN_33_INDICES = (*range(17, 49), 54)
MEAN_33 = MEAN_51[np.array(MEAN_33_INDICES) - 17]
MEAN_33.flags.writeable = False

# Mean head in three dimensions: x right, y down, z away from the camera.
# fmt: off
HEAD_3D = np.array([
    (-73.393524, -29.801432, 47.667534), (-72.77502, -10.949766, 45.909405), (-70.53364, 7.929818, 44.84258),
    (-66.85006, 26.07428, 43.141113), (-59.790188, 42.56439, 38.6353), (-48.368973, 56.48108, 30.750622),
    (-34.1211, 67.246994, 18.456453), (-17.87541, 75.05689, 3.609035), (0.098749, 77.06129, -0.881698),
    (17.477032, 74.758446, 5.181201), (32.648968, 66.92902, 19.176563), (46.372356, 56.31139, 30.77057),
    (57.34348, 42.419125, 37.628628), (64.38848, 25.45588, 40.88631), (68.212036, 6.990805, 42.28145),
    (70.486404, -11.666193, 44.142567), (71.375824, -30.36519, 47.140427), (-61.119408, -49.361603, 14.254422),
    (-51.287586, -58.769794, 7.268147), (-37.8048, -61.996155, 0.442051), (-24.022755, -61.033398, -6.606501),
    (-11.635713, -56.68676, -11.967398), (12.056636, -57.391033, -12.051204), (25.106256, -61.902187, -7.315098),
    (38.33859, -62.777714, -1.022953), (51.191006, -59.302345, 5.349435), (60.053852, -50.190254, 11.615746),
    (0.65394, -42.19379, -13.380835), (0.804809, -30.993721, -21.150852), (0.992204, -19.944595, -29.284037),
    (1.226783, -8.414541, -36.94806), (-14.772472, 2.598255, -20.132004), (-7.180239, 4.751589, -23.536684),
    (0.55592, 6.5629, -25.944448), (8.272499, 4.661005, -23.695742), (15.214351, 2.643046, -20.858156),
    (-46.04729, -37.471413, 7.037989), (-37.674686, -42.73051, 3.021217), (-27.883856, -42.711517, 1.353629),
    (-19.648268, -36.75474, -0.111088), (-28.272964, -35.134495, -0.147273), (-38.082417, -34.919044, 1.476612),
    (19.265867, -37.032307, -0.665746), (27.894192, -43.342445, 0.24766), (37.43753, -43.11082, 1.696435),
    (45.170807, -38.086514, 4.894163), (38.196453, -35.532024, 0.282961), (28.76499, -35.484287, -1.172675),
    (-28.916267, 28.612717, -2.24031), (-17.533194, 22.172188, -15.934335), (-6.68459, 19.02905, -22.611355),
    (0.381001, 20.721119, -23.748438), (8.375443, 19.03546, -22.721994), (18.876617, 22.39411, -15.610679),
    (28.794413, 28.079924, -3.217393), (19.057573, 36.29825, -14.987997), (8.956375, 39.634575, -22.554245),
    (0.381549, 40.395645, -23.591625), (-7.428895, 39.836407, -22.406107), (-18.160633, 36.6779, -15.121907),
    (-24.37749, 28.67777, -4.785684), (-6.897633, 25.475977, -20.893742), (0.340663, 26.014269, -22.220478),
    (8.444722, 25.326199, -21.02552), (24.474474, 28.323008, -5.712776), (8.449166, 30.596216, -20.67149),
    (0.205322, 31.408737, -21.90367), (-7.198266, 30.844875, -20.328022),
], np.float32)
# fmt: on
HEAD_3D.flags.writeable = False

# Points that change places when an image is flipped left to right.
# fmt: off
MIRROR_PAIRS = (
    (0, 16), (1, 15), (2, 14), (3, 13), (4, 12), (5, 11), (6, 10), (7, 9), (17, 26), (18, 25), (19, 24), (20, 23),
    (21, 22), (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46), (31, 35), (32, 34), (50, 52), (49, 53),
    (48, 54), (59, 55), (58, 56), (67, 65), (60, 64), (61, 63),
)
# fmt: on


# WFLW's numbers: pairs of eyebrow points whose middle is one of the 68, and those that are taken over.
_BROWS_98 = ((33,), (34, 41), (35, 40), (36, 39), (37, 38), (42, 50), (43, 49), (44, 48), (45, 47), (46,))
_REST_98 = (*range(51, 60), 60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75, *range(76, 96))


def validated(points: ArrayLike, count: int = COUNT) -> NDArray[np.float64]:
    """``points`` as float64 (count, 2).

    Raises:
        InputError: they have another shape, or one is NaN or infinite.
    """
    array = np.asarray(points, np.float64)
    if array.shape != (count, 2):
        raise InputError(f"{count} landmarks (x, y) are needed", why=f"got an array of shape {array.shape}")
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).any(axis=1).sum())
        raise InputError("landmarks that are not numbers", why=f"{bad} of {count} points are NaN or infinite")
    return array


def _mirror_order() -> NDArray[np.intp]:
    order = np.arange(COUNT)
    for left, right in MIRROR_PAIRS:
        order[[left, right]] = right, left
    return order


MIRROR_ORDER = _mirror_order()


def mirror(landmarks: ArrayLike, width: int) -> NDArray[np.float64]:
    """The landmarks of the image flipped left to right: x' = width - 1 - x, sides renumbered. (68, 2) float64."""
    points = validated(landmarks)[MIRROR_ORDER]
    points[:, 0] = width - 1 - points[:, 0]
    return points


def from_98(points: ArrayLike) -> NDArray[np.float64]:
    """98 points in WFLW order -> 68 points; jaw points are smoothed with their neighbours. (68, 2) float64."""
    p = validated(points, 98)
    between = [i for i in range(2, 32, 2) if i != 16]
    jaw = np.empty((17, 2))
    jaw[[0, 8, 16]] = p[[0, 16, 32]]
    for i in between:
        jaw[i // 2] = (p[i] + (p[i - 1] + p[i + 1]) / 2) / 2
    brows = np.stack([p[list(group)].mean(0) for group in _BROWS_98])
    return np.concatenate([jaw, brows, p[list(_REST_98)]])


def expand_eyebrows(landmarks: ArrayLike, factor: float = 1.0) -> NDArray[np.int64]:
    """The landmarks truncated to integers, (68, 2) int64, as the hull mask of the DeepFaceLab format needs them.

    factor: the eyebrows move away from the eyes by this many times half their distance.
    """
    # Truncated first: the format does all of this in whole numbers, with divisions that round down.
    p = validated(landmarks).astype(np.int64)
    left, right = (p[36] + p[0]) // 2, (p[16] + p[45]) // 2
    bottom_left = np.stack([(p[36] + left) // 2, p[36], p[37], p[38], p[39]])
    bottom_right = np.stack([p[42], p[43], p[44], p[45], (p[45] + right) // 2])
    out = p.copy()
    out[17:22] = (p[17:22] + factor * 0.5 * (p[17:22] - bottom_left)).astype(np.int64)
    out[22:27] = (p[22:27] + factor * 0.5 * (p[22:27] - bottom_right)).astype(np.int64)
    return out


def averaged_yaw(points: ArrayLike) -> float:
    """How far the nose ridge is off the middle of the jaw, in the unit of ``points`` (68, 2).

    Positive: the nose points toward the image's left.
    """
    x = np.asarray(points)[:, 0]
    left = np.mean([x[27] - x[0], x[28] - x[1], x[29] - x[2]])
    right = np.mean([x[16] - x[27], x[15] - x[28], x[14] - x[29]])
    return float(right - left)
