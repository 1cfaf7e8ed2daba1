"""who is in the film, and giving somebody a name"""

from pydantic import Field

from core.errors import UsageError
from core.options import SideOptions
from core.stages.alignments.time.tracks import person_rows
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    person: str = Field("", description="whom to name: the number or name so far")
    name: str = Field("", description="with --person: the new name; that of somebody else joins the two")


def run(options: Options, workspace: Workspace) -> StageReport:
    """List the persons; with --person and --name, name one first."""
    from core.jobs.alignments.time.persons import name_person, people

    if bool(options.person) != bool(options.name):
        raise UsageError("--person and --name go together", hint="--person 1 --name Ann")
    if not options.person:
        found = people(workspace, options.side)
        return StageReport(f"data_{options.side}: persons", tuple(person_rows(found.persons)))
    found = name_person(workspace, options.side, options.person, options.name)
    rows = [("faces named", found.changed), *person_rows(found.persons)]
    return StageReport(f"data_{options.side}: {options.person} is {options.name}", tuple(rows))
