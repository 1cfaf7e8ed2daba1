""".dfm -> live pictures: the model's face in a camera or a film, at once, shown by a page of this computer"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from core.options import Options as CommonOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.live.controls import Controls
    from core.live.play import Played


class Options(CommonOptions):
    """Play a model."""

    GROUPS = {
        "what": ("dfm", "source", "record", "camera_out", "runtime"),
        "how the face is put in": ("mask", "color", "opacity", "morph", "badge"),
    }
    dfm: Path | None = Field(None, description="the model; by default the newest .dfm of the model folder")
    face_type: Literal["h", "mf", "f", "wf", "head"] | None = Field(
        None, description="of a model that does not say it (whole face where nothing is said)"
    )
    source: str = Field(
        "browser",
        description="browser: the camera of the computer that shows the page; /dev/video0: a camera of this one; "
        "rtsp://...: a camera in the network (also http, rtmp, udp, srt); else a film, which is played again and again",
    )
    runtime: Literal["auto", "cpu", "cuda", "openvino", "tensorrt"] = Field(
        "auto",
        description="what the model computes on; auto: an NVIDIA GPU where there is one, else OpenVINO where it is "
        "installed (requirements-live.txt), else the processor in onnxruntime",
    )
    port: int = Field(8600, ge=0, le=65535, description="of the page, on 127.0.0.1 only; 0 takes any that is free")
    record: Path | None = Field(None, description="also write what is shown into this film, which is labelled")
    camera_out: bool = Field(
        False, description="also show it as a camera that other programs can use (requirements-live.txt)"
    )
    seconds: float = Field(0, ge=0, description="end after so many seconds; 0: only Ctrl-C ends it")
    badge: bool = Field(
        True,
        description="say in the picture that it is synthetic; off needs workspace/consent.json and is written down",
    )
    mode: str = Field("overlay", description="as of the merge step; can be changed in the page, like all below")
    mask: str = Field("learned_prd * learned_dst", description="where the face is, as of the merge step")
    color: str = Field("rct", description="how the face takes over the colours around it, as of the merge step")
    opacity: float = Field(1, ge=0, le=1, description="how much the face covers")
    morph: float = Field(1, ge=0, le=1, description="AMP models: how much of the source is in the face")
    erode: float = Field(0, ge=-128, le=128, description="how far the edge moves inward, pixels of a face of 256")
    faces: int = Field(1, ge=1, le=8, description="how many faces are swapped, the largest")
    detect_every: int = Field(6, ge=1, le=100, description="look for faces in every so manieth frame")
    detect_size: int = Field(
        320, ge=128, le=1920, description="pixels of the longer side when looking; more finds smaller faces, slower"
    )
    smooth: bool = Field(True, description="take the trembling out of the landmarks")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Play until Ctrl-C."""
    from core.geometry.align import FaceType
    from core.live.play import LiveChoices, play

    played = play(
        workspace,
        LiveChoices(
            dfm=options.dfm,
            face_type=FaceType.parse(options.face_type) if options.face_type else None,
            source=options.source,
            controls=_controls(options),
            runtime=options.runtime,
            port=options.port,
            every=options.detect_every,
            faces=options.faces,
            smooth=options.smooth,
            detect_size=options.detect_size,
            record=options.record,
            camera_out=options.camera_out,
            seconds=options.seconds,
        ),
    )
    return _report(played)


def _controls(options: Options) -> "Controls":
    from core.live.controls import Controls
    from core.merge.settings import MergeSettings

    settings = MergeSettings(
        mode=options.mode, mask=options.mask, color=options.color, opacity=options.opacity, erode=options.erode
    )
    return Controls(settings, morph=options.morph, badge=options.badge)


def _report(played: "Played") -> StageReport:
    status = played.status
    rows: list[tuple[str, object]] = [
        ("model", f"{played.model.name} on {played.device}"),
        ("frames", f"{status['frames']}, {status['with_faces']} with a swapped face"),
        ("frames/s", f"{status['fps']} at the end"),
        ("capture to output", f"{status['latency_ms']} ms, 95 % within {status['latency_p95_ms']} ms"),
        ("dropped", f"{status['dropped']} that came before the last was done"),
    ]
    warnings = []
    if played.unrecorded:
        warnings.append(f"{played.unrecorded} pictures are not in the recording: its encoder was too slow")
    outputs = (played.recorded.path,) if played.recorded else ()
    return StageReport("live: ended", tuple(rows), tuple(warnings), outputs)
