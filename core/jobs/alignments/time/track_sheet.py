"""A picture of all tracks: some faces of each, with the person it was taken for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from core.faceset.database import images
from core.faceset.database.brief import BriefFace
from core.faceset.gallery import Gallery
from core.faceset.store import face_key
from core.faceset.thumbnails import contact_sheet
from core.formats.pak import PakReader
from core.fsio import write_bytes
from core.jobs.alignments.opened import OpenedFaces
from core.safe_paths import own_folder

_PER_TRACK = 7  # two tracks in a row of the sheet
_TRACKS = 45  # about as many as a sheet has room for


def write_track_sheet(opened: OpenedFaces, found: Sequence[BriefFace]) -> Path | None:
    """Write ``aligned_views/tracks.jpg``: the longest tracks, each with faces from its beginning to its end.

    found: kept faces with tracks, by frame. None where there are no crops to show.
    """
    side = opened.side
    with _gallery(opened) as gallery:
        index = {name: i for i, name in enumerate(gallery.names)}
        folder = images.ALIGNED if gallery.pak is None else images.PAK
        names = images.names_of_faces(opened.connection, folder)
        by_track: dict[int, list[BriefFace]] = {}
        for face in found:
            if names.get(face.id) in index:
                by_track.setdefault(face.track, []).append(face)
        tiles = []
        for track in _longest(by_track):
            members = by_track[track]
            chosen = np.unique(np.linspace(0, len(members) - 1, _PER_TRACK).round().astype(int))
            who = f"person {members[0].person}" if members[0].person else "nobody known"
            caption = f"{who}, track {track}, {len(members)} faces"
            tiles += [(index[names[members[i].id]], caption) for i in chosen]
        if not tiles:
            return None
        own_folder(side.aligned_views)
        path = side.aligned_views / "tracks.jpg"
        shown = ", the longest are shown" if len(by_track) > _TRACKS else ""
        write_bytes(path, contact_sheet(gallery, tiles, f"tracks: {len(by_track)}{shown}"))
        return path


def _longest(by_track: dict[int, list[BriefFace]]) -> list[int]:
    longest = sorted(by_track, key=lambda track: (-len(by_track[track]), track))[:_TRACKS]
    return sorted(longest, key=lambda track: (by_track[track][0].person, track))


@contextmanager
def _gallery(opened: OpenedFaces) -> Iterator[Gallery]:
    """The pictures in any order, without the keys of their contents, for which all of them would be read."""
    side = opened.side
    if side.pak.exists():
        with PakReader(side.pak) as reader:
            yield Gallery(side.aligned, tuple(map(face_key, reader.records)), (), reader)
    else:
        yield Gallery(side.aligned, tuple(opened.names), ())
