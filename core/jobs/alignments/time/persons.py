"""Who is in the film, and giving somebody a name."""

from dataclasses import dataclass

from core.errors import InputError, UsageError
from core.faceset.database.brief import in_brief
from core.faceset.database.changes import changing
from core.faceset.database.connection import open_database, path_of
from core.faceset.tracks.film_faces import in_tracks
from core.faceset.tracks.persons import is_number
from core.faceset.tracks.timeline import read_timeline
from core.jobs.alignments.opened import opened_faces
from core.jobs.alignments.time.tracks import Person, persons_of
from core.workspace import Workspace


@dataclass(frozen=True)
class People:
    """persons: the one with most faces first. changed: faces that got another name."""

    persons: tuple[Person, ...]
    changed: int = 0


def people(workspace: Workspace, name: str) -> People:
    """Who is in the film of a side."""
    with open_database(workspace.side(name).database) as connection:
        return People(persons_of(in_tracks(connection, read_timeline(connection))))


def name_person(workspace: Workspace, name: str, person: str, new_name: str) -> People:
    """Give all faces of a person another name, that of somebody else joins the two.

    Raises:
        InputError: nobody is called ``person``.
        UsageError: the new name is a number, which every run of ``find_tracks`` gives anew.
    """
    if is_number(new_name):
        raise UsageError("a number is no name to keep", where=new_name, hint="numbers are given anew by every `tracks`")
    with opened_faces(workspace, name) as opened:
        connection = opened.connection
        found = list(in_brief(connection, "", person=person))
        if not found:
            hint = f"bash scripts/alignments.sh persons {name} lists who is there; tracks finds people"
            raise InputError("nobody of that name", where=person, why=f"in {path_of(connection)}", hint=hint)
        with changing(connection, f"persons --person {person} --name {new_name}", expected=len(found)) as change:
            for face in found:
                change.set(face, person=new_name)
    return People(people(workspace, name).persons, len(found))
