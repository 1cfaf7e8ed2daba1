"""JPEG segments and PNG chunks, found and made without decoding."""

import numpy as np
import pytest

from core.errors import CorruptFileError
from core.imaging import jpeg, png
from core.imaging.codec import encode_jpeg, encode_png

IMAGE = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)


def test_chunks_tile_the_file_and_are_intact():
    data = encode_png(IMAGE)
    found = list(png.chunks(data))
    assert [chunk.kind for chunk in (found[0], found[-1])] == [b"IHDR", b"IEND"]
    assert found[0].start == len(png.SIGNATURE) and found[-1].end == len(data)
    assert all(one.end == other.start for one, other in zip(found, found[1:], strict=False))
    assert all(chunk.is_intact(data) for chunk in found) and png.is_complete(data)


def test_a_chunk_made_is_the_chunk_found():
    data = encode_png(IMAGE)
    for chunk in png.chunks(data):
        assert png.chunk(chunk.kind, chunk.body(data)) == data[chunk.start : chunk.end]
    broken = bytearray(data)
    broken[20] ^= 1
    assert not next(png.chunks(bytes(broken))).is_intact(bytes(broken))


def test_a_png_that_ends_too_early_is_refused():
    data = encode_png(IMAGE)
    for end in range(len(png.SIGNATURE), len(data)):
        with pytest.raises(CorruptFileError, match="truncated PNG"):
            list(png.chunks(data[:end]))


def test_a_segment_made_is_the_segment_found():
    data = encode_jpeg(IMAGE)
    found = list(jpeg.segments(data))
    assert found[-1].marker == jpeg.SOS and jpeg.is_complete(data)
    for segment in found:
        assert jpeg.segment(segment.marker, data[segment.body : segment.end]) == data[segment.start : segment.end]
