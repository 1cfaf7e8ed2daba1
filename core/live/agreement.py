"""Runtimes that compile a model may compute something else than it says: that is seen before anything is shown."""

import numpy as np

from core.errors import EnvironmentFault
from core.inference.dfm import DfmModel, open_dfm
from core.inference.sessions import CPU_ONLY
from core.jobs.merge.model import Swapper

_SURE = ("CPU", "CUDA")
_MOST = 0.03  # of 0..1: eight of 256 levels, in the worst place


def require_agreement(swapper: Swapper) -> None:
    """Nothing, if the model computes what it does on a CPU. CUDA needs no such look.

    Raises:
        EnvironmentFault: it computes something else.
    """
    device = swapper.dfm.session.device
    if device in _SURE:
        return
    different = _difference(swapper.dfm, open_dfm(swapper.path, CPU_ONLY))
    if not different <= _MOST:  # a NaN agrees with nothing
        raise EnvironmentFault(
            f"{device} computes another face than the CPU does",
            where=swapper.path,
            why=f"they differ by up to {different:.3f} of 1",
            hint="leave --runtime out, or choose cuda",
        )


def _difference(one: DfmModel, other: DfmModel) -> float:
    # Smooth, as faces are: noise would show differences that no face has.
    y, x = np.mgrid[: one.resolution, : one.resolution] / np.float32(one.resolution)
    face = np.stack([x, y, (x + y) / 2], axis=-1)[None].astype(np.float32)
    made, wanted = one.swap(face), other.swap(face)
    pairs = ((made.face, wanted.face), (made.face_mask, wanted.face_mask), (made.target_mask, wanted.target_mask))
    return max(float(np.abs(a - b).max()) for a, b in pairs)
