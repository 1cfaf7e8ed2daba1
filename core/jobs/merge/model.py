"""Which model swaps the faces: always a ``.dfm``, ours or anybody's."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.geometry.align import FaceType
from core.inference.dfm import DfmModel, open_dfm
from core.inference.sessions import Settings
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
    workspace: Workspace, path: Path | None, face_type: FaceType | None, settings: Settings = _USUAL
) -> Swapper:
    """Open a model.

    path: the file; None for the newest in the workspace. face_type: what the file does not say; it has to agree with
    what it says.

    Raises:
        InputError: there is no model, it is none for live programs, or its face type is not known or another.
        CorruptFileError: it is damaged.
        EnvironmentFault: what the settings name is not there.
    """
    found = path or _newest(workspace)
    dfm = open_dfm(found, settings)
    return Swapper(found, dfm, _face_type(dfm, found, face_type))


def _newest(workspace: Workspace) -> Path:
    files = sorted(workspace.model.glob("*.dfm"), key=lambda path: path.stat().st_mtime_ns)
    if not files:
        raise InputError(
            "no exported model", where=workspace.model, hint="run exportDFM.sh, or name a file: --dfm FILE"
        )
    return files[-1]


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
