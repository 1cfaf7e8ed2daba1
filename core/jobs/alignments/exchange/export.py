"""The faces of a side for other programs: faceswap's alignments and face pictures, JSON, a table."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from core.errors import InputError, UsageError
from core.faceset.exchange import to_fsa
from core.faceset.exchange.names import key_of
from core.faceset.exchange.to_fsa import Written
from core.formats.faceswap import export_json, fsa
from core.formats.faceswap.spelling import NEWEST, OLDER, Profile
from core.geometry.centring import Centring
from core.jobs.alignments.exchange.opened import frame_choice, masks_in_files
from core.jobs.alignments.exchange.pictures import write_pictures
from core.jobs.alignments.exchange.table import write_table
from core.jobs.alignments.frames_again import source_again
from core.jobs.alignments.opened import OpenedFaces, opened_faces
from core.video.find import look_beside
from core.workspace import Side, Workspace, list_frames

Form = Literal["fsa", "json", "csv", "faces"]
_NAMES = {"json": "alignments_export.json", "csv": "faces.csv", "faces": "faceswap_faces"}


@dataclass(frozen=True)
class ExportSettings:
    """film: file name of the film as faceswap knows it, so that frames are named after it; empty: ask the side.

    older: as versions of faceswap from before 2026 want it. thumbs: small pictures go along. centring, size: of face
    pictures. person: faces of this one only, but in a table.
    """

    film: str = ""
    older: bool = False
    thumbs: bool = True
    centring: Centring = "head"
    size: int = 512
    person: str = ""


@dataclass(frozen=True)
class Exported:
    """What was written.

    path: a file, or the folder of face pictures. frames, faces: how many are in it. film: that the names of frames are
    made after; empty where they are names of pictures. backup: of the file that was there. left_out: what the format
    cannot hold -> how many. choice: how the frames step chose among the frames of the film, so that numbers may not be
    those of the film; empty where it took all. problems: (name, why) of frames and faces that could not be written.
    """

    path: Path
    frames: int
    faces: int
    film: str = ""
    backup: Path | None = None
    left_out: dict[str, int] = field(default_factory=dict)
    choice: str = ""
    problems: tuple[tuple[str, str], ...] = ()


def export(
    workspace: Workspace, name: str, form: Form, out: Path | None = None, settings: ExportSettings | None = None
) -> Exported:
    """Write the kept faces of a side; a table has all faces.

    out: the file, or the folder for pictures; without it in the folder of the side.

    Raises:
        InputError: there is no database, or a film is named whose frames have no numbers here.
    """
    settings = settings or ExportSettings()
    with opened_faces(workspace, name) as opened:
        side = opened.side
        if form == "csv":
            path = out or side.frames / _NAMES[form]
            frames, faces = write_table(opened.connection, path)
            return Exported(path, frames, faces)
        film = settings.film or _film(side)
        written, left_out = _document(opened, film, settings.person)
        choice = frame_choice(side) if film else ""
        path = out or _default_path(side, form, film)
        if form == "faces":
            source = source_again(opened.connection, side)
            faces, problems = write_pictures(source, written, path, settings.centring, settings.size, film)
            return Exported(path, len(written.names), faces, film, None, left_out, choice, problems)
        backup = _write(path, form, written, settings)
        return Exported(path, len(written.names), written.document.face_count(), film, backup, left_out, choice)


def _document(opened: OpenedFaces, film: str, person: str) -> tuple[Written, dict[str, int]]:
    counted: Counter[str] = Counter()
    masks = masks_in_files(opened.side, counted)
    written = to_fsa.to_fsa(opened.connection, lambda name: key_of(name, film), masks, person)
    if film and written.names and all(key_of(name, film) == name for name in written.names):
        raise InputError(
            "the frames have no numbers for names, so they cannot be named after a film",
            where=film,
            hint="leave --film away: faceswap opens the folder of frames then",
        )
    return written, {what: count for what, count in (counted + Counter(written.left_out)).items() if count}


def _film(side: Side) -> str:
    """The film that the frames are of, where they are not on the disk as pictures."""
    if list_frames(side.frames):
        return ""
    films = look_beside(side).films
    return films[0].name if len(films) == 1 else ""


def _default_path(side: Side, form: Form, film: str) -> Path:
    """Where faceswap looks for it."""
    if form in _NAMES:
        return side.frames / _NAMES[form]
    return side.workspace.root / f"{Path(film).stem}_alignments.fsa" if film else side.frames / "alignments.fsa"


def _write(path: Path, form: Form, written: Written, settings: ExportSettings) -> Path | None:
    if not path.parent.is_dir():
        raise UsageError("no such folder", where=str(path.parent))
    if form == "json":
        export_json.write(path, written.document)
        return None
    profile = OLDER if settings.older else NEWEST
    if not settings.thumbs:
        profile = Profile("none", profile.identities, profile.points_98)
    return fsa.write(path, written.document, profile)
