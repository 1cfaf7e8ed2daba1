"""link the faces of each head through the film, and tell persons apart"""

from typing import TYPE_CHECKING

from pydantic import Field

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.jobs.alignments.time.tracks import FoundTracks, Person

_SHOWN = 20


class Options(SideOptions):
    max_gap: int = Field(
        10, ge=0, le=1000, description="a face that was not found in so many frames is still one track"
    )
    min_length: int = Field(5, ge=1, le=10_000, description="tracks of fewer faces are short")
    drop_short: bool = Field(
        False, description="filter the faces of short tracks, unless the detector was sure of one of them"
    )
    sure: float = Field(0.8, ge=0, le=1, description="with --drop-short: confidence of the detector that saves a track")
    person_threshold: float = Field(
        0.3, ge=-1, le=1, description="how alike (mean cosine similarity) tracks of one person are; less joins more"
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    """Give every face a track and a person; a second run with other options starts anew, given names stay."""
    from core.jobs.alignments.time.tracks import TrackSettings, find_tracks

    settings = TrackSettings(
        options.max_gap, options.min_length, options.drop_short, options.sure, options.person_threshold
    )
    found = find_tracks(workspace, options.side, settings)
    rows: list[tuple[str, object]] = [("faces", found.faces), ("tracks", found.tracks)]
    if found.films > 1:
        rows.append(("films", found.films))
    if found.cuts is not None:
        rows.append(("cuts", found.cuts))
    rows.append(("faces changed", found.changed))
    rows += _short_rows(found, options)
    rows += person_rows(found.persons)
    warnings = _warnings(found)
    outputs = (found.sheet,) if found.sheet else ()
    return StageReport(f"data_{options.side}: tracks", tuple(rows), warnings, outputs)


def _short_rows(found: "FoundTracks", options: Options) -> list[tuple[str, object]]:
    if not found.short:
        return []
    what = "filtered" if found.dropped else "--drop-short filters them"
    return [("in short tracks, unsure", f"{found.short} faces ({what}; fewer than {options.min_length} in a row)")]


def _warnings(found: "FoundTracks") -> tuple[str, ...]:
    warnings = []
    if found.cuts is None:
        warnings.append(
            "this database was made without pictures of the frames: "
            "cuts are known only by faces that jump or are somebody else"
        )
    if found.without_identity:
        warnings.append(f"{found.without_identity} faces have no identity and were linked by where they are alone")
    return tuple(warnings)


def person_rows(persons: "Sequence[Person]") -> list[tuple[str, object]]:
    """A line for each person; the many who are hardly seen are only counted."""
    rows: list[tuple[str, object]] = []
    for person in persons[:_SHOWN]:
        label = f"person {person.name}" if person.name else "nobody known"
        tracks = f"{person.tracks} track{'s' if person.tracks != 1 else ''}"
        rows.append((label, f"{person.faces} faces in {tracks}, {person.first} to {person.last}"))
    if len(persons) > _SHOWN:
        rest = persons[_SHOWN:]
        rows.append(("other persons", f"{len(rest)}, with {sum(person.faces for person in rest)} faces"))
    return rows
