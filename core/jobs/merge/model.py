"""Which model swaps the faces: always a ``.dfm``, ours or anybody's."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.geometry.align import FaceType
from core.inference.dfm import DIRECTION, REVERSE, DfmModel, exported, open_dfm
from core.inference.sessions import Settings
from core.jobs.models.export import export_model
from core.workspace import Workspace

_USUAL = Settings()


@dataclass(frozen=True)
class Swapper:
    """A model ready to swap. path: of the file. face_type: of the crops that it takes."""

    path: Path
    dfm: DfmModel
    face_type: FaceType

    @property
    def identity(self) -> str:
        """Tells this file from others without reading it."""
        status = self.path.stat()
        return f"{self.path.name} {status.st_size} {status.st_mtime_ns} {self.face_type.file_name}"


def open_swapper(
    workspace: Workspace,
    path: Path | None,
    face_type: FaceType | None,
    settings: Settings = _USUAL,
    *,
    reverse: bool = False,
) -> Swapper:
    """Open a model.

    path: the file; None for the newest in the workspace. face_type: what the file does not say; it has to agree with
    what it says. reverse: one that puts the target's face on the source; it is exported where there is none, or an
    older one than that of the usual way.

    Raises:
        InputError: there is no model, it is none for live programs, or its face type is not known or another.
        CorruptFileError: it is damaged.
        EnvironmentFault: what the settings name is not there.
    """
    found = path or (_reversed(workspace) if reverse else _newest(workspace))
    dfm = open_dfm(found, settings)
    if reverse and dfm.session.metadata.get(DIRECTION) != REVERSE:
        raise InputError(
            "this file swaps one way only",
            where=found,
            hint="leave --dfm out: the trained model is exported for the other way; or exportDFM.sh --reverse",
        )
    return Swapper(found, dfm, _face_type(dfm, found, face_type))


def _newest(workspace: Workspace) -> Path:
    files = exported(workspace.model)
    if not files:
        raise InputError(
            "no exported model", where=workspace.model, hint="run exportDFM.sh, or name a file: --dfm FILE"
        )
    return files[-1]


def _reversed(workspace: Workspace) -> Path:
    there, usual = exported(workspace.model, reverse=True), exported(workspace.model)
    if there and not (usual and usual[-1].stat().st_mtime_ns > there[-1].stat().st_mtime_ns):
        return there[-1]
    return export_model(workspace, reverse=True).path


def _face_type(dfm: DfmModel, path: Path, asked: FaceType | None) -> FaceType:
    said = dfm.session.metadata.get("face_type", "")
    if not said:
        # Files of the original program say nothing; nearly all are of whole faces.
        return asked or FaceType.WHOLE_FACE
    known = FaceType.parse(said)
    if asked is not None and asked != known:
        raise InputError(
            "the model was trained on another face type",
            where=path,
            why=f"it says {known.file_name}",
            hint="leave --face-type out",
        )
    return known
