import cv2
import pytest
import skimage


@pytest.fixture(scope="session")
def portrait():
    """The astronaut's head (NASA): 240 x 240, one face of about 90 x 113 pixels."""
    return cv2.cvtColor(skimage.data.astronaut()[0:240, 90:330], cv2.COLOR_RGB2BGR)
