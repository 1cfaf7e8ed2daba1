"""Networks whose weights a person brings, as DeepFaceLab's own files in the assets folder."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.formats.dfl_weights import read_weights
from core.inference.sessions import Session, Settings, open_session
from core.networks.builder import Network
from core.networks.fan import fan_network
from core.networks.onnx_graph import network_model
from core.networks.s3fd import s3fd_network
from core.networks.weights import check_weights
from core.workspace import Workspace

# The callers make several calls at once, so one thread each. Images come in many sizes; searching for the fastest
# convolution at each would take longer than the network itself.
_SETTINGS = Settings(threads=1, search="HEURISTIC")


@dataclass(frozen=True)
class UserWeights:
    """A file in the assets folder. network: makes the description of the network that it belongs to."""

    file: str
    network: Callable[[], Network]


S3FD = UserWeights("S3FD.npy", s3fd_network)
FAN_2D = UserWeights("2DFAN.npy", fan_network)
FAN_3D = UserWeights("3DFAN.npy", fan_network)


def has_fan(assets: Path) -> bool:
    """Whether there are the weights of FAN, by which the points of faces are found that Face Mesh does not find."""
    return all((assets / weights.file).is_file() for weights in (FAN_2D, S3FD))


def load(weights: UserWeights, assets: Path | None = None) -> Session:
    """The network of a file, ready to run; opened once for all who ask, and anew when the file changes.

    Inputs and outputs are N x H x W x C float32, as the description of the network says.
    assets: the folder to look in; without it the assets folder of the environment.

    Raises:
        InputError: the file is missing, or holds other weights.
        CorruptFileError: it is damaged.
    """
    folder = Workspace.from_environment().assets if assets is None else assets
    path = folder / weights.file
    if not path.is_file():
        raise InputError(
            f"no {weights.file}",
            where=path,
            why="these weights do not come with the program",
            hint=f"copy {weights.file} from your DeepFaceLab installation into {folder}, "
            "or choose another --detector or --landmarker",
        )
    status = path.stat()
    return _open(weights, path, (status.st_mtime_ns, status.st_size))


# The version is there for the cache alone: a file that changes is another entry.
@functools.lru_cache(maxsize=4)
def _open(weights: UserWeights, path: Path, _version: tuple[int, int]) -> Session:
    network = weights.network()
    tensors = read_weights(path)
    check_weights(network, tensors, path)
    return open_session(network_model(network, tensors), weights.file, _SETTINGS)
