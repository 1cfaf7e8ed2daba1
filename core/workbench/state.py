"""Where the project stands: the steps of the pipeline with what is there, and what each of them still needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from core.faceset.database.connection import is_old, open_database
from core.inference.dfm import exported
from core.jobs import archive, doctor
from core.jobs.doctor import NextStep, SideContents
from core.workspace import Side, Workspace

_NAMES = {"src": "source", "dst": "target"}


@dataclass(frozen=True)
class Step:
    """A step of the pipeline.

    key: names it. number: as scripts and README count. title: for people. stage: that does it; values: what its form
    begins with. there: what it has made, in words. done: whether it has made anything. lacks: what has to be there
    before; empty where it can be done now. note: what a person should know first.
    """

    key: str
    number: str
    title: str
    stage: str
    values: dict[str, Any] = field(default_factory=dict)
    there: str = ""
    done: bool = False
    lacks: str = ""
    note: str = ""


def state(workspace: Workspace) -> dict[str, Any]:
    """Steps, and the key of the one to do next (JSON values). The folders are counted for it."""
    sides = {name: _contents(workspace.side(name)) for name in _NAMES}
    models = exported(workspace.model)
    saved = sorted(path.name.removesuffix("_data.dat") for path in workspace.model.glob("*_data.dat"))
    saved = [name for name in saved if name != "XSeg"]  # it makes masks, and no faces
    results = [path for path in (workspace.root / "result.mp4", workspace.root / "result.mkv") if path.is_file()]
    steps = [
        *(_frames(sides[name], _newcomer(workspace.side(name))) for name in _NAMES),
        *(_faces(sides[name]) for name in _NAMES),
        *(_masks(workspace.side(name), sides[name]) for name in _NAMES),
        _training(sides, saved),
        _export(saved, models),
        _merge(sides["dst"], models, results),
    ]
    return {
        "workspace": workspace.root.name,
        "steps": [vars(step) for step in steps],
        "next": _next(workspace, steps, results),
        "sides": {name: _side(workspace.side(name), found) for name, found in sides.items()},
        "models": saved,
        "exported": [path.name for path in models],
        "archives": {name: [_earlier(one) for one in archive.archives(workspace.side(name))] for name in _NAMES},
    }


_known: dict[str, tuple[object, Any]] = {}
T = TypeVar("T")


def _unless_known(name: str, folders: Sequence[Path], look: Callable[[], T]) -> T:
    """What ``look`` gives; it looks again only when one of the folders has changed, for counting many files takes long.

    name: of what is looked for, with its place.
    """
    now = [path.stat().st_mtime_ns if path.exists() else 0 for path in folders]
    known = _known.get(name)
    if known is None or known[0] != now:
        known = _known[name] = (now, look())
    return known[1]


def _folders(side: Side) -> list[Path]:
    return [side.workspace.root, side.frames, side.aligned]


def _contents(side: Side) -> SideContents:
    return _unless_known(str(side.frames), _folders(side), lambda: doctor.contents(side))


def _newcomer(side: Side) -> str:
    """Name of the film that is another one than the frames come from; empty where there is none."""
    # A film that was written anew in its place changes no folder.
    folders = [*_folders(side), *side.namesakes()]
    film = _unless_known(f"newcomer of {side.frames}", folders, lambda: archive.newcomer(side))
    return film.name if film else ""


def _earlier(one: archive.Archived) -> dict[str, Any]:
    faces = "packed faces" if one.packed and not one.faces else f"{one.faces:,} faces"
    return {"name": one.name, "video": one.video, "said": f"{one.frames:,} frames, {faces}"}


def _next_step(workspace: Workspace) -> NextStep:
    folders = [*_folders(workspace.side("src")), *_folders(workspace.side("dst")), workspace.model, workspace.assets]
    return _unless_known(f"next of {workspace.root}", folders, lambda: doctor.next_step(workspace))


def _has_faces(found: SideContents) -> bool:
    return found.loose_faces > 0 or found.pak is not None


def _side(side: Side, found: SideContents) -> dict[str, Any]:
    return {
        "videos": found.videos,
        "frames": found.frames,
        "faces": found.loose_faces,
        "packed": found.pak,
        "unusable": found.no_frames,
        "database": side.database.is_file() and not is_old(side.database),
    }


def _frames(found: SideContents, newcomer: str) -> Step:
    number = {"src": "1", "dst": "2"}[found.name]
    lacks = "" if found.videos else f"a film: put it beside the folders as data_{found.name}.mp4 (or mkv, mov ...)"
    there = f"{found.frames:,} frames" if found.frames else ", ".join(found.videos)
    title = f"{_NAMES[found.name].capitalize()} frames"
    values: dict[str, Any] = {"side": found.name}
    note = ""
    if newcomer:
        values |= {"archive": True}
        note = f"{newcomer} is another film than these come from: they are put away first, with their faces"
    return Step(f"frames-{found.name}", number, title, "frames", values, there, found.frames > 0, lacks, note)


def _faces(found: SideContents) -> Step:
    number = {"src": "3", "dst": "4"}[found.name]
    lacks = "" if found.frames or found.videos else "frames, or a film"
    packed = "packed" if found.pak is not None else ""
    there = f"{found.loose_faces:,} faces" if found.loose_faces else packed
    title = f"{_NAMES[found.name].capitalize()} faces"
    done = _has_faces(found)
    return Step(f"faces-{found.name}", number, title, "faces", {"side": found.name}, there, done, lacks)


def _masks(side: Side, found: SideContents) -> Step:
    number = {"src": "3.2", "dst": "4.2"}[found.name]
    lacks = "" if _has_faces(found) else "faces"
    title = f"{_NAMES[found.name].capitalize()} masks"
    count = _count_masks(side)
    there = f"{count:,} masks" if count else ""
    return Step(f"masks-{found.name}", number, title, "mask", {"side": found.name}, there, count > 0, lacks)


def _count_masks(side: Side) -> int:
    """Of those that this program has made."""
    if not side.database.is_file() or is_old(side.database):
        return 0
    with open_database(side.database) as connection:
        return connection.execute("SELECT COUNT(*) FROM masks WHERE pending IS NULL").fetchone()[0]


def _training(sides: dict[str, SideContents], saved: list[str]) -> Step:
    empty = [_NAMES[name] for name, found in sides.items() if not _has_faces(found)]
    lacks = f"{' and '.join(empty)} faces" if empty else ""
    return Step("train", "5", "Training", "train", {}, ", ".join(saved), bool(saved), lacks)


def _export(saved: list[str], models: list[Path]) -> Step:
    lacks = "" if saved else "a trained model"
    there = models[-1].name if models else ""
    return Step("export", "", "Export", "export", {}, there, bool(models), lacks)


def _merge(dst: SideContents, models: list[Path], results: list[Path]) -> Step:
    missing = [] if models else ["an exported model"]
    missing += [] if dst.frames or dst.videos else ["target frames"]
    there = ", ".join(path.name for path in results)
    return Step("merge", "6", "Merge", "merge", {"side": "dst"}, there, bool(results), " and ".join(missing))


def _next(workspace: Workspace, steps: list[Step], results: list[Path]) -> dict[str, str]:
    """key: of the step to do now, empty where a person has to bring or to look at a film; said: why, in words."""
    for step in steps:
        if step.note:
            name = _NAMES[step.values["side"]]
            return {"key": step.key, "said": f"There is another {name} film: take it apart. The earlier one is kept."}
    found = _next_step(workspace)
    side = _NAMES.get(found.side, "")
    words: dict[str, Callable[[], tuple[str, str]]] = {
        "bring a video": lambda: ("", f"Bring the {side} film: copy it into the workspace as {_name(found.path)}."),
        "extract frames": lambda: (f"frames-{found.side}", f"Take the {side} film apart into frames."),
        "extract faces": lambda: (f"faces-{found.side}", f"Find the faces in the {side} frames."),
        "train": lambda: ("train", "Both sides have faces: look through them, then train."),
        "use the model": lambda: _use(_name(found.path), results),
    }
    key, said = words[found.action]()
    return {"key": key, "said": said}


def _use(model: str, results: list[Path]) -> tuple[str, str]:
    if results:
        return "", f"{results[0].name} is made: look at it under Merge. More training makes the face likelier."
    return "merge", f"{model} is ready: put the face into the film."


def _name(path: Path | None) -> str:
    return path.name if path else ""
