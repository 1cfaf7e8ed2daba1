"""What extraction does on wish when all faces are found: tracks, gaps filled, landmarks smoothed, crops made anew."""

from dataclasses import dataclass

from core.jobs.alignments.crop_plan import Again
from core.jobs.alignments.extract import extract_again
from core.jobs.alignments.time.interpolate import fill_gaps
from core.jobs.alignments.time.smooth import Smoothed, smooth
from core.jobs.alignments.time.tracks import TrackSettings, find_tracks
from core.workspace import Workspace


@dataclass(frozen=True)
class Calm:
    """How far a side is made calm.

    max_gap: frames of a track without a face that get one; 0 for none. strength: of smoothing, 0..1; 0 for none. files:
    crops are made again where they are out of date.
    """

    max_gap: int = 0
    strength: float = 0.0
    files: bool = True


@dataclass(frozen=True)
class Calmed:
    """tracks: of the side. added: faces in gaps. smoothed: what smoothing did, or None. made: crops."""

    tracks: int
    added: int
    smoothed: Smoothed | None
    made: int


def make_calm(workspace: Workspace, name: str, calm: Calm, workers: int = 0) -> Calmed:
    """Link the faces of a side to tracks, then do what ``calm`` says. The same again changes nothing.

    Raises what the single jobs raise.
    """
    tracks = find_tracks(workspace, name, TrackSettings()).tracks
    added = fill_gaps(workspace, name, calm.max_gap).faces if calm.max_gap else 0
    smoothed = smooth(workspace, name, calm.strength) if calm.strength else None
    made = extract_again(workspace, name, Again(), workers=workers).made if calm.files else 0
    return Calmed(tracks, added, smoothed, made)
