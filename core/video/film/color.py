"""From BGR to the pixels of a film: the way back of what decoding did, by the same matrix and range."""

from fractions import Fraction
from typing import Any

import av
import numpy as np

from core.video.film.frames import Image
from core.video.film.plan import Plan
from core.video.info import Colors

# The library's matrices by their numbers in ITU-T H.273. What is not said is read as BT.601, so it is written as that.
_MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}
_FULL = 2
_CONVERSION = "bicubic+accurate_rnd+full_chroma_inp+full_chroma_int"


class Converter:
    """Turns images of one size into frames for an encoder."""

    def __init__(self, plan: Plan, width: int, height: int):
        self._plan = plan
        self._source = "bgr48le" if plan.deep else "bgr24"
        self._graph = av.filter.Graph()
        pixels = av.VideoFormat(self._source)
        nodes = [
            self._graph.add_buffer(width=width, height=height, format=pixels, time_base=Fraction(1, 25)),
            self._graph.add("scale", scaling(plan.colors)),
            self._graph.add("format", plan.pixels),
            self._graph.add("buffersink"),
        ]
        self._graph.link_nodes(*nodes).configure()

    def frame(self, image: Image, pts: int) -> Any:
        """image: H x W x 3 BGR of the size of all. pts: when it is shown, in ticks of the plan."""
        self._graph.vpush(av.VideoFrame.from_ndarray(_contiguous(image), format=self._source))
        frame = self._graph.vpull()
        say(frame, self._plan.colors)
        frame.pts, frame.time_base = pts, self._plan.time_base
        return frame


def _contiguous(image: Image) -> Any:
    return np.ascontiguousarray(image)


def scaling(colors: Colors) -> str:
    """The arguments of the filter that makes luma and chroma."""
    matrix = _MATRICES.get(colors.matrix, "bt601")
    values = "full" if colors.range == _FULL else "limited"
    return f"flags={_CONVERSION}:out_color_matrix={matrix}:out_range={values}"


def say(target: Any, colors: Colors) -> None:
    """Write the numbers of the colors into a frame or into an encoder."""
    target.color_range = colors.range
    target.color_primaries = colors.primaries
    target.color_trc = colors.transfer
    target.colorspace = colors.matrix
