"""Two images with a clear standing that ship inside packages: works of the US government."""

from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
import skimage.data


@pytest.fixture(scope="session")
def astronaut():
    """Eileen Collins (NASA): 512 x 512, one face of about 90 pixels, turned a little."""
    return cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)


@pytest.fixture(scope="session")
def admiral():
    """Grace Hopper (US Navy): 512 x 600, one face of about 190 pixels."""
    data = (Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg").read_bytes()
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
