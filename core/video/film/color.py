"""From BGR to the pixels of a film: the way back of what decoding did, by the same matrix and range."""

from fractions import Fraction
from typing import Any

import av
import numpy as np

from core.video.film.frames import DEEP_WHITE, WHITE, Image, rescaled
from core.video.film.plan import Plan
from core.video.info import Colors

# The library's matrices by their numbers in ITU-T H.273. What is not said is read as BT.601, so it is written as that.
_MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}
_FULL = 2
_COARSE = 10  # bits
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
            *(self._graph.add(name, arguments) for name, arguments in _steps(plan)),
            self._graph.add("buffersink"),
        ]
        self._graph.link_nodes(*nodes).configure()

    def frame(self, image: Image, pts: int) -> Any:
        """image: H x W x 3 BGR of the size of all. pts: when it is shown, in ticks of the plan."""
        if self._plan.deep:
            image = rescaled(image, DEEP_WHITE / WHITE)
        self._graph.vpush(av.VideoFrame.from_ndarray(_contiguous(image), format=self._source))
        frame = self._graph.vpull()
        say(frame, self._plan.colors)
        frame.pts, frame.time_base = pts, self._plan.time_base
        return frame


def _contiguous(image: Image) -> Any:
    return np.ascontiguousarray(image)


def _steps(plan: Plan) -> list[tuple[str, str]]:
    """Filters with their arguments."""
    full = plan.colors.range == _FULL
    values = "full" if full else "limited"
    matrix = _MATRICES.get(plan.colors.matrix, "bt601")
    steps = [("scale", f"flags={_CONVERSION}:out_color_matrix={matrix}:out_range={values}")]
    if full and plan.depth <= _COARSE:
        # On the way to all values the library rounds chroma down, by half a level; with more bits that is little.
        steps.append(("format", f"yuv{plan.sampling}p14le"))
        steps.append(("scale", f"flags={_CONVERSION}:in_range=full:out_range=full"))
    return [*steps, ("format", plan.pixels)]


def say(target: Any, colors: Colors) -> None:
    """Write the numbers of the colors into a frame or into an encoder."""
    target.color_range = colors.range
    target.color_primaries = colors.primaries
    target.color_trc = colors.transfer
    target.colorspace = colors.matrix
