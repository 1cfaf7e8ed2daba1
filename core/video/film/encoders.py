"""Which encoder writes a film: its codec, its pixels, and what FFmpeg's library is told."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import av
import cv2

from core.errors import EnvironmentFault, UsageError, did_you_mean

CodecName = Literal["same", "h264", "hevc", "av1", "vp9", "prores", "ffv1"]
# The formats of FFmpeg by the ending of a file, and the codecs that players expect in them; the first is the default.
CONTAINERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    ".mp4": ("mp4", ("h264", "hevc", "av1", "vp9")),
    ".m4v": ("mp4", ("h264", "hevc", "av1")),
    ".mov": ("mov", ("h264", "hevc", "prores")),
    ".mkv": ("matroska", ("h264", "hevc", "av1", "vp9", "prores", "ffv1")),
    ".webm": ("webm", ("vp9", "av1")),
}
_EIGHT, _TEN = (8,), (8, 10)
_ALL = ("420", "422", "444")


@dataclass(frozen=True)
class Encoder:
    """An encoder of FFmpeg.

    name: its name there.
    samplings: how it can store chroma, the sparsest first.
    depths: bits of a sample.
    quality: its option for the quality, and the usual value; empty where it has none.
    preset: its option for speed, and the usual value.
    options: other options; ``{threads}`` in them stands for the number of threads.
    """

    name: str
    samplings: tuple[str, ...]
    depths: tuple[int, ...]
    quality: tuple[str, str] = ("", "")
    preset: tuple[str, str] = ("", "")
    options: Mapping[str, str] = field(default_factory=dict)


_NVENC_OPTIONS = {"rc": "vbr", "b": "0"}
_CPU_AVX_512F = 13  # OpenCV's number of it
# With AVX-512, x264 looks ahead by memory that nobody has written, unless the width is a multiple of 128: every time it
# makes other bytes. The instructions before that are as fast, and a processor that has the one has the others.
_X264_OPTIONS = {"x264-params": "asm=AVX2"} if cv2.checkHardwareSupport(_CPU_AVX_512F) else {}
_SOFTWARE = {
    "h264": Encoder("libx264", _ALL, _TEN, ("crf", "16"), ("preset", "medium"), _X264_OPTIONS),
    # What it says would go to the terminal. The bytes depend on the number of its frame threads only.
    "hevc": Encoder(
        "libx265", _ALL, _TEN, ("crf", "18"), ("preset", "medium"), {"x265-params": "log-level=none:frame-threads=3"}
    ),
    "av1": Encoder("libsvtav1", ("420",), _TEN, ("crf", "20"), ("preset", "6")),
    "vp9": Encoder(
        "libvpx-vp9",
        _ALL,
        _EIGHT,
        ("crf", "18"),
        ("cpu-used", "3"),
        {"b": "0", "threads": "{threads}", "tile-columns": "2"},
    ),
    "prores": Encoder("prores_ks", ("422", "444"), (10,), options={"vendor": "apl0"}),
    "ffv1": Encoder("ffv1", _ALL, (8, 10, 12, 16), options={"level": "3", "g": "1", "slices": "4", "slicecrc": "1"}),
}
_NVENC = {
    "h264": Encoder("h264_nvenc", ("420", "444"), _EIGHT, ("cq", "19"), ("preset", "p5"), _NVENC_OPTIONS),
    "hevc": Encoder("hevc_nvenc", ("420", "444"), _TEN, ("cq", "21"), ("preset", "p5"), _NVENC_OPTIONS),
    "av1": Encoder("av1_nvenc", ("420",), _TEN, ("cq", "26"), ("preset", "p5"), _NVENC_OPTIONS),
}


@dataclass(frozen=True)
class FilmSettings:
    """How a film is written.

    codec: ``same`` as the film that is read, where the container takes it; else by name.
    encoder: ``software``, or ``nvenc`` of an NVIDIA GPU.
    quality: rate factor, lower is better; None for the encoder's usual one, at which films are hard to tell apart.
    preset: the encoder's own word for its speed; empty for the usual one.
    bits: ``film``, or ``8``: then deeper films are made 8 bits, and a high dynamic range is mapped down.
    deinterlace: make whole images of half ones.
    part: frames of a part, which is encoded for itself; an interrupted run goes on behind the last whole one.
    threads: of the encoder. It is a fixed number because the bytes depend on it.
    """

    codec: CodecName = "same"
    encoder: Literal["software", "nvenc"] = "software"
    quality: int | None = None
    preset: str = ""
    bits: Literal["film", "8"] = "film"
    deinterlace: bool = False
    part: int = 250
    threads: int = 8


def container_of(suffix: str) -> tuple[str, tuple[str, ...]]:
    """FFmpeg's name of the container that a file with this ending is, and the codecs for it.

    Raises:
        UsageError: films are not written with this ending.
    """
    if suffix.lower() not in CONTAINERS:
        raise UsageError(
            f"films are not written as {suffix or 'a file without an ending'}",
            hint=f"choose one of {', '.join(CONTAINERS)}",
        )
    return CONTAINERS[suffix.lower()]


def choose_codec(suffix: str, wanted: str, before: str) -> str:
    """The codec of a new film.

    wanted: a codec or ``same``.
    before: the codec of the film that is read; empty where there is none.

    Raises:
        UsageError: there is no such codec, or the container is not made for it.
    """
    _, codecs = container_of(suffix)
    if wanted == "same":
        return before if before in codecs else codecs[0]
    if wanted not in _SOFTWARE:
        raise UsageError("unknown codec", where=wanted, hint=did_you_mean(wanted, _SOFTWARE))
    if wanted not in codecs:
        endings = [ending for ending, (_, others) in CONTAINERS.items() if wanted in others]
        raise UsageError(
            f"{wanted} does not go into {suffix}",
            why=f"players expect {', '.join(codecs)} there",
            hint=f"choose another codec, or write {' or '.join(endings)}",
        )
    return wanted


def find_encoder(codec: str, kind: str) -> Encoder:
    """The encoder for a codec.

    Raises:
        UsageError: NVENC does not make this codec.
        EnvironmentFault: it is not there, or this machine cannot run it.
    """
    if kind == "nvenc" and codec not in _NVENC:
        raise UsageError(f"NVENC does not make {codec}", hint=f"it makes {', '.join(_NVENC)}")
    found = (_NVENC if kind == "nvenc" else _SOFTWARE)[codec]
    try:
        context: Any = av.CodecContext.create(found.name, "w")
        if kind == "nvenc":
            context.width, context.height, context.pix_fmt = 256, 256, "yuv420p"
            context.time_base = Fraction(1, 25)
            context.open()
    except (av.error.FFmpegError, ValueError) as error:
        raise EnvironmentFault(
            f"the encoder {found.name} does not work here",
            why=str(error),
            hint="--encoder software needs no GPU" if kind == "nvenc" else "pip install --upgrade av",
        ) from None
    return found


def pixel_format(sampling: str, depth: int) -> str:
    """FFmpeg's name of pixels, such as yuv420p10le."""
    return f"yuv{sampling}p" + (f"{depth}le" if depth > 8 else "")


def told(encoder: Encoder, settings: FilmSettings) -> dict[str, str]:
    """The options of an encoder for these settings."""
    options = {key: value.format(threads=settings.threads) for key, value in encoder.options.items()}
    if encoder.quality[0]:
        options[encoder.quality[0]] = str(encoder.quality[1] if settings.quality is None else settings.quality)
    if encoder.preset[0]:
        options[encoder.preset[0]] = settings.preset or encoder.preset[1]
    return options


def new_context(name: str, options: Mapping[str, str], threads: int) -> Any:
    """A codec context that encodes; size, pixels and colors are still to be set."""
    context = av.CodecContext.create(name, "w")
    context.options = dict(options)
    context.thread_count = threads
    return context


@contextmanager
def ordinary_threads() -> Iterator[None]:
    """Inside, an encoder is opened, and the threads of this process are scheduled afterwards as they were before.

    Where root runs it, SVT-AV1 makes the thread that opens it, and all of its own, real-time ones of the highest
    priority: nothing else of the machine would get a processor.
    """
    before = os.sched_getscheduler(0) if hasattr(os, "sched_getscheduler") else None
    yield
    if before is None or os.sched_getscheduler(0) == before:
        return
    for thread in os.listdir("/proc/self/task"):
        # One that has ended meanwhile needs nothing.
        with suppress(ProcessLookupError):
            os.sched_setscheduler(int(thread), before, os.sched_param(0))
