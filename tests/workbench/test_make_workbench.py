"""The program that makes the pictures of the documentation, on a workspace that no network had to make."""

import importlib.util

import cv2
import numpy as np
import pytest
from browser import chromium_path
from comparison_files import write_comparison
from paths import ROOT
from tiny_dfm import write_dfm
from workbench_kit import small_workspace

from core import stages
from core.options import parse


@pytest.fixture(scope="module")
def maker():
    chromium_path()
    spec = importlib.util.spec_from_file_location("make_workbench", ROOT / "docs" / "make_workbench.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_its_stages_can_be_run(maker):
    for command in maker.STAGES:
        stage, rest = stages.split(command.split())
        parse(stages.load(stage).Options, stage, rest)


def test_every_screen_is_taken(maker, tmp_path):
    workspace = small_workspace(tmp_path / "work")
    write_dfm(workspace.model / "swap_SAEHD_model.dfm", inverts=True)
    write_comparison(workspace)
    folder = tmp_path / "screens"
    folder.mkdir()
    maker.take_pictures(workspace, folder)
    known = {path.name for path in maker.FOLDER.glob("workbench_*.jpg")}
    assert {path.name for path in folder.iterdir()} == known
    for path in folder.iterdir():
        data = path.read_bytes()
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert image.shape[1] <= maker.WIDEST and image.std() > 10  # something is on it
        assert b"compositeWithTrainedAlgorithmicMedia" in data
