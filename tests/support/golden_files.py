"""Golden files: numbers and files that the original programs made.

The small ones lie in tests/golden, so that every clone has them; the full sets lie in the reference material beside the
project, where there is any.
"""

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from paths import ROOT, TESTS

GOLDEN = TESTS / "golden"
REFERENCE = Path(os.environ.get("FORGE_SHARED") or ROOT.parent / "shared")

# The same words for every file, so that the summary is one line.
ELSEWHERE = "not among the small files of tests/golden, and there is no reference material (set FORGE_SHARED)"


def golden_path(name: str) -> Path:
    """A golden file or folder by its name, from tests/golden where it is there. Skips the test when there is none."""
    found = _places(name)
    if not found:
        pytest.skip(ELSEWHERE)
    return found[0]


def golden_json(name: str):
    """What a golden JSON file says."""
    return json.loads(golden_path(name).read_text())


class GoldenArrays:
    """The arrays of a golden .npz file; those that tests/golden has not come from the full file."""

    def __init__(self, name: str):
        golden_path(name)
        self._files = [np.load(path) for path in _places(name)]

    def __getitem__(self, key: str) -> np.ndarray:
        for file in self._files:
            if key in file.files:
                return file[key]
        pytest.skip(ELSEWHERE)

    def json(self, key: str):
        """What an array that holds a JSON text says."""
        return json.loads(str(self[key]))


def _places(name: str) -> list[Path]:
    return [path for path in (GOLDEN / name, REFERENCE / "golden" / name) if path.exists()]


def rule_weights(network: str, shapes: Mapping[str, Sequence[int]], kind: str) -> dict[str, np.ndarray]:
    """The weights that golden numbers of networks were made with, by the rule that tests/golden/README.md gives.

    network: its name; shapes: of its variables by key; kind: ``archi``, ``train`` or ``networks``, the set of golden
    files.
    """
    return {key: _rule_array(network, key, tuple(shape), kind) for key, shape in shapes.items()}


def _rule_array(network: str, key: str, shape: tuple[int, ...], kind: str) -> np.ndarray:
    random = np.random.RandomState(zlib.crc32(f"{network}/{key}".encode()))
    leaf = key.rsplit("/", 1)[-1]
    if len(shape) >= 2:
        small = 0.02 if network == "S3FD" and "conf/weight" in key else 1.0
        return (random.randn(*shape) * np.sqrt(1.6 / np.prod(shape[:-1])) * small).astype(np.float32)
    if kind == "networks" and leaf == "eps:0":
        return np.full(shape, -3e-4, np.float32)
    if kind == "networks" and leaf in ("running_var:0", "weight:0"):
        return (random.rand(*shape) + 0.5).astype(np.float32)
    return (random.randn(*shape) * {"archi": 0.15, "train": 0.05, "networks": 0.1}[kind]).astype(np.float32)
