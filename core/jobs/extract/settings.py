"""What decides the faces of a side, as a run is given it and as the database remembers it."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.faces.filters import Extent
from core.faces.mesh_points import VERSION, MeshPoints
from core.faces.shape_filters import NO_LIMITS, ShapeLimits
from core.faces.wanted import digest_of, pictures
from core.geometry.align import FaceType
from core.geometry.centring import Centring, extracted_size
from core.imaging.normalise import Normalisation

# Measured with sface (benchmarks/results/identity.json): a person is at 0.62 or more to pictures of the same film, also
# blurred, small or dark; strangers are below 0.3, and 0.3 to 0.5 are two faces that were put on one head.
DEFAULT_THRESHOLD = 0.45
# What a face is found by, not how it is cut: a frame without a face may be looked at again in another way.
FINDING = frozenset(
    {
        *("max_faces", "min_face_size", "max_face_size", "detector", "detect_score", "detect_size", "rotations"),
        *("landmarker", "align_norm", "refeed", "realign", "filter_refeed", "filter_realign"),
        *("filter", "filter_features", "filter_min_scale", "filter_max_scale", "filter_distance", "filter_roll"),
        *("keep_id", "drop_id", "id_threshold"),
    }
)
# Older databases do not name what did not exist then, so that the default is not recorded.
_FIRST = frozenset(
    {
        *("face_type", "image_size", "jpeg_quality", "max_faces", "min_face_size", "every", "from_video"),
        *("detector", "detect_score", "detect_size", "rotations", "landmarker", "embedder", "dfl_exact"),
    }
)


@dataclass(frozen=True)
class ExtractSettings:
    """What decides the files that come out; a run that goes on must agree in them.

    Fields as the options of the stage. sources: films and folders of frames; without them the side's own.
    detect_size: 0 lets a few frames decide.
    mesh_points: the version of the way from the mesh to the 68 points; older databases do not name the first one.
    """

    face_type: FaceType = FaceType.WHOLE_FACE
    image_size: int = 512
    jpeg_quality: int = 90
    max_faces: int = 0
    min_face_size: str = "40"
    max_face_size: str = "0"
    every: int = 1
    fps: float | None = None
    from_video: bool = False
    sources: tuple[Path, ...] = ()
    detector: str = "yunet"
    detect_score: float = 0.6
    detect_size: int = 640
    rotations: str = "auto"
    landmarker: str = "facemesh"
    align_norm: Normalisation = "none"
    mesh_points: MeshPoints = VERSION
    refeed: int = 0
    realign: bool = False
    filter_refeed: bool = True
    filter_realign: bool = True
    filter: bool = True
    filter_features: bool = ShapeLimits().features
    filter_min_scale: float = ShapeLimits().min_scale
    filter_max_scale: float = ShapeLimits().max_scale
    filter_distance: float = ShapeLimits().distance
    filter_roll: float = ShapeLimits().roll
    save_filtered: bool = False
    keep_id: Path | None = None
    drop_id: Path | None = None
    id_threshold: float = DEFAULT_THRESHOLD
    embedder: str = "sface"
    min_scale: float = 0
    no_faces: bool = False
    dfl_exact: bool = False
    debug: bool = False
    deinterlace: bool = False

    @property
    def shape(self) -> ShapeLimits:
        """What is asked of the points of a face."""
        if not self.filter:
            return NO_LIMITS
        return ShapeLimits(
            self.filter_features, self.filter_min_scale, self.filter_max_scale, self.filter_distance, self.filter_roll
        )

    def recorded(self, source: dict[str, Any]) -> dict[str, Any]:
        """As the database records them (JSON values), with what the frames were made from.

        Pictures of people are told by their content.
        """
        defaults = {field.name: field.default for field in fields(self)}
        given = asdict(self)
        for name in ("debug", "sources"):  # the one changes no face, the other is in the source
            del given[name]
        values = {name: value for name, value in given.items() if name in _FIRST or value != defaults[name]}
        values.pop("mesh_points", None)
        if self.landmarker == "facemesh" and self.mesh_points > 1:
            values["mesh_points"] = self.mesh_points
        for name in ("keep_id", "drop_id"):
            if name in values:
                values[name] = digest_of(pictures(values[name]))
        size = Extent.parse(self.min_face_size)
        values["min_face_size"] = f"{size.value:g}%" if size.percent else _whole(size.value)
        return values | {"face_type": self.face_type.file_name, "source": source}


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else value


def model_size(text: str) -> int:
    """The side of a face image, pixels, for a model given as ``448:face``: its size and what it cuts out of the image.

    Raises:
        ValueError: it is no size, or no centring.
    """
    number, _, centring = text.partition(":")
    if not number.isdecimal() or not 64 <= int(number) <= 2048:
        raise ValueError("a size of 64 to 2048 pixels and a centring, such as 448:face")
    theirs: dict[str, Centring] = {"face": "face", "legacy": "legacy"}
    if centring in theirs:
        return extracted_size(int(number), theirs[centring])
    try:
        FaceType.parse(centring)
    except InputError as error:
        raise ValueError(f"no centring {centring!r}: face, legacy, or a face type ({error.hint})") from None
    return int(number) + int(number) % 2
