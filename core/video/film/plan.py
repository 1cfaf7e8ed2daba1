"""How a new film will be: decided before its first frame, by the film that is read and by what was asked for."""

from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from core.errors import InputError
from core.video.film.encoders import Encoder, FilmSettings, choose_codec, container_of, find_encoder, pixel_format, told
from core.video.film.frames import bits, time_base
from core.video.info import Colors, VideoInfo

_BT709 = Colors(transfer=1, primaries=1, matrix=1, range=1)
_RGB, _FULL = 0, 2
_OTHER_NAMES = {"libdav1d": "av1", "libaom-av1": "av1", "libvpx-vp9": "vp9"}
# Where neither the film nor anybody says how fast it is.
_USUAL_RATE = Fraction(25)


@dataclass(frozen=True)
class Plan:
    """How a film is written.

    container: FFmpeg's name.
    encoder: FFmpeg's name.
    options: what the encoder is told.
    pixels: FFmpeg's name of the format.
    sampling: of chroma: 420, 422 or 444.
    depth: bits of a sample.
    deep: whether frames are uint16; else uint8.
    colors: as the film will say, and as its pixels are made.
    rate: average frames a second.
    time_base: seconds of a tick of its clock.
    part: frames of a part.
    threads: of the encoder.
    notes: what will differ from the film that is read, in words.
    """

    container: str
    encoder: str
    options: dict[str, str]
    pixels: str
    sampling: str
    depth: int
    deep: bool
    colors: Colors
    rate: Fraction
    time_base: Fraction
    part: int
    threads: int
    notes: tuple[str, ...] = ()

    def recorded(self) -> dict[str, Any]:
        """As JSON: two plans that say the same write the same bytes of the same frames."""
        return {**asdict(self), "notes": list(self.notes), "rate": str(self.rate), "time_base": str(self.time_base)}


def plan_film(info: VideoInfo, suffix: str, settings: FilmSettings) -> Plan:
    """The plan for a film that is made of another.

    suffix: of the new file; it tells the container.

    Raises:
        UsageError: container and codec do not go together, or one of them is not known.
        InputError: the film is deeper than the new one could be.
        EnvironmentFault: the encoder does not work here.
    """
    codec = choose_codec(suffix, settings.codec, _OTHER_NAMES.get(info.codec, info.codec))
    encoder = find_encoder(codec, settings.encoder)
    before = bits(info)
    deep = before > 8 and settings.bits == "film"
    depth, notes = _depth(info, encoder, before if deep else 8)
    sampling = _sampling(info.pixel_format)
    chosen = _nearest(sampling, encoder)
    if chosen != sampling:
        notes += (f"chroma is stored as 4:{chosen[1]}:{chosen[2]} instead of 4:{sampling[1]}:{sampling[2]}",)
    if before > 8 and not deep:
        notes += (f"{before} bits became 8, as asked for",)
    if info.colors.hdr and not deep:
        notes += ("its high dynamic range was mapped down to BT.709",)
    if info.colors.hdr and deep:
        notes += ("what it may say of the screen that it was graded on was left out",)
    if "a" in info.pixel_format.replace("gray", "").replace("bayer", "").replace("pal", "")[:5]:
        notes += ("its transparency was left out",)
    colors = _colors(info, deep)
    rate = Fraction(info.rate).limit_denominator(1001 * 240) if info.rate else _USUAL_RATE
    return _plan(suffix, settings, encoder, chosen, depth, deep, colors, rate, time_base(info), notes)


def plan_pictures(suffix: str, settings: FilmSettings, *, rate: Fraction, deep: bool) -> Plan:
    """The plan for a film of pictures without a film that tells their times.

    rate: frames a second.
    deep: whether the pictures have 16 bits.

    Raises:
        The same errors as ``plan_film``.
    """
    encoder = find_encoder(choose_codec(suffix, settings.codec, ""), settings.encoder)
    deep = deep and settings.bits == "film"
    depth = max(encoder.depths) if deep else min(encoder.depths)
    if deep and depth == 8:
        raise _too_deep("pictures of 16 bits", None, encoder)
    return _plan(suffix, settings, encoder, _nearest("420", encoder), depth, deep, _BT709, rate, 1 / rate, ())


def _plan(
    suffix: str,
    settings: FilmSettings,
    encoder: Encoder,
    sampling: str,
    depth: int,
    deep: bool,
    colors: Colors,
    rate: Fraction,
    base: Fraction,
    notes: tuple[str, ...],
) -> Plan:
    return Plan(
        container=container_of(suffix)[0],
        encoder=encoder.name,
        options=told(encoder, settings),
        pixels=_named(encoder, sampling, depth),
        sampling=sampling,
        depth=depth,
        deep=deep,
        colors=colors,
        rate=rate,
        time_base=base,
        part=settings.part,
        threads=settings.threads,
        notes=notes,
    )


def _named(encoder: Encoder, sampling: str, depth: int) -> str:
    if encoder.name.endswith("_nvenc") and depth == 10:
        return "p010le"
    return pixel_format(sampling, depth)


def _depth(info: VideoInfo, encoder: Encoder, needed: int) -> tuple[int, tuple[str, ...]]:
    """Bits of the new film: as few as hold all of the old ones, else as many as there are, but never 8 for more."""
    enough = [depth for depth in encoder.depths if depth >= needed]
    if enough:
        return enough[0], ()
    most = max(encoder.depths)
    if most == 8:
        raise _too_deep(f"a film of {needed} bits", info.path, encoder)
    return most, (f"{needed} bits became {most}: {encoder.name} has no more",)


def _too_deep(what: str, where: Path | None, encoder: Encoder) -> InputError:
    return InputError(
        f"{what} would lose its depth",
        where=where,
        why=f"the encoder {encoder.name} has 8 bits only",
        hint="choose a codec with 10 bits, such as --codec hevc, or --bits 8",
    )


def _sampling(pixels: str) -> str:
    """The usual sampling of chroma that loses none of these pixels'."""
    layout = av.VideoFormat(pixels or "yuv420p", 64, 64)
    if layout.is_rgb:
        return "444"
    chroma = layout.components[1] if len(layout.components) > 2 else None
    if chroma is None or (chroma.width < 64 and chroma.height < 64):  # gray has none at all
        return "420"
    return "422" if chroma.width < 64 else "444"


def _nearest(sampling: str, encoder: Encoder) -> str:
    """What the encoder can do that loses nothing, else its best."""
    return next((able for able in encoder.samplings if able >= sampling), encoder.samplings[-1])


def _colors(info: VideoInfo, deep: bool) -> Colors:
    if info.colors.hdr and not deep:
        return _BT709
    colors = info.colors
    if info.pixel_format.startswith("yuvj"):
        colors = replace(colors, range=_FULL)
    if colors.matrix == _RGB or av.VideoFormat(info.pixel_format or "yuv420p").is_rgb:
        # The new film has luma and chroma. Pixels of RGB always use all values, those do not.
        return replace(colors, matrix=_BT709.matrix, range=_BT709.range)
    if colors.hdr and colors.matrix == Colors().matrix:
        return replace(colors, matrix=9, primaries=9)  # as the frames were read
    return colors
