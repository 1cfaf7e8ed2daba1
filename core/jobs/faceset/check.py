"""Looking a side's faces over; nothing is changed."""

from dataclasses import dataclass

from core.errors import PipelineError
from core.faceset import store
from core.faceset.checking import Findings, check
from core.workspace import Workspace


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
    folder = workspace.side(side_name).aligned
    findings = check(folder, pixels)
    try:
        faceset = store.open_faceset(folder)
    except PipelineError as error:
        return Checked(findings, "", error)
    try:
        return Checked(findings, faceset.fingerprint(), None)
    finally:
        faceset.close()
