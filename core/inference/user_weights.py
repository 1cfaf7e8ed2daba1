"""Networks whose weights a person brings as DeepFaceLab's own files (``S3FD.npy``, ``2DFAN.npy``, ``3DFAN.npy``) in the assets folder."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, OutOfMemoryFault
from core.formats.dfl_weights import read_weights
from core.networks.builder import Network
from core.networks.fan import fan_network
from core.networks.onnx_builder import network_model
from core.networks.s3fd import s3fd_network
from core.networks.weights import check_weights
from core.workspace import Workspace

S3FD, FAN_2D, FAN_3D = "S3FD.npy", "2DFAN.npy", "3DFAN.npy"
_NETWORKS: dict[str, Callable[[], Network]] = {S3FD: s3fd_network, FAN_2D: fan_network, FAN_3D: fan_network}


@dataclass(frozen=True)
class Brought:
    """A network ready to run; may be called from several threads. device: where it really computes."""

    file: str
    device: str
    session: Any

    def __call__(self, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The outputs for a batch N x H x W x C. Raises OutOfMemoryFault: memory that is used up must never look like "no face"."""
        try:
            return self.session.run(None, {"input": batch})
        except Exception as error:  # onnxruntime's own exceptions share no base class
            if "allocate" not in str(error) and "out of memory" not in str(error).lower():
                raise
            raise OutOfMemoryFault(
                f"out of memory in {self.file}",
                why=str(error).splitlines()[0],
                hint="close other programs on the device, or use fewer --workers",
            ) from None


def load(file: str, assets: Path | None = None) -> Brought:
    """The network of ``file`` in ``assets`` (left out: the assets folder of the environment); read once for all who ask.

    Raises InputError when the file is missing or holds other weights, CorruptFileError when it is damaged.
    """
    folder = Workspace.from_environment().assets if assets is None else assets
    path = folder / file
    if not path.is_file():
        raise InputError(
            f"no {file}",
            where=path,
            why="these weights do not come with the program",
            hint=f"copy {file} from your DeepFaceLab installation into {folder}, or choose another --detector or --landmarker",
        )
    stat = path.stat()
    return _open(file, path, (stat.st_mtime_ns, stat.st_size))


@functools.lru_cache(maxsize=4)
def _open(file: str, path: Path, _version: tuple[int, int]) -> Brought:
    network, weights = _NETWORKS[file](), read_weights(path)
    check_weights(network, weights, path)
    session = run_session(network_model(network, weights))
    return Brought(file, str(session.get_providers()[0]).removesuffix("ExecutionProvider"), session)


def run_session(model: bytes) -> Any:
    """An onnxruntime session on CUDA where onnxruntime has it, else on the CPU with one thread a call: the caller runs several calls at once."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.log_severity_level = 3
    available = onnxruntime.get_available_providers()
    # Pictures come in many sizes; searching for the fastest convolution at each would take longer than the network itself.
    cuda = ("CUDAExecutionProvider", {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"})
    providers: list[Any] = [cuda] if cuda[0] in available else []
    return onnxruntime.InferenceSession(model, settings, providers=[*providers, "CPUExecutionProvider"])
