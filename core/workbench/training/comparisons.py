"""Saves that can be compared, and what comparing two of them has found: files that the quality stage writes."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.errors import InputError, PipelineError
from core.jobs.models.saves import list_saves
from core.quality.metrics import BY_KEY
from core.safe_files import read_object, read_text
from core.workbench.answers import Missing
from core.workspace import Workspace

_ENDING = "_quality.json"
_LARGEST = 64_000_000  # bytes of a page with its pictures
_WORDS = ("better", "worse", "the same")


def saves(workspace: Workspace) -> list[dict[str, Any]]:
    """What ``--compare`` takes: the models, newest save of each first, then its older saves and backups.

    name: as it is typed. model, iteration, written: seconds since 1970.
    """
    try:
        models = list_saves(workspace)
    except InputError:
        return []
    found = []
    for model in models:
        newest, *older = model.backups or (None,)
        if newest is not None:
            found.append(_save(model.prefix, model.model, newest.iteration, newest.written))
        found += [_save(model.prefix, f"{model.model}:{one.name}", one.iteration, one.written) for one in older]
    return found


def _save(model: str, name: str, iteration: int, written: float) -> dict[str, Any]:
    return {"model": model, "name": name, "iteration": iteration, "written": written}


def comparisons(model: Path) -> list[dict[str, Any]]:
    """What was compared, the newest first; a file that is damaged is left out. model: the folder of the models.

    id: for ``page_of``. before, after: their names. changes: figures, in words.
    """
    found = []
    for path in _files(model):
        try:
            said = read_object(path, "damaged comparison")
            before, after = (str(said[side]["model"])[:200] for side in ("before", "after"))
            changes = [_change(key, change) for key, change in said["changes"].items() if key in BY_KEY]
            held_out, count = bool(said["held_out"]), len(said["faces"]["dst"])
        except (PipelineError, OSError, KeyError, TypeError, ValueError, AttributeError):
            continue
        found.append(
            {
                "id": _id(path),
                "before": before,
                "after": after,
                "changes": changes,
                "held_out": held_out,
                "faces": count,
                "written": path.stat().st_mtime,
            }
        )
    return sorted(found, key=lambda one: -one["written"])


def page_of(model: Path, identity: str) -> str:
    """The HTML file of a comparison. Raises Missing where there is none."""
    for path in _files(model):
        page = path.with_suffix(".html")
        if _id(path) == identity and page.is_file():
            return read_text(page, _LARGEST)
    raise Missing("there is no such comparison", where=identity[:40])


def _files(model: Path) -> Iterator[Path]:
    return model.glob(f"*{_ENDING}")


def _id(path: Path) -> str:
    return hashlib.sha256(path.name.encode(errors="surrogateescape")).hexdigest()[:16]


def _change(key: str, said: Mapping[str, Any]) -> dict[str, Any]:
    metric, verdict = BY_KEY[key], said["verdict"]
    before, after = float(said["before"]), float(said["after"])
    if verdict not in _WORDS or not (math.isfinite(before) and math.isfinite(after)):
        raise ValueError("no change")
    return {
        "title": metric.title,
        "group": metric.group,
        "before": metric.text(before),
        "after": metric.text(after),
        "better": int(said["better"]),
        "worse": int(said["worse"]),
        "verdict": verdict,
    }
