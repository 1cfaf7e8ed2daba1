"""FAN of DeepFaceLab with its 2-D weights, its choice for faces: needs its 2DFAN.npy and S3FD.npy in the assets folder"""

from core.faces import fan_points
from core.inference import user_weights


def create() -> fan_points.FAN:
    """Loads both networks. Raises InputError when weights are missing or others, CorruptFileError when they are damaged."""
    return fan_points.create(user_weights.FAN_2D)
