"""FAN of DeepFaceLab with its 2-D weights, its choice for faces: needs 2DFAN.npy and S3FD.npy in the assets folder"""

from pathlib import Path

from core.faces import fan_points
from core.imaging.normalise import Normalisation
from core.inference import user_weights


def create(assets: Path | None = None, normalisation: Normalisation = "none") -> fan_points.FAN:
    """Load both networks. Raises as ``core.faces.fan_points.create`` does."""
    return fan_points.create(user_weights.FAN_2D, assets, normalisation)
