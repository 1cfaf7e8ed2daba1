"""Source, target and swapped film side by side, for a look."""

import tempfile
from pathlib import Path

from core.errors import InputError
from core.jobs.merge.merge import RESULT
from core.jobs.provenance import open_seal
from core.video.film.edit import side_by_side
from core.video.film.encoders import FilmSettings
from core.video.film.writer import FilmReport
from core.video.find import find_film
from core.workspace import Workspace

COMPARISON = "compare.mp4"
_BETWEEN = FilmSettings(codec="ffv1")  # loses nothing, for it is encoded once more


def compare(workspace: Workspace, result: Path | None = None) -> FilmReport:
    """Write ``compare.mp4`` into the workspace: times and sound of the target. result: the swapped film.

    Raises:
        InputError: there is no swapped film, or one of the films of the sides is missing.
    """
    swapped = result or workspace.root / RESULT
    if not swapped.is_file():
        raise InputError("no swapped film", where=swapped, hint="bash scripts/6_merge.sh makes it")
    source, target = (find_film(workspace.side(name)) for name in ("src", "dst"))
    with tempfile.TemporaryDirectory(prefix=".compare.", dir=workspace.root) as folder:
        pair = Path(folder) / "pair.mkv"
        side_by_side(target, swapped, pair, _BETWEEN)
        target_film = workspace.root / COMPARISON
        return side_by_side(pair, source, target_film, seal=open_seal(target_film).sign)
