"""faces -> film: the model's face in every frame of the film in which faces.db has one, with sound, times and labels"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from core.errors import UsageError
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.merge.choices import MergeChoices
    from core.jobs.merge.merge import MergedFilm
    from core.merge.dfl.settings import DflSettings
    from core.merge.settings import MergeSettings

# Fields that are those of ``MergeSettings``.
_SETTINGS = (
    *("mode", "mask", "color", "opacity", "erode", "erode_left", "erode_top", "erode_right", "erode_bottom"),
    *("feather_in", "feather_out", "scale", "shift_x", "shift_y", "rotation", "color_strength"),
    *("sharpen", "sharpen_amount", "sharpen_radius", "motion_blur", "denoise", "degrade", "color_degrade", "grain"),
)
# What only our composition has, or DeepFaceLab's way measures otherwise.
_OURS = (
    *("opacity", "erode_left", "erode_top", "erode_right", "erode_bottom", "feather_in", "feather_out"),
    *("shift_x", "shift_y", "rotation", "color_strength", "sharpen_radius", "grain", "calm"),
)
# What changes the picture of a frame; a page that shows one tries these.
LOOK = (*_SETTINGS, "morph", "calm", "exact", "blur", "dfm", "face_type")


class Options(SideOptions):
    """Merge the film of one side."""

    GROUPS = {
        "what": ("dfm", "output", "person", "first", "last", "cues", "pictures", "reverse"),
        "how the face is put in": (
            "mode",
            "mask",
            "color",
            "erode",
            "feather_in",
            "feather_out",
            "scale",
            "morph",
            "calm",
        ),
        "the film": ("codec", "quality", "encoder", "bits"),
    }
    dfm: Path | None = Field(None, description="the model; by default the newest .dfm of the model folder")
    face_type: Literal["h", "mf", "f", "wf", "head"] | None = Field(
        None, description="of a model that does not say it (whole face where nothing is said)"
    )
    morph: float = Field(1, ge=0, le=1, description="AMP models: how much of the source is in the face")
    reverse: bool = Field(
        False,
        description="swap the other way: the target's face in the film of the source (workspace/result_reverse.mp4); "
        "the trained model is exported for it",
    )
    output: Path | None = Field(
        None,
        description="the film; its ending says which kind: .mp4, .mov, .mkv, .webm (default: workspace/result.mp4)",
    )
    pictures: bool = Field(
        False, description="write pictures into merged/ and merged_mask/ beside the frames instead of a film"
    )
    person: list[str] = Field([], description="swap only the faces of these people (step 4.1.3 tells them apart)")
    first: int | None = Field(None, ge=1, description="swap from this frame on; those before stay as they are")
    last: int | None = Field(None, ge=1, description="swap up to this frame; those after it stay as they are")
    cues: Path | None = Field(
        None,
        description="a file with other settings for ranges of frames, scenes or people "
        "(default: workspace/convert.toml, if it is there)",
    )
    calm: float = Field(
        0.5,
        ge=0,
        le=1,
        description="take trembling out of the face's place and flicker out of its colours, scene by scene; 0: off",
    )
    keep_parts: bool = Field(
        False,
        description="keep the encoded parts beside the film: the next run makes only those anew whose faces, cues or "
        "settings changed",
    )
    mode: str = Field(
        "overlay",
        description="overlay, hist-match, seamless, seamless-hist-match, multiband (blends by detail, without seams), "
        "original, raw-rgb; DeepFaceLab's numbers are understood",
    )
    mask: str = Field(
        "learned_prd * learned_dst",
        description="where the face is: learned_prd (the model's face), learned_dst (the film's face), hull, "
        "components, extended, whole, full, xseg_prd and xseg_dst (the mask network), stored and polygons (of the face "
        "files); also calculated: `learned_dst * hull`, `a + b`, `a - b`; names of other programs are understood",
    )
    color: str = Field(
        "rct",
        description="how the face takes over the colours of the film: none, rct, lct, mkl, idt, sot, mix, avg-color, "
        "match-hist, manual-balance",
    )
    opacity: float = Field(1, ge=0, le=1, description="how much the face covers")
    erode: float = Field(
        0, ge=-400, le=400, description="how far the edge moves inward, pixels of a face of 256; below 0 outward"
    )
    erode_left: float = Field(0, ge=-128, le=128, description="the same for this side alone")
    erode_top: float = Field(0, ge=-128, le=128, description="the same for this side alone")
    erode_right: float = Field(0, ge=-128, le=128, description="the same for this side alone")
    erode_bottom: float = Field(0, ge=-128, le=128, description="the same for this side alone")
    feather_in: float = Field(8, ge=0, le=128, description="width of the soft edge inward, pixels of a face of 256")
    feather_out: float = Field(2, ge=0, le=128, description="width of the soft edge outward")
    blur: int = Field(0, ge=0, le=400, description="with --exact: how far the edge is blurred")
    scale: float = Field(0, ge=-50, le=50, description="per cent by which the face is larger or smaller")
    shift_x: float = Field(0, ge=-50, le=50, description="per cent by which the face is moved to the right")
    shift_y: float = Field(0, ge=-50, le=50, description="per cent by which the face is moved down")
    rotation: float = Field(0, ge=-180, le=180, description="degrees by which the face is turned, clockwise")
    color_strength: float = Field(1, ge=0, le=1, description="how much of the colours is taken over")
    sharpen: Literal["none", "box", "gaussian", "unsharp"] = Field("none", description="sharpen the face")
    sharpen_amount: float = Field(0.5, ge=0, le=100, description="how much (with --exact 0 to 100)")
    sharpen_radius: float = Field(1, ge=0.5, le=10, description="pixels of the model's face")
    motion_blur: float = Field(0, ge=0, le=100, description="blur the face along its way, per cent")
    denoise: int = Field(0, ge=0, le=500, description="smooth the face (with --exact the frame)")
    degrade: int = Field(0, ge=0, le=100, description="give the face less detail")
    color_degrade: float = Field(0, ge=0, le=100, description="give the face fewer colours")
    grain: float = Field(0, ge=0, le=3, description="1 gives the face the noise of the film")
    exact: bool = Field(
        False, description="merge as DeepFaceLab does, bit by bit, with its names and its measures of options"
    )
    codec: Literal["same", "h264", "hevc", "av1", "vp9", "prores", "ffv1"] = Field(
        "same", description="how the pictures are stored; same: as in the film that is read"
    )
    encoder: Literal["software", "nvenc"] = Field("software", description="nvenc: on an NVIDIA GPU")
    quality: int | None = Field(None, ge=0, le=63, description="rate factor; lower is better and larger")
    preset: str = Field("", description="the encoder's own word for its speed, such as medium or veryfast")
    bits: Literal["film", "8"] = Field("film", description="8: films with more bits become 8, HDR is mapped down")
    deinterlace: bool = Field(False, description="make whole frames from interlaced video, as in the frames step")
    rate: float | None = Field(None, gt=0, le=1000, description="frames a second of pictures that come from no film")
    batch: int = Field(4, ge=1, le=256, description="faces in one call of the network")
    workers: int = Field(0, ge=0, description="frames worked on at the same time; 0: one for each core")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Merge; what a killed run has made is kept."""
    from core.jobs.merge.merge import merge

    side = "src" if options.reverse else options.side
    return _report(side, merge(workspace, side, choices_of(options)))


def choices_of(options: Options) -> "MergeChoices":
    """What the options say, as the job takes it; UsageError where they do not go together."""
    from core.geometry.align import FaceType
    from core.jobs.merge.choices import MergeChoices
    from core.merge.settings import MergeSettings
    from core.video.film.encoders import FilmSettings

    return MergeChoices(
        dfm=options.dfm,
        face_type=FaceType.parse(options.face_type) if options.face_type else None,
        settings=MergeSettings() if options.exact else _settings(options),
        exact=_exact(options) if options.exact else None,
        morph=options.morph,
        reverse=options.reverse,
        cues=options.cues,
        calm=options.calm,
        persons=tuple(options.person),
        first=options.first,
        last=options.last,
        film=FilmSettings(
            codec=options.codec,
            encoder=options.encoder,
            quality=options.quality,
            preset=options.preset,
            bits=options.bits,
            deinterlace=options.deinterlace,
        ),
        output=options.output,
        keep_parts=options.keep_parts,
        pictures=options.pictures,
        rate=options.rate,
        batch=options.batch,
        workers=options.workers,
    )


def _settings(options: Options) -> "MergeSettings":
    from core.merge.settings import MergeSettings

    if options.blur:
        raise UsageError(
            "--blur is DeepFaceLab's way", where="--blur", hint="--feather-in and --feather-out, or --exact"
        )
    return MergeSettings(**{name: getattr(options, name) for name in _SETTINGS})


def _exact(options: Options) -> "DflSettings":
    """DeepFaceLab's settings, by its names or numbers."""
    from core.merge.dfl import settings as dfl

    given = sorted(options.model_fields_set.intersection(_OURS))
    if given:
        flags = ", ".join("--" + name.replace("_", "-") for name in given)
        raise UsageError("DeepFaceLab has no such option", where=flags, hint="leave it out, or leave --exact out")
    chosen = options.model_fields_set
    return dfl.DflSettings(
        mode=_named(options.mode, dfl.MODES),
        mask_mode=_named(options.mask, dfl.MASK_MODES) if "mask" in chosen else dfl.DflSettings().mask_mode,
        color_transfer=_named(options.color, dfl.COLOR_TRANSFERS),
        erode_mask=round(options.erode),
        blur_mask=options.blur,
        motion_blur=round(options.motion_blur),
        blursharpen=round(options.sharpen_amount) if options.sharpen != "none" else 0,
        sharpen_mode=_named(options.sharpen, dfl.SHARPEN_MODES),
        output_face_scale=round(options.scale),
        image_denoise=options.denoise,
        bicubic_degrade=options.degrade,
        color_degrade=round(options.color_degrade),
    )


def _named(text: str, names: tuple[str, ...]) -> str:
    """The name, which may be given by its number."""
    if text.isascii() and text.isdigit() and int(text) < len(names):
        return names[int(text)]
    return text


def _report(side: str, done: "MergedFilm") -> StageReport:
    rows: list[tuple[str, object]] = [
        ("frames", done.frames),
        ("frames with a swapped face", done.swapped),
        ("faces", done.faces),
        ("model", f"{done.model.name} on {done.device}"),
    ]
    if done.left_out:
        rows.append(("faces without landmarks", f"{done.left_out}, left as they are"))
    if len(done.scenes) > 1:
        rows.append(("scenes begin at", _listed(done.scenes)))
    if done.cues:
        rows.append(("cues", f"{done.cue_count} of {done.cues}"))
    if done.calmed:
        rows.append(("landmarks smoothed", f"{done.calmed} faces, for this film only"))
    if done.new_frames:
        rows.append(("speed", f"{done.new_frames / max(done.seconds, 1e-9):.1f} frames/s"))
    warnings = [f"cue {number} is for no face of this film" for number in done.unused]
    outputs = list(done.folders)
    if done.film:
        if done.film.resumed:
            rows.append(("made by an earlier run", f"{done.film.resumed} frames"))
        rows.append(("stored as", f"{done.film.encoder}, {done.film.width} x {done.film.height}, {done.film.pixels}"))
        warnings += done.film.notes
        outputs.append(done.film.path)
    signed = ", signed" if done.film and done.film.signed else ""
    rows.append(("label", f"synthetic, in the file{signed}"))
    return StageReport(f"data_{side}: merged", tuple(rows), tuple(warnings), tuple(outputs))


def _listed(numbers: tuple[int, ...], most: int = 12) -> str:
    shown = ", ".join(map(str, numbers[:most]))
    return shown + (f" and {len(numbers) - most} more" if len(numbers) > most else "")
