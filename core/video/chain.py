"""The frames of a video as they should be, in ffmpeg's words: the part of a command that seeks, decodes and filters."""

from typing import Any

import ffmpeg

from core.errors import EnvironmentFault
from core.video import program
from core.video.info import ASPECTS, Colors, VideoInfo
from core.video.selection import Selection

# Without an index, programs end up seconds away from where they are sent: they start earlier and leave frames out.
# Encoders set a place to start every 10 seconds or so.
_RUN_UP = 30.0
# To linear light, to the usual primaries, bright parts compressed (Hable's curve), back to a usual curve.
_TONE_MAP: tuple[tuple[str, dict[str, Any]], ...] = (
    ("zscale", {"t": "linear", "npl": 100}),
    ("format", {"pix_fmts": "gbrpf32le"}),
    ("zscale", {"p": "bt709"}),
    ("tonemap", {"tonemap": "hable", "desat": 0}),
    ("zscale", {"t": "bt709", "m": "bt709", "r": "tv"}),
    ("format", {"pix_fmts": "yuv444p"}),
)
_NOT_SAID = 2
# The default conversion to RGB repeats chroma samples and rounds down: a level darker, 2.8 dB worse on a photo.
# This one takes 15 ms more at 720p.
_CONVERSION = "bicubic+accurate_rnd+full_chroma_int"
_ASPECT = f"if(between(sar,{ASPECTS[0]},{ASPECTS[1]}),sar,1)"


def needed_filters(info: VideoInfo) -> tuple[str, ...]:
    """Filters without which a program shows this video worse than another may."""
    hdr = ("zscale", "tonemap") if info.colors.hdr else ()
    return hdr + (("bwdif",) if info.interlaced else ())


def decoded(
    info: VideoInfo,
    selection: Selection,
    pixels: str,
    *,
    size: tuple[int, int] | None = None,
    exact: bool = True,
    skip: int = 0,
    tone_map: bool = True,
) -> Any:
    """Input and filters for ffmpeg-python: frames with square pixels, upright, standard dynamic range.

    pixels: format of the pixels, such as "rgb24".
    size: width and height of all frames; one of another shape keeps its proportions, between black bars. None: each
        has its own.
    exact: begin at ``selection.start`` exactly; else at a frame near it, which is quicker.
    skip: how many frames to leave out of those that would come.
    tone_map: without it the colors of a high dynamic range stay as they are.

    Raises:
        EnvironmentFault: the program cannot deinterlace.
    """
    stream, cut = _input(info, selection, exact)
    if cut:
        stream = stream.filter("trim", start=f"{cut:.6f}")
    if selection.deinterlace:
        _require_deinterlacer(info.program)
        chosen = "interlaced" if info.interlaced else "all"
        stream = stream.filter("bwdif", mode="send_frame", parity="auto", deint=chosen)
    if selection.fps is not None:
        stream = stream.filter("fps", fps=f"{selection.fps:g}")
    if skip:
        stream = stream.filter("trim", start_frame=skip)
    if info.colors.hdr and not tone_map:
        stream = _with_supposed(stream, info)
    elif info.colors.hdr and program.has_filter(info.program, "zscale"):
        stream = _tone_mapped(stream, info)
    width, height = _own_size(info) if size is None else _fitted(*size)
    # eval=frame: the shape of frames may change within a film.
    stream = stream.filter("scale", w=width, h=height, flags=_CONVERSION, eval="frame").filter("format", pixels)
    if size is None:
        return stream
    return stream.filter("pad", w=size[0], h=size[1], x="(ow-iw)/2", y="(oh-ih)/2", eval="frame")


def _input(info: VideoInfo, selection: Selection, exact: bool) -> tuple[Any, float]:
    """The input, and how many seconds from its beginning are to be cut off."""
    start = selection.start or 0.0
    run_up = _RUN_UP if exact and info.seeking == "near" else 0.0
    seek = 0.0 if info.seeking == "none" else max(start - run_up, 0.0)
    options = {"ss": f"{seek:.6f}"} if seek else {}
    if selection.end is not None:
        options["to"] = f"{selection.end:.6f}"
    return ffmpeg.input(program.FILE, **options)[str(info.stream)], start - seek


def _require_deinterlacer(path: str) -> None:
    if not program.has_filter(path, "bwdif"):
        raise EnvironmentFault(
            "this ffmpeg cannot deinterlace",
            where=path,
            why="it was built without the filter bwdif",
            hint="install another, or leave --deinterlace out",
        )


def _tone_mapped(stream: Any, info: VideoInfo) -> Any:
    stream = _with_supposed(stream, info)
    for name, arguments in _TONE_MAP:
        stream = stream.filter(name, **arguments)
    return stream


def _with_supposed(stream: Any, info: VideoInfo) -> Any:
    said = _supposed(info.colors)
    return stream.filter("setparams", **said) if said else stream


def _supposed(colors: Colors) -> dict[str, str]:
    """What a video with such a curve means and does not say."""
    told = {}
    if colors.primaries == _NOT_SAID:
        told["color_primaries"] = "bt2020"
    if colors.matrix == _NOT_SAID:
        told["colorspace"] = "bt2020nc"
    return told


def _own_size(info: VideoInfo) -> tuple[str, str]:
    """Width and height of a frame when its pixels are made square: its stored width changes, as in players."""
    if info.sideways:
        return "iw", f"max(1,round(ih/({_ASPECT})))"
    return f"max(1,round(iw*({_ASPECT})))", "ih"


def _fitted(width: int, height: int) -> tuple[str, str]:
    """Width and height of a frame of any shape that fits into ``width`` x ``height``."""
    shape = f"(iw*({_ASPECT})/ih)"
    # Of this shape but for rounding: it fills the whole.
    same = f"lte(abs({height}*{shape}-{width}),1)"
    across = f"if({same},{width},max(1,round(min({width},{height}*{shape}))))"
    down = f"if({same},{height},max(1,round(min({height},{width}/{shape}))))"
    return across, down
