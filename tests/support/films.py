"""Odd films for tests, made by PyAV: uneven times, turned pictures, several sounds, subtitles, chapters."""

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

NTSC = Fraction(1, 30000)
STEP = 1001
EVEN = tuple(STEP * i for i in range(12))
UNEVEN = tuple(STEP * i for i in (0, 1, 2, 5, 6, 10, 11, 13, 20, 21, 22, 30))


def picture(number: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """A smooth picture that differs from frame to frame and from its mirror images: uint8 H x W x 3 BGR."""
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    blue = 255 * x / width
    green = 255 * y / height
    red = 128 + 100 * np.sin((x + y + 5 * number) / 9)
    return np.stack([blue, green, red], axis=2).clip(0, 255).astype(np.uint8)


def make_film(
    path: Path,
    *,
    times: Sequence[int] = EVEN,
    base: Fraction = NTSC,
    size: tuple[int, int] = (64, 48),
    encoder: str = "libx264",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    colors: dict[str, int] | None = None,
    turned: int = 0,
    sounds: Sequence[tuple[str, str]] = (),
    subtitles: str = "",
    chapters: bool = False,
    attachment: bytes = b"",
    tags: dict[str, str] | None = None,
) -> Path:
    """Write a film of ``len(times)`` frames, which are shown at ``times`` in ticks of ``base``.

    colors: attributes of the encoder, such as colorspace=1.
    turned: degrees of rotation in the metadata.
    sounds: codec and layout of each, which last half a second.
    subtitles: the codec.
    """
    clock = {} if path.suffix == ".mkv" else {"movie_timescale": "30000", "movflags": "+faststart"}
    with av.open(str(path), "w", container_options=clock) as film:
        film.metadata.update(tags or {})
        stream = film.add_stream(encoder, rate=Fraction(30000, 1001), options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.codec_context.time_base = base
        for name, value in (colors or {}).items():
            setattr(stream.codec_context, name, value)
        if turned:
            stream.set_display_rotation(turned)
        voices = [_sound_stream(film, number, *sound) for number, sound in enumerate(sounds)]
        words = film.add_mux_stream(subtitles) if subtitles else None
        if words:
            words.metadata["language"] = "deu"
        if attachment:
            film.add_attachment("font.ttf", "font/ttf", attachment)
        if chapters:
            film.set_chapters([_chapter(1, 0, 200, "one"), _chapter(2, 200, 400, "two")])
        for number, pts in enumerate(times):
            film.mux(stream.encode(_frame(number, pts, base, size, pixels, colors or {})))
        film.mux(stream.encode(None))
        for voice in voices:
            _sing(film, voice)
        if words:
            _speak(film, words, subtitles)
    return path


def _frame(number: int, pts: int, base: Fraction, size: tuple[int, int], pixels: str, colors: dict[str, int]) -> Any:
    frame = av.VideoFrame.from_ndarray(picture(number, size), format="bgr24")
    frame = frame.reformat(format=pixels, dst_colorspace=colors.get("colorspace"))
    frame.pts, frame.time_base = pts, base
    for name, value in colors.items():
        setattr(frame, name, value)
    return frame


def _chapter(number: int, start: int, end: int, title: str) -> dict[str, Any]:
    return {"id": number, "start": start, "end": end, "time_base": Fraction(1, 1000), "metadata": {"title": title}}


def _sound_stream(film: Any, number: int, codec: str, layout: str) -> Any:
    stream = film.add_stream(codec, rate=48000, layout=layout)
    stream.metadata["language"] = ("eng", "fra")[number % 2]
    return stream


def _sing(film: Any, stream: Any) -> None:
    channels = stream.codec_context.layout.nb_channels
    size = stream.codec_context.frame_size or 1024
    for start in range(0, 24000, size):
        wave = np.sin(np.arange(start, start + size) / 20).astype(np.float32)
        kind = stream.codec_context.format.name
        samples = np.tile(wave, (channels, 1))
        if kind.startswith("s16"):
            samples = (samples * 9000).astype(np.int16)
        if not kind.endswith("p"):
            samples = samples.T.reshape(1, -1)
        layout = stream.codec_context.layout
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format=kind, layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        film.mux(stream.encode(frame))
    film.mux(stream.encode(None))


def _speak(film: Any, stream: Any, codec: str) -> None:
    for number, text in enumerate((b"first words", b"second words")):
        packet = av.Packet(len(text).to_bytes(2) + text if codec == "mov_text" else text)
        packet.pts = packet.dts = 100 + 150 * number
        packet.duration, packet.time_base = 100, Fraction(1, 1000)
        packet.stream = stream
        film.mux(packet)


def shown(path: Path) -> list[Fraction]:
    """Seconds at which the frames of the first picture stream are shown, as PyAV decodes them."""
    with av.open(str(path)) as film:
        return [frame.pts * Fraction(frame.time_base) for frame in film.decode(video=0)]


def packets(path: Path, kind: str) -> list[list[tuple[Fraction | None, str]]]:
    """(second, checksum) of the packets of each stream of a kind, those hidden before the beginning included."""
    with av.open(str(path)) as film:
        streams = [stream for stream in film.streams if stream.type == kind]
        found: dict[int, list[tuple[Fraction | None, str]]] = {stream.index: [] for stream in streams}
        for packet in film.demux(streams) if streams else ():
            if packet.size:
                second = None if packet.pts is None else packet.pts * Fraction(packet.time_base)
                found[packet.stream_index].append((second, hashlib.sha256(bytes(packet)).hexdigest()))
        return list(found.values())
