"""Fixtures for all tests."""

import os
import resource
import shutil
import sys
from pathlib import Path

import pytest
from clips import put_first, wheel_ffmpeg

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A signature is never twice the same; a key of whoever runs the tests must not be found.
os.environ["FORGE_KEYS"] = os.devnull


@pytest.fixture(params=["wheel", "system"] if shutil.which("ffmpeg") else ["wheel"])
def any_ffmpeg(request, tmp_path_factory, monkeypatch):
    """The test runs with every ffmpeg there is: the one inside the imageio-ffmpeg wheel, and the system's."""
    from core.video import program

    if request.param == "wheel":
        monkeypatch.setenv("PATH", put_first(wheel_ffmpeg(), tmp_path_factory.mktemp("path") / "bin"))
    program.forget()
    yield
    program.forget()


# Bytes that tests may add before graphs are thrown away, and what was in use when that was done last.
ALLOWANCE, in_use = 500_000_000, {"bytes": 0}


def _resident() -> int:
    """The memory that this process has, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.fixture(scope="module", autouse=True)
def _free_frameworks():
    """The graphs of hundreds of small models would add up to gigabytes; throwing them away takes a second."""
    yield
    if "keras" in sys.modules and _resident() > in_use["bytes"] + ALLOWANCE:
        sys.modules["keras"].utils.clear_session()
        in_use["bytes"] = _resident()
