"""What this program makes says that it is synthetic, and what it does not make says nothing of the kind."""

import cv2
import numpy as np
import pytest
from films import make_film
from tiny_dfm import write_dfm

from core.errors import InputError
from core.formats.provenance import DIGITAL_SOURCE_TYPE, write_synthetic_image
from core.jobs.provenance import origins
from core.video.film.edit import edit_film


def test_labels_are_read_and_their_absence_is_said(tmp_path):
    plain = make_film(tmp_path / "plain.mp4")
    edit_film(plain, tmp_path / "made.mp4", lambda number, image: 255 - image)
    write_synthetic_image(tmp_path / "made.png", np.zeros((8, 8, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "plain.png"), np.zeros((8, 8, 3), np.uint8))
    write_dfm(tmp_path / "made.dfm", metadata={"generator": "DFM Forge", "digital_source_type": DIGITAL_SOURCE_TYPE})
    names = ("made.mp4", "made.png", "made.dfm", "plain.mp4", "plain.png")
    found = origins([tmp_path / name for name in names])
    assert [bool(origin.said) for origin in found] == [True, True, True, False, False]
    assert all(DIGITAL_SOURCE_TYPE in origin.said.values() for origin in found[:3])
    with pytest.raises(InputError, match="no such file"):
        origins([tmp_path / "none.mp4"])
