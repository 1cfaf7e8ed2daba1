"""pictures -> faces: find, align and cut out every face, into aligned/ and faces.db"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator, model_validator

from core import plugins
from core.options import SideOptions
from core.stages._faces_report import batch_report, no_faces, report, summary
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.faces.contract import Masker
    from core.jobs.extract.settings import ExtractSettings

    Named = tuple[str, Masker]

FaceTypeName = Literal[
    "whole_face",
    "wf",
    "full_face",
    "f",
    "head",
    "midfull_face",
    "mf",
    "half_face",
    "h",
    "full_face_no_align",
    "head_no_align",
]
# Not among the settings of the job, or under another name there.
_OWN = {
    "detect_size",
    *("side", "workers", "overwrite", "retry_empty", "overlay", "mask", "batch", "interpolate", "smooth"),
    *("face_type", "image_size", "for_model", "source", "faces"),
}


class Options(SideOptions):
    """Extract the faces of one side. --debug also draws boxes, landmarks and cuts into aligned_debug/."""

    GROUPS = {
        "which frames": ("every", "fps", "from_video", "source"),
        "which faces": (
            *("max_faces", "min_face_size", "max_face_size", "detect_score", "rotations", "keep_id", "drop_id"),
            *("id_threshold", "filter"),
        ),
        "their landmarks": ("align_norm", "refeed", "realign", "interpolate", "smooth"),
        "the pictures of them": ("face_type", "image_size", "for_model", "jpeg_quality", "min_scale", "save_filtered"),
        "the run": ("overwrite", "retry_empty", "overlay", "batch", "workers"),
    }
    face_type: FaceTypeName = Field(
        "whole_face",
        description="how much around the face is cut: h half_face, mf midfull_face, f full_face, wf whole_face, head",
    )
    image_size: int | None = Field(
        None, ge=64, le=4096, description="side of a face image in pixels; by default 512, for heads 768"
    )
    for_model: str = Field(
        "",
        description="image size for a model, as SIZE:CENTRING: 448:face is for a faceswap model of 448 pixels with "
        "face centring, which cuts three quarters out of a head (598 pixels), 448:legacy takes 0.6 of it (748); models "
        "of DeepFaceLab's face types (h, mf, f, wf, head) take the whole image, so for 448:wf it is 448",
    )
    jpeg_quality: int = Field(90, ge=1, le=100, description="JPEG quality of the face images")
    min_scale: float = Field(
        0,
        ge=0,
        le=200,
        description="write no image of a face whose face-centred square in the frame has fewer pixels than this per "
        "cent of the image's side: 100 writes none that would have to be blown up; the database keeps all",
    )
    save_filtered: bool = Field(
        False,
        description="also write images of the faces that are not kept, a folder for each reason in aligned_filtered/",
    )
    faces: bool = Field(True, description="write images of faces; --no-faces fills the database only")
    max_faces: int = Field(0, ge=0, description="keep at most N faces of each frame, the largest ones; 0 keeps all")
    min_face_size: str = Field(
        "40",
        description="leave out faces whose box is smaller than this (shorter side): pixels of the frame, or per cent "
        "of its shorter side, such as 5%",
    )
    max_face_size: str = Field("0", description="leave out faces whose box is larger than this; 0: no limit")
    every: int = Field(1, ge=1, description="look at every Nth frame only; 12 to 25 for training, 1 for the film")
    fps: float | None = Field(
        None, gt=0, le=1000, description="look at so many frames for each second of film, by the times they are shown"
    )
    from_video: bool = Field(False, description="read the video itself; no frames are needed on disk")
    source: list[str] = Field(
        [],
        description="films and folders of frames, anywhere, instead of the side's own; commas between. Frames are "
        "named after their source: night_00001.png",
    )
    deinterlace: bool = Field(False, description="of films that are read here: make whole frames from interlaced video")
    detector: str = Field("yunet", description=plugins.described("detectors"))
    detect_score: float = Field(0.6, ge=0.05, le=1, description="leave out faces that the detector is less sure of")
    detect_size: str = Field(
        "auto",
        description="longer side at which a frame is searched, pixels (128 to 4096); larger finds smaller faces, "
        "slower. auto: 640, or more where a few frames have faces too small for that",
    )
    rotations: str = Field(
        "auto",
        description="auto: search turned frames only where no face is clearly upright; all: always (slower); or "
        "degrees that are tried one after the other while there is no face: 0,90,270, or 45 for 0,45,90 and so on. "
        "Seldom finds more than auto",
    )
    landmarker: str = Field("facemesh", description=plugins.described("landmarkers"))
    align_norm: Literal["none", "clahe", "hist", "mean"] = Field(
        "none",
        description="even out the light of what the landmarker sees: hist equalises, clahe in tiles, mean stretches, "
        "which halves the error of facemesh in dark films",
    )
    refeed: int = Field(
        0,
        ge=0,
        le=10,
        description="look for the points N more times in a box that is moved a little, and take the mean: steadier, "
        "slower by as much; more than 9 is not worth it",
    )
    realign: bool = Field(
        False,
        description="look for the points once more in the face levelled by the first look; facemesh does so by itself",
    )
    interpolate: int = Field(
        0,
        ge=0,
        le=100,
        description="afterwards, give frames a face in which a head was not found, where it was before and after: in "
        "gaps of up to N frames (as `alignments interpolate` does)",
    )
    smooth: float = Field(
        0,
        ge=0,
        le=1,
        description="afterwards, take the trembling out of the landmarks along the film: 0.5 is a good strength (as "
        "`alignments smooth` does, and takes back)",
    )
    filter_refeed: bool = Field(True, description="looks that pass no filter do not count in the mean of --refeed")
    filter_realign: bool = Field(True, description="faces that pass no filter are not looked at again by --realign")
    filter: bool = Field(True, description="leave out what has points unlike those of a face")
    filter_features: bool = Field(True, description="leave out faces whose eyes are not above the mouth")
    filter_min_scale: float = Field(
        0.03, ge=0, le=1, description="leave out faces smaller than this part of the frame's shorter side; 0: off"
    )
    filter_max_scale: float = Field(
        4.0,
        ge=0,
        le=10,
        description="leave out faces larger than so many of the frame's shorter side; raise it for extreme close-ups; "
        "0: off",
    )
    filter_distance: float = Field(
        22.5,
        ge=0,
        le=100,
        description="leave out faces whose points are on average so many per cent of the face off a mean one: 15 drops "
        "what is surely no face, near 10 extreme angles go, too; 0: off",
    )
    filter_roll: float = Field(
        0,
        ge=0,
        le=90,
        description="leave out faces that stay turned in the image by more degrees when levelled, which profiles do by "
        "up to 14; 0: off",
    )
    keep_id: Path | None = Field(
        None,
        description="keep only faces of the people in this folder of pictures (frames or extracted faces, one face "
        "each; a few different ones of each person)",
    )
    drop_id: Path | None = Field(
        None, description="leave out faces of the people in this folder of pictures (all faces in them)"
    )
    id_threshold: float = Field(
        0.45,
        ge=0.01,
        le=0.99,
        description="likeness (cosine) from which on two faces are of one person, for --keep-id and --drop-id. For the "
        "sface embedder: strangers are below 0.3, look-alikes reach 0.5, one person is above 0.6 in one film and may "
        "be lower in another. Higher for training, lower for a film of which each frame counts; the report shows how "
        "the likenesses are spread",
    )
    embedder: str = Field(
        "sface",
        description="none: no identity vectors, which saves 40 % of the time; " + plugins.described("embedders"),
    )
    mask: list[str] = Field(
        [],
        description="make masks as well, by these maskers one after the other (as step 3.2 or 4.2 does); the last "
        "one's stay in the face files. Wait with it where you will correct landmarks",
    )
    dfl_exact: bool = Field(
        False, description="cut as DeepFaceLab does: bilinear without anti-aliasing, colour at half resolution"
    )
    workers: int = Field(0, ge=0, description="frames worked on at the same time; 0: one for each core")
    overwrite: bool = Field(False, description="extract again; the present faces and database go to workspace/.trash")
    retry_empty: bool = Field(
        False,
        description="look again at frames in which no face was kept; what faces are found by may differ this time",
    )
    overlay: bool = Field(False, description="also write overlay.mp4, the frames with all that was found in them")
    batch: Path | None = Field(
        None,
        description="every film and every folder of pictures in this folder is a job of its own, in a workspace of its "
        "own: workspace/batch/NAME; for other steps set WORKSPACE to it",
    )

    @field_validator("min_face_size", "max_face_size")
    @classmethod
    def _size(cls, text: str) -> str:
        from core.faces.filters import Extent

        try:
            Extent.parse(text)
        except ValueError:
            raise ValueError("pixels such as 40, or per cent such as 5%") from None
        return text

    @field_validator("detect_size")
    @classmethod
    def _detect_size(cls, text: str) -> str:
        if text != "auto" and not (text.isdecimal() and 128 <= int(text) <= 4096 and int(text) % 32 == 0):
            raise ValueError("auto, or a multiple of 32 from 128 to 4096")
        return text

    @field_validator("for_model")
    @classmethod
    def _for_model(cls, text: str) -> str:
        from core.jobs.extract.settings import model_size

        if text:
            model_size(text)
        return text

    @model_validator(mode="after")
    def _fit_together(self) -> "Options":
        if self.deinterlace and not (self.from_video or self.source or self.batch):
            raise ValueError("--deinterlace needs --from-video; for frames on disk, give it to the frames step")
        pairs = (
            ("every", "fps", self.every > 1),
            ("image_size", "for_model", self.image_size is not None),
            ("source", "from_video", bool(self.source)),
            ("batch", "source", self.batch is not None),
            ("batch", "from_video", self.batch is not None),
        )
        if not self.faces and (self.mask or self.save_filtered):
            raise ValueError("--no-faces writes no images, so --mask and --save-filtered have nothing to do")
        for one, other, given in pairs:
            if given and getattr(self, other):
                flags = (f"--{name.replace('_', '-')}" for name in (one, other))
                raise ValueError(f"{' and '.join(flags)} exclude each other")
        return self


def run(options: Options, workspace: Workspace) -> StageReport:
    """Extract the faces of one side; what an earlier run finished is kept."""
    if options.batch:
        return _batch(options, options.batch, workspace)
    return _one(options, workspace, _maskers(options, workspace))


def _one(options: Options, workspace: Workspace, maskers: Sequence["Named"]) -> StageReport:
    from core.jobs.alignments.time.calm import Calm, make_calm
    from core.jobs.extract_faces import RunChoices, extract_faces
    from core.jobs.masks.apply import MaskStyle, apply_masks

    settings = _settings(options)
    choices = RunChoices(options.workers, options.overwrite, options.retry_empty, options.overlay)
    done = extract_faces(workspace, options.side, settings, choices)
    side = workspace.side(options.side)
    if done.faces == 0:
        raise no_faces(side, done)
    calmed = None
    if options.interpolate or options.smooth:
        calm = Calm(options.interpolate, options.smooth, files=options.faces)
        calmed = make_calm(workspace, options.side, calm, options.workers)
    masks = [(name, apply_masks(workspace, options.side, masker, MaskStyle())) for name, masker in maskers]
    return report(side, settings, done, masks, options.for_model, calmed)


def _settings(options: Options) -> "ExtractSettings":
    from core.geometry.align import FaceType
    from core.jobs.extract.settings import ExtractSettings, model_size

    face_type = FaceType.parse(options.face_type)
    # Both are the original's.
    size = options.image_size or (768 if face_type >= FaceType.HEAD else 512)
    if options.for_model:
        size = model_size(options.for_model)
    return ExtractSettings(
        face_type=face_type,
        image_size=size,
        sources=tuple(Path(path).expanduser().absolute() for path in options.source),
        no_faces=not options.faces,
        detect_size=0 if options.detect_size == "auto" else int(options.detect_size),
        **options.model_dump(exclude=_OWN),
    )


def _maskers(options: Options, workspace: Workspace) -> list["Named"]:
    """Opened before anything is extracted, so that missing weights are said at once."""
    from core.jobs.masks.apply import open_masker

    opened = ((name, open_masker(workspace, name)) for name in options.mask)
    return [(name, masker) for name, masker in opened if masker]


def _batch(options: Options, folder: Path, workspace: Workspace) -> StageReport:
    from core.jobs.extract.batch import run_batch

    maskers = _maskers(options, workspace)

    def one(place: Workspace, film: bool) -> str:
        return summary(_one(options.model_copy(update={"batch": None, "from_video": film}), place, maskers))

    return batch_report(run_batch(workspace, options.side, folder, one))
