"""Disk and card, as the header of the page shows them."""

import os

import pytest

from core.workbench import machine
from core.workspace import Workspace


@pytest.fixture
def smi(tmp_path, monkeypatch):
    """Puts a stand-in for nvidia-smi into the path, which says this."""

    def put(text, code=0):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {code}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        return machine.Cards().now()

    return put


def test_two_cards(smi):
    first, second = smi("NVIDIA H100 80GB HBM3, 97, 40536, 81559, 61\nGeForce RTX 3080, [N/A], 100, 10240, [N/A]")
    assert first == {"name": "NVIDIA H100 80GB HBM3", "use": 97, "used": 40536, "total": 81559, "temperature": 61}
    assert second["use"] is None and second["temperature"] is None and second["total"] == 10240


@pytest.mark.parametrize("text", ["", "No devices were found", "a, b"])
def test_no_cards(smi, text):
    assert smi(text) == []


def test_a_driver_that_fails(smi):
    assert smi("GeForce, 1, 2, 3, 4", code=9) == []


def test_the_disk_of_a_workspace(tmp_path):
    workspace = Workspace(tmp_path / "not" / "there" / "yet")
    said = machine.disk(workspace, 10**18)
    assert 0 < said["free"] <= said["total"] and said["short"]
    assert not machine.disk(workspace, 0)["short"]
