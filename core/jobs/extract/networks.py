"""The networks that an extraction runs, made by its settings."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from core import plugins
from core.errors import UsageError
from core.faces.at_angles import AtAngles, angles_of
from core.faces.contract import Detector, DetectorSettings, Embedder, Landmarker, Rotations
from core.faces.cropping import CropSettings
from core.faces.extractor import Extractor
from core.faces.filters import Extent, Limits
from core.faces.finding import Finder
from core.faces.landmarkers.facemesh import FaceMesh
from core.faces.refeed import Looks
from core.faces.wanted import Wanted, pictures, read_references, require_apart
from core.inference import user_weights
from core.jobs.extract.settings import ExtractSettings


@dataclass(frozen=True)
class People:
    """The pictures of wanted and of unwanted people.

    wanted, unwanted: how many pictures are used; 0 where none were named. unused: (name, why).
    """

    wanted: int = 0
    unwanted: int = 0
    unused: tuple[tuple[str, str], ...] = ()


def crop_settings(settings: ExtractSettings) -> CropSettings:
    return CropSettings(
        face_type=settings.face_type,
        size=settings.image_size,
        quality=settings.jpeg_quality,
        exact=settings.dfl_exact,
        debug=settings.debug,
        files=not settings.no_faces,
        filtered=settings.save_filtered,
        min_scale=settings.min_scale,
    )


def open_extractor(settings: ExtractSettings, assets: Path) -> tuple[Extractor, People]:
    """The extractor, and whom it knows.

    Raises:
        UsageError: a plugin is unknown, or people cannot be told apart without an embedder.
        InputError: weights, or pictures of people, are missing or are none.
    """
    finder = Finder(
        detector=open_detector(settings, assets),
        landmarker=_landmarker(settings, assets),
        limits=Limits(
            min_size=Extent.parse(settings.min_face_size),
            max_size=Extent.parse(settings.max_face_size),
            max_faces=settings.max_faces,
            shape=settings.shape,
        ),
        looks=Looks(settings.refeed, settings.realign, settings.filter_refeed, settings.filter_realign),
        name=settings.detector,
        spare=_spare(settings, assets),
    )
    embedder = None if settings.embedder == "none" else plugins.load("embedders", settings.embedder).create(assets)
    wanted, people = _people(settings, finder, embedder)
    return Extractor(finder, embedder, crop_settings(settings), wanted), people


def _landmarker(settings: ExtractSettings, assets: Path) -> Landmarker:
    landmarker = plugins.load("landmarkers", settings.landmarker).create(assets, settings.align_norm)
    if isinstance(landmarker, FaceMesh):
        landmarker = replace(landmarker, version=settings.mesh_points)
    return cast(Landmarker, landmarker)


def _spare(settings: ExtractSettings, assets: Path) -> Landmarker | None:
    if not user_weights.has_fan(assets):
        return None
    return cast(Landmarker, plugins.load("landmarkers", "fan2d").create(assets, settings.align_norm))


def open_detector(settings: ExtractSettings, assets: Path) -> Detector:
    """What finds the faces. Raises as ``open_extractor`` does."""
    if settings.rotations in ("auto", "all"):
        return _detector(settings, settings.detect_size, cast(Rotations, settings.rotations), assets)
    detector = open_quick_detector(settings, settings.detect_size, assets)
    return AtAngles(detector, angles_of(settings.rotations), detector.device)


def open_quick_detector(settings: ExtractSettings, size: int, assets: Path) -> Detector:
    """What finds the faces in frames as they are, not turned, searched at ``size``. Raises as ``open_extractor``."""
    return _detector(settings, size, "none", assets)


def _detector(settings: ExtractSettings, size: int, rotations: Rotations, assets: Path) -> Detector:
    looks = DetectorSettings(settings.detect_score, size, rotations, assets)
    return cast(Detector, plugins.load("detectors", settings.detector).create(looks))


def _people(settings: ExtractSettings, finder: Finder, embedder: Embedder | None) -> tuple[Wanted | None, People]:
    keep, drop = ([] if folder is None else pictures(folder) for folder in (settings.keep_id, settings.drop_id))
    if not keep and not drop:
        return None, People()
    if embedder is None:
        raise UsageError("people cannot be told apart without an embedder", where="--embedder none")
    require_apart(keep, drop)
    # A face in a picture of a person is that of the person, however small it is.
    seeing = replace(finder, limits=finder.limits._replace(min_size=Extent(0), max_size=Extent(0)))
    wanted = read_references(keep, seeing, embedder, several=False) if keep else None
    unwanted = read_references(drop, seeing, embedder, several=True) if drop else None
    both = [each for each in (wanted, unwanted) if each]
    people = People(
        wanted.used if wanted else 0,
        unwanted.used if unwanted else 0,
        tuple(item for each in both for item in each.unused),
    )
    vectors = wanted.vectors if wanted else None, unwanted.vectors if unwanted else None
    return Wanted(embedder, *vectors, settings.id_threshold), people
