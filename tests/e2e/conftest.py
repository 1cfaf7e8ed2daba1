"""A workspace with two short clips of the demo's fictional faces, made once."""

import shutil
import subprocess
import sys

import pytest
from runner import ROOT, environment, run


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """data_src.mp4 and data_dst.mp4 of 14 frames each."""
    workspace = tmp_path_factory.mktemp("clips") / "w"
    command = [sys.executable, "-P", "-m", "core", "demo-media", "--frames", "14"]
    subprocess.run(command, env=environment(workspace, PYTHONPATH=str(ROOT)), check=True, capture_output=True)
    return workspace


@pytest.fixture(scope="session")
def extracted(clips, tmp_path_factory):
    """The clips with frames and faces of both sides, through the scripts; copy it before changing it."""
    workspace = tmp_path_factory.mktemp("extracted") / "ein Projekt ä 顔"
    shutil.copytree(clips, workspace)
    run("scripts/1_extract_src_video.sh", workspace=workspace)
    run("scripts/2_extract_dst_video.sh", "--format", "jpg", workspace=workspace)
    run("scripts/3_extract_src_faces.sh", "--image-size", "128", workspace=workspace)
    run("scripts/4_extract_dst_faces.sh", "--image-size", "128", "--from-video", workspace=workspace)
    return workspace


@pytest.fixture
def workspace(extracted, tmp_path):
    """A copy of the extracted workspace that a test may change."""
    target = tmp_path / "work space ä"
    shutil.copytree(extracted, target)
    return target
