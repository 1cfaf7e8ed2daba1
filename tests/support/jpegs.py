"""What the tests ask of a JPEG file, by its segments: the same bytes may stand in metadata or pixels by chance."""

from core.imaging.jpeg import segments

_FRAME_HEADERS = (0xC0, 0xC1, 0xC2)


def samplings(data: bytes) -> list[tuple[int, int]]:
    """(horizontal, vertical) sampling factor of each component, luma first: all equal for 4:4:4, (2, 2) (1, 1) (1, 1)
    for 4:2:0.
    """
    (frame,) = (segment for segment in segments(data) if segment.marker in _FRAME_HEADERS)
    components = data[frame.body + 6 : frame.end]
    factors = components[1::3]
    return [(factor >> 4, factor & 15) for factor in factors]
