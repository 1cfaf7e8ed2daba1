"""Weights inside packages: found without importing them, checked."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from core.errors import CorruptFileError, EnvironmentFault
from core.inference import packaged_weights


@pytest.mark.parametrize("item", packaged_weights.ALL, ids=lambda item: item.origin)
def test_installed_weights_are_the_trusted_ones(item):
    assert hashlib.sha256(packaged_weights.locate(item).read_bytes()).hexdigest() == item.sha256
    assert item.licence in ("MIT", "Apache-2.0")


def test_missing_and_changed_weights_are_errors(tmp_path, monkeypatch):
    with pytest.raises(EnvironmentFault, match="not installed"):
        packaged_weights.locate(replace(packaged_weights.YUNET, package="no_such_package_here"))
    (tmp_path / "some_package").mkdir()
    (tmp_path / "some_package" / "net.onnx").write_bytes(b"changed")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CorruptFileError, match="not the ones expected"):
        packaged_weights.locate(replace(packaged_weights.YUNET, package="some_package", path="net.onnx"))


def test_a_network_is_opened_once():
    session = packaged_weights.load(packaged_weights.SFACE)
    assert packaged_weights.load(packaged_weights.SFACE) is session
    assert session.source == packaged_weights.SFACE.origin
    (vectors,) = session(np.zeros((2, 3, 112, 112), np.float32))
    assert vectors.shape == (2, 128) and np.isfinite(vectors).all()
