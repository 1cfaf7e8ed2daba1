"""pictures -> faces: find, align and cut out every face, into aligned/ and faces.db"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from core import plugins
from core.errors import InputError
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Side, Workspace

if TYPE_CHECKING:
    from core.jobs.extract_faces import ExtractedFaces

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
_SHOWN = 20


class Options(SideOptions):
    """Extract the faces of one side. --debug also draws boxes, landmarks and cuts into aligned_debug/."""

    GROUPS = {
        "which faces": ("max_faces", "min_face_size", "detect_score", "rotations", "every", "from_video"),
        "the pictures of them": ("face_type", "image_size", "jpeg_quality"),
        "the run": ("overwrite", "workers"),
    }
    face_type: FaceTypeName = Field(
        "whole_face",
        description="how much around the face is cut: h half_face, mf midfull_face, f full_face, wf whole_face, head",
    )
    image_size: int | None = Field(
        None, ge=64, le=4096, description="side of a face image in pixels; by default 512, for heads 768"
    )
    jpeg_quality: int = Field(90, ge=1, le=100, description="JPEG quality of the face images")
    max_faces: int = Field(0, ge=0, description="keep at most N faces of each frame, the largest ones; 0 keeps all")
    min_face_size: int = Field(
        40, ge=1, description="leave out faces whose box is smaller than this (pixels of the frame, shorter side)"
    )
    every: int = Field(1, ge=1, description="look at every Nth frame only")
    from_video: bool = Field(False, description="read the video itself; no frames are needed on disk")
    deinterlace: bool = Field(False, description="with --from-video: make whole frames from interlaced video")
    detector: str = Field("yunet", description=plugins.described("detectors"))
    detect_score: float = Field(0.6, ge=0.05, le=1, description="leave out faces that the detector is less sure of")
    detect_size: int = Field(
        640,
        ge=128,
        le=4096,
        multiple_of=32,
        description="longer side at which a frame is searched; larger finds smaller faces, slower",
    )
    rotations: Literal["auto", "all"] = Field(
        "auto", description="auto: search turned frames only where no face is clearly upright; all: always (slower)"
    )
    landmarker: str = Field("facemesh", description=plugins.described("landmarkers"))
    embedder: str = Field(
        "sface",
        description="none: no identity vectors, which saves 40 % of the time; " + plugins.described("embedders"),
    )
    dfl_exact: bool = Field(
        False, description="cut as DeepFaceLab does: bilinear without anti-aliasing, colour at half resolution"
    )
    workers: int = Field(0, ge=0, description="frames worked on at the same time; 0: one for each core")
    overwrite: bool = Field(False, description="extract again; the present faces and database go to workspace/.trash")

    @model_validator(mode="after")
    def _of_video(self) -> "Options":
        if self.deinterlace and not self.from_video:
            raise ValueError("--deinterlace needs --from-video; for frames on disk, give it to the frames step")
        return self


def run(options: Options, workspace: Workspace) -> StageReport:
    """Extract the faces of one side; what an earlier run finished is kept."""
    from core.geometry.align import FaceType
    from core.jobs.extract_faces import ExtractSettings, extract_faces

    face_type = FaceType.parse(options.face_type)
    chosen = options.model_dump(exclude={"side", "workers", "overwrite", "face_type", "image_size"})
    # Both are the original's.
    size = options.image_size or (768 if face_type >= FaceType.HEAD else 512)
    settings = ExtractSettings(face_type=face_type, image_size=size, **chosen)
    done = extract_faces(workspace, options.side, settings, workers=options.workers, overwrite=options.overwrite)
    if done.faces == 0:
        raise _no_faces(workspace.side(options.side), done)
    return _report(workspace.side(options.side), done)


def _report(side: Side, done: "ExtractedFaces") -> StageReport:
    rows: list[tuple[str, object]] = [
        ("frames", done.frames),
        ("faces", done.faces),
        ("frames without faces", _listed(done.without_faces)),
        ("frames with several", "all" if len(done.with_several) == done.frames else _listed(done.with_several)),
    ]
    rows += [("dropped", f"{count}: {reason}") for reason, count in done.filtered.items()]
    if done.deleted:
        rows.append(("face files deleted by hand", _listed(done.deleted)))
    if done.left_out:
        rows.append(("left out, no frames", _listed([name for name, _ in done.left_out])))
    if done.corrupt:
        rows.append(("corrupt frames", _listed(tuple(done.corrupt))))
    if done.new_frames:
        rate = done.new_frames / max(done.seconds, 1e-9)
        rows.append(("speed", f"{rate:.1f} frames/s with {done.workers} workers"))
        rows.append(("computed on", ", ".join(f"{part} {device}" for part, device in done.devices.items())))
    unread = list(done.corrupt.items())[:_SHOWN]
    warnings = tuple(f"{name} could not be read and was skipped: {error}" for name, error in unread)
    warnings += tuple(f"left out: {name}: {why}" for name, why in done.left_out[:_SHOWN])
    what = "faces extracted" if done.new_frames else "faces already there, nothing to do"
    return StageReport(f"{side.frames.name}: {what}", tuple(rows), warnings, (done.aligned, done.database))


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "0"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)}: {', '.join(names[:_SHOWN])}{more}"


def _no_faces(side: Side, done: "ExtractedFaces") -> InputError:
    reasons = [f"{count} dropped: {reason}" for reason, count in done.filtered.items()]
    if done.corrupt:
        reasons.append(f"{len(done.corrupt)} frames could not be read, the first: {next(iter(done.corrupt.items()))}")
    return InputError(
        f"no faces in {done.frames} frames",
        where=side.frames,
        why="; ".join(reasons),
        hint="is it the right video? --detect-score 0.4, --min-face-size 20, --detect-size 1280 and --rotations all "
        "find more",
    )
