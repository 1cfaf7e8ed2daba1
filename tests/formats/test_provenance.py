import cv2
import numpy as np
import pytest

from core.errors import CorruptFileError
from core.formats import provenance

PICTURE = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)


@pytest.mark.parametrize(("suffix", "label"), [(".jpg", provenance.label_jpeg), (".png", provenance.label_png)])
def test_the_label_is_there_and_pixels_are_untouched(suffix, label):
    data = cv2.imencode(suffix, PICTURE)[1].tobytes()
    labelled = label(data)
    assert provenance.DIGITAL_SOURCE_TYPE.encode() in labelled
    before, after = (cv2.imdecode(np.frombuffer(d, np.uint8), cv2.IMREAD_UNCHANGED) for d in (data, labelled))
    assert np.array_equal(before, after)


def test_pillow_reads_the_packet(tmp_path):
    image = pytest.importorskip("PIL.Image")
    for name in ("a.jpg", "a.png"):
        provenance.write_synthetic_image(tmp_path / name, PICTURE)
        with image.open(tmp_path / name) as picture:
            packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
            picture.load()
        packet = packet if isinstance(packet, bytes) else packet.encode()
        assert b"DigitalSourceType" in packet


@pytest.mark.parametrize("label", [provenance.label_jpeg, provenance.label_png])
def test_other_bytes_are_refused(label):
    with pytest.raises(CorruptFileError):
        label(b"hello")
