"""Fixtures for all tests."""

import gc
import os
import shutil
import sys

import pytest
from clips import put_first, wheel_ffmpeg

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(params=["wheel", "system"] if shutil.which("ffmpeg") else ["wheel"])
def any_ffmpeg(request, tmp_path_factory, monkeypatch):
    """The test runs with every ffmpeg there is: the one inside the imageio-ffmpeg wheel, and the system's."""
    from core.video.program import find_ffmpeg

    if request.param == "wheel":
        monkeypatch.setenv("PATH", put_first(wheel_ffmpeg(), tmp_path_factory.mktemp("path") / "bin"))
    find_ffmpeg.cache_clear()
    yield
    find_ffmpeg.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def _free_frameworks():
    """The graphs of hundreds of small models would add up to gigabytes."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()
        gc.collect()
