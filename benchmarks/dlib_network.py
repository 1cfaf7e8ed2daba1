"""A second opinion on whose face it is: dlib's residual network, which no training here looks at.

It needs two packages that the program does not: ``pip install dlib-bin face_recognition_models`` (weights: CC0).
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from core.faces.embedders import sface
from core.jobs.models.quality import Judgement, judge
from core.workspace import Workspace

_WEIGHTS = "models/dlib_face_recognition_resnet_model_v1.dat"


def installed() -> bool:
    return all(importlib.util.find_spec(name) for name in ("_dlib_pybind11", "face_recognition_models"))


def judged(workspace: Workspace) -> Judgement:
    """As ``core.jobs.models.quality.judge``, with dlib's network in the place of SFace."""
    network = _load()
    with patch.object(sface, "create", lambda: network):
        return judge(workspace)


@dataclass(frozen=True)
class _Dlib:
    network: Any

    def embed(self, image: NDArray[np.uint8], landmarks: NDArray) -> NDArray[np.float32]:
        from _dlib_pybind11 import full_object_detection, point, rectangle

        points = np.round(np.asarray(landmarks)).astype(int)
        box = rectangle(*points.min(axis=0).tolist(), *points.max(axis=0).tolist())
        shape = full_object_detection(box, [point(x, y) for x, y in points.tolist()])
        vector = np.array(self.network.compute_face_descriptor(np.ascontiguousarray(image[..., ::-1]), shape))
        return (vector / np.linalg.norm(vector)).astype(np.float32)


def _load() -> _Dlib:
    from _dlib_pybind11 import face_recognition_model_v1

    spec = importlib.util.find_spec("face_recognition_models")
    return _Dlib(face_recognition_model_v1(str(Path(spec.origin).parent / _WEIGHTS)))
