"""Source, target and swapped film side by side, for a look."""

import tempfile
from pathlib import Path

from core.errors import InputError
from core.jobs.merge.merge import RESULT, RESULT_REVERSE
from core.jobs.provenance import open_seal
from core.video.film.edit import side_by_side
from core.video.film.encoders import FilmSettings
from core.video.film.writer import FilmReport
from core.video.find import find_film
from core.workspace import Workspace

COMPARISON, COMPARISON_REVERSE = "compare.mp4", "compare_reverse.mp4"
_BETWEEN = FilmSettings(codec="ffv1")  # loses nothing, for it is encoded once more


def compare(workspace: Workspace, result: Path | None = None, *, reverse: bool = False) -> FilmReport:
    """Write ``compare.mp4`` into the workspace: times and sound of the target.

    result: the swapped film. reverse: of the swap the other way, ``compare_reverse.mp4``; the target is the film of the
    source side then.

    Raises:
        InputError: there is no swapped film, or one of the films of the sides is missing.
    """
    swapped = result or workspace.root / (RESULT_REVERSE if reverse else RESULT)
    if not swapped.is_file():
        command = "bash scripts/6_merge.sh --reverse" if reverse else "bash scripts/6_merge.sh"
        raise InputError("no swapped film", where=swapped, hint=f"{command} makes it")
    sides = ("dst", "src") if reverse else ("src", "dst")
    source, target = (find_film(workspace.side(name)) for name in sides)
    with tempfile.TemporaryDirectory(prefix=".compare.", dir=workspace.root) as folder:
        pair = Path(folder) / "pair.mkv"
        side_by_side(target, swapped, pair, _BETWEEN)
        target_film = workspace.root / (COMPARISON_REVERSE if reverse else COMPARISON)
        return side_by_side(pair, source, target_film, seal=open_seal(target_film).sign)
