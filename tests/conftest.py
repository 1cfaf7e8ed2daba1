"""Fixtures for all tests. Reference material lives outside the project; tests that need it skip, saying so."""

import gc
import os
import sys
from pathlib import Path

import pytest
from paths import ROOT

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the reference material (specifications, golden files, media)."""
    folder = Path(os.environ.get("FORGE_SHARED") or ROOT.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"no reference material at {folder} (set FORGE_SHARED)")
    return folder


@pytest.fixture(scope="module", autouse=True)
def _free_frameworks():
    """The graphs of hundreds of small models would add up to gigabytes."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()
        gc.collect()
