"""The search size that a few frames choose, and frames that are searched in tiles."""

import cv2
import numpy as np
import pytest
import skimage.data

from core.faces.contract import DetectorSettings
from core.faces.detectors import yunet
from core.faceset.database import extraction
from core.faceset.database.connection import open_database
from core.imaging.codec import encode_png
from core.jobs.extract.frame_source import FrameSource
from core.jobs.extract.search_size import search_size
from core.jobs.extract_faces import ExtractSettings, extract_faces
from core.workspace import Workspace


def frame(height, width, *faces):
    """A grey frame with the astronaut's head so often: (left, top, width of the face)."""
    head = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)[20:230, 110:330]
    image = np.full((height, width, 3), 110, np.uint8)
    for left, top, size in faces:
        small = cv2.resize(head, None, fx=size / 90, fy=size / 90, interpolation=cv2.INTER_AREA)
        image[top : top + small.shape[0], left : left + small.shape[1]] = small
    return image


def source(*images):
    loads = [(f"{n}.png", lambda image=image: image) for n, image in enumerate(images)]
    return FrameSource(tuple(name for name, _ in loads), lambda on_end: iter(loads), times=dict)


def detector(size):
    return yunet.create(DetectorSettings(size=size, rotations="none"))


def test_small_faces_choose_a_larger_search():
    small, large = frame(1080, 1920, (1500, 700, 50)), frame(1080, 1920, (300, 300, 300))
    assert search_size(source(large), detector, "40", film=False) == 640
    chosen = search_size(source(large, small), detector, "40", film=False)
    assert 1000 < chosen <= 1600 and chosen % 32 == 0
    assert search_size(source(small), detector, "90", film=True) == 640  # faces of which none is kept anyway
    assert search_size(source(frame(480, 640, (100, 100, 50))), detector, "40", film=False) == 640
    assert search_size(source(), detector, "40", film=True) == 640


def test_a_large_frame_is_searched_in_tiles():
    image = frame(2160, 3840, (60, 60, 60), (2800, 300, 70), (3500, 1900, 60), (700, 500, 700))
    found = detector(3840).detect(image)
    centres = sorted(((face.box[:2] + face.box[2:]) / 2).tolist() for face in found)
    assert len(centres) == 4
    assert centres[0] == pytest.approx([130, 120], abs=30) and centres[3] == pytest.approx([3570, 1960], abs=30)


@pytest.mark.parametrize("rotations", ["auto", "0,90"])
def test_the_job_chooses_by_itself(tmp_path, rotations):
    workspace = Workspace(tmp_path).create()
    side = workspace.side("src")
    (side.frames / "00001.png").write_bytes(encode_png(frame(1080, 1920, (1500, 700, 50), (300, 300, 300))))
    done = extract_faces(workspace, "src", ExtractSettings(rotations=rotations, detect_size=0, image_size=64))
    assert done.faces == 2
    with open_database(side.database) as connection:
        assert 1000 < extraction.read_settings(connection)["detect_size"] <= 1600
