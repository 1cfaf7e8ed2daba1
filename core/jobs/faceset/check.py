"""Looking a side's faces over; nothing is changed."""

from dataclasses import dataclass

from core.errors import PipelineError
from core.faceset import store
from core.faceset.checking import Findings, check
from core.faceset.database import images
from core.faceset.database.connection import open_database
from core.workspace import Side, Workspace


@dataclass(frozen=True)
class Checked:
    """What was found.

    findings: counts, and names of the files that something is wrong with.
    fingerprint: hexadecimal, changes when the faces do; "" for a folder that training would refuse.
    refusal: why training would refuse it, or None.
    """

    findings: Findings
    fingerprint: str
    refusal: PipelineError | None


def check_faceset(workspace: Workspace, side_name: str, *, pixels: bool = False) -> Checked:
    """Look at every face of a side, loose or packed. pixels: decode the images too, which finds damaged ones.

    Raises:
        InputError: there are no faces.
    """
    side = workspace.side(side_name)
    folder = side.aligned
    findings = check(folder, pixels, _digests(side) if pixels else None)
    try:
        faceset = store.open_faceset(folder)
    except PipelineError as error:
        return Checked(findings, "", error)
    try:
        return Checked(findings, faceset.fingerprint(), None)
    finally:
        faceset.close()


def _digests(side: Side) -> dict[str, tuple[str, int]]:
    """Face -> (digest of its image data when it was extracted, its side in pixels)."""
    if not side.database.is_file():
        return {}
    with open_database(side.database) as connection:
        rows = [row for found in images.images_by_folder(connection).values() for row in found]
        return {row.face: (row.image_digest, row.size) for row in rows}
