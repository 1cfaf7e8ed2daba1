"""YuNet through onnxruntime, against OpenCV's own decoder of the same file."""

import cv2
import numpy as np
import pytest

from core.faces import yunet_net
from core.inference import packaged_weights


def test_yunet_agrees_with_opencvs_own_decoder(astronaut):
    theirs = cv2.FaceDetectorYN.create(
        str(packaged_weights.locate(packaged_weights.YUNET)), "", (512, 512), 0.6
    ).detect(astronaut)[1][0]
    ours = yunet_net.merged(yunet_net.candidates(astronaut[None], 0.6)[0])
    assert len(ours) == 1
    np.testing.assert_allclose(
        ours[0, :4], [theirs[0], theirs[1], theirs[0] + theirs[2], theirs[1] + theirs[3]], atol=0.1
    )
    np.testing.assert_allclose(ours[0, 5:], theirs[4:14], atol=0.1)
    assert ours[0, 4] == pytest.approx(theirs[14], abs=1e-3)
