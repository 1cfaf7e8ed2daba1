"""Stages that are killed just before each thing that they do to the disk, and what must then be true.

A case is a stage, its options, and a workspace made for it. After every kill all that was there before is still
somewhere in the workspace; the same command, run again, leaves what a run that nothing interrupted leaves.
"""

import contextlib
import hashlib
import multiprocessing
import os
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import facekit
import numpy as np
import onnx
from clips import make_clip, pattern
from found_faces import face_at, side_with
from mask_networks import write_xseg
from model_saves import writers
from portraits import person
from training_cases import TINY, eagerly, make_workspace

from core import fsio, stages
from core.checkpoints.model_folder import ModelFolder
from core.checkpoints.saves import MANIFEST
from core.errors import PipelineError
from core.formats import dfl_image
from core.formats.pak import PakReader
from core.imaging.codec import encode_png
from core.safe_paths import own_folder
from core.workspace import Workspace, list_frames

# What changes a disk, or makes a change last.
CALLS = ("replace", "rename", "link", "unlink", "remove", "rmdir", "mkdir", "truncate", "ftruncate", "fsync")
PATIENCE = 120.0  # seconds
FACES = 3
_WORK = (".jpg", ".png", ".pak", ".npy", ".dat", ".dfm", ".onnx", ".json")


@dataclass(frozen=True)
class Case:
    """What is killed.

    name: in reports. stage: as typed. prepare: fills an empty workspace. options: of the stage; paths in them are
    below the workspace. start: how its processes are started; one with a framework cannot be forked. renders: it makes
    crops anew, which are no work that could be lost.
    """

    name: str
    stage: str
    prepare: Callable[[Workspace], None]
    options: dict[str, Any] = field(default_factory=dict)
    start: str = "fork"
    renders: bool = False

    def run(self, workspace: Workspace) -> None:
        module = stages.load(self.stage)
        paths = {name: workspace.root / value for name, value in self.options.items() if isinstance(value, Path)}
        module.run(module.Options(**self.options | paths), workspace)

    def arguments(self, workspace: Workspace) -> list[str]:
        """The options as typed."""
        typed = []
        for name, value in self.options.items():
            if isinstance(value, list):
                typed += [f"--{name.replace('_', '-')}", *value]
                continue
            flag = f"--{name.replace('_', '-')}"
            if name in ("side", "action", "file") or (name == "folder" and self.stage == "mask-import"):
                typed.append(str(workspace.root / value if isinstance(value, Path) else value))
            elif value is True:
                typed.append(flag)
            else:
                typed += [flag, str(workspace.root / value if isinstance(value, Path) else value)]
        return typed


def faces(workspace: Workspace) -> None:
    facekit.write_faces(workspace.side("src").aligned, FACES)


def packed(workspace: Workspace) -> None:
    faces(workspace)
    Case("", "pack", faces, {"side": "src", "remove_originals": True}).run(workspace)


def masked(workspace: Workspace) -> None:
    faces(workspace)
    Case("", "mask", faces, {"side": "src", "masker": "whole"}).run(workspace)


def sorted_faces(workspace: Workspace) -> None:
    faces(workspace)
    Case("", "sort", faces, {"side": "src", "by": "yaw"}).run(workspace)


def edited(workspace: Workspace) -> None:
    """The metadata are saved; then an image editor has written a face anew, without them."""
    faces(workspace)
    Case("", "save-metadata", faces, {"side": "src"}).run(workspace)
    (workspace.side("src").aligned / "00002_0.jpg").write_bytes(facekit.jpeg(seed=9))


def exported(workspace: Workspace) -> None:
    """Labels of an editor, beside the faces that they are for."""
    masked(workspace)
    options = {"side": "src", "suggest": True, "folder": Path("labels")}
    Case("", "mask-labels", faces, options).run(workspace)


def model(workspace: Workspace) -> None:
    folder = ModelFolder(workspace.model, "swap")
    for iteration in (1, 2):
        folder.save(iteration, writers(iteration))


def kept_model(workspace: Workspace) -> None:
    model(workspace)
    Case("", "model", model, {"action": "backup", "name": "good"}).run(workspace)
    ModelFolder(workspace.model, "swap").save(3, writers(3))


def with_weights(workspace: Workspace) -> None:
    faces(workspace)
    write_xseg(workspace.model)


def everything(workspace: Workspace) -> None:
    packed(workspace)
    model(workspace)


CASES = (
    Case("sort", "sort", faces, {"side": "src", "by": "yaw"}),
    Case("sort a pak", "sort", packed, {"side": "src", "by": "yaw"}),
    Case("group", "sort", faces, {"side": "src", "group": "yaw", "bins": 2, "apply": True}),
    Case("best faces", "sort", faces, {"side": "src", "by": "final-fast", "count": 2}),
    Case("pack", "pack", faces, {"side": "src", "remove_originals": True}),
    Case("unpack", "unpack", packed, {"side": "src"}),
    Case("resize", "resize-faceset", faces, {"side": "src", "size": 128, "in_place": True}),
    Case("recover names", "recover-names", sorted_faces, {"side": "src"}),
    Case("save metadata", "save-metadata", faces, {"side": "src"}),
    Case("restore metadata", "restore-metadata", edited, {"side": "src"}),
    Case("mask", "mask", faces, {"side": "src", "masker": "whole"}),
    Case("mask a pak", "mask", packed, {"side": "src", "masker": "whole"}),
    Case("remove masks", "mask", masked, {"side": "src", "remove": True}),
    Case("export labels", "mask-labels", masked, {"side": "src", "suggest": True, "folder": Path("labels")}),
    Case("take labels", "mask-labels", exported, {"side": "src", "take": Path("labels")}),
    Case("mask report", "mask-report", masked, {"side": "src"}),
    Case("back up a model", "model", model, {"action": "backup", "name": "mine"}),
    Case("restore a model", "model", kept_model, {"action": "restore", "name": "good"}),
    Case("clear", "clear", everything),
)


def found(workspace: Workspace) -> None:
    """Faces in a database and their frames; no crops yet. The frame in the middle of a track has none."""
    frames = [f"{number:05d}.png" for number in range(1, 6)]
    places = {name: [face_at(name, 100 + 4 * number, track=1)] for number, name in enumerate(frames)}
    places[frames[0]].append(face_at(frames[0], 240, track=2))
    places[frames[2]] = []
    side_with(workspace, places)


def cut_out(workspace: Workspace) -> None:
    found(workspace)
    Case("", "alignments extract", found, {"side": "src", "workers": 1}).run(workspace)


def moved_points(workspace: Workspace) -> None:
    cut_out(workspace)
    Case("", "alignments smooth", found, {"side": "src", "strength": 1.0}).run(workspace)


def deleted(workspace: Workspace) -> None:
    cut_out(workspace)
    (workspace.side("src").aligned / "00001_1.jpg").unlink()


def dropped(workspace: Workspace) -> None:
    cut_out(workspace)
    Case("", "alignments drop", found, {"side": "src", "frame": ["00001.png"]}).run(workspace)


def with_fsa(workspace: Workspace) -> None:
    """What another program made of the same frames lies beside them."""
    found(workspace)
    out = Path("alignments.fsa")
    Case("", "alignments export", found, {"side": "src", "out": out}).run(workspace)
    workspace.side("src").database.unlink()


def with_masks(workspace: Workspace) -> None:
    cut_out(workspace)
    mask = np.full((200, 320), 255, np.uint8)
    for path in list_frames(workspace.side("src").frames):
        fsio.write_bytes(own_folder(workspace.root / "masks") / path.name, encode_png(mask))


_ON_FACES = {"side": "src"}
ALIGNMENTS = (
    Case("cut out", "alignments extract", found, {"side": "src", "workers": 1}, renders=True),
    Case("cut out again", "alignments extract", moved_points, {"side": "src", "workers": 1}, renders=True),
    Case("remove faces", "alignments remove-faces", deleted, _ON_FACES),
    Case("drop", "alignments drop", cut_out, {"side": "src", "frame": ["00001.png"]}),
    Case("restore faces", "alignments restore-faces", dropped, {"side": "src", "reason": ["hand"]}),
    Case("undo", "alignments undo", dropped, _ON_FACES),
    Case("pick a face", "alignments multi-faces", cut_out, {"side": "src", "pick": True}),
    Case("sort by position", "alignments sort", cut_out, _ON_FACES),
    Case("tracks", "alignments tracks", cut_out, _ON_FACES),
    Case("smooth", "alignments smooth", cut_out, _ON_FACES),
    Case("interpolate", "alignments interpolate", cut_out, _ON_FACES),
    Case("import", "alignments import", with_fsa, {"side": "src", "file": Path("alignments.fsa")}),
    Case("bring masks", "mask-import", with_masks, {"side": "src", "folder": Path("masks")}),
)
CASES += ALIGNMENTS


def filmed(workspace: Workspace) -> None:
    make_clip(workspace.root / "data_src.mp4", *pattern(FACES / 10))


def framed(workspace: Workspace) -> None:
    """Frames with a face on them, each a little brighter than the one before."""
    frame, _ = person(0)
    for number in range(FACES):
        fsio.write_bytes(workspace.side("src").frames / f"{number + 1:05d}.png", encode_png(cv2.add(frame, number)))


def masking(workspace: Workspace) -> None:
    write_xseg(workspace.model)


def trained(workspace: Workspace) -> None:
    shutil.copytree(_trained().model, workspace.model, dirs_exist_ok=True)
    for path in workspace.model.glob("*.dfm"):
        path.unlink()


@cache
def _trained() -> Workspace:
    from core.jobs.models import train
    from core.training.choices import Choices, RunSettings

    workspace = Workspace(make_workspace(Path(tempfile.mkdtemp(prefix="kills."))))
    with eagerly():
        train.train(workspace, model="swap", choices=Choices(recipe=TINY), settings=RunSettings(target=1, workers=0))
    return workspace


# Each of their runs takes long: for the benchmark.
SLOW_CASES = (
    Case("frames", "frames", filmed, {"side": "src"}),
    Case("faces", "faces", framed, {"side": "src", "workers": 1}),
    Case("mask with weights", "mask", with_weights, {"side": "src"}),
    Case("export a model", "export", trained, start="spawn"),
    Case("export a mask network", "export-xseg", masking, start="spawn"),
)


def killed(case: Case, workspace: Workspace, step: int) -> bool:
    """Run a case, to be killed before its call number ``step`` of those in CALLS; whether it came that far."""
    process = multiprocessing.get_context(case.start).Process(target=_die_at, args=(case, workspace, step))
    process.start()
    process.join(PATIENCE)
    if process.exitcode not in (0, -signal.SIGKILL):
        process.kill()
        raise AssertionError(f"{case.name}, step {step}: exit status {process.exitcode}")
    return process.exitcode != 0


def _die_at(case: Case, workspace: Workspace, step: int) -> None:
    left = iter(range(step))

    def dying(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **keywords: Any) -> Any:
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **keywords)

        return call

    for name in CALLS:
        setattr(os, name, dying(getattr(os, name)))
    case.run(workspace)


def outcome(case: Case, root: Path) -> dict[str, str]:
    """What a run leaves that nothing interrupts."""
    workspace = _prepared(case, root)
    case.run(workspace)
    return visible(workspace)


def look(case: Case, root: Path, step: int, wanted: dict[str, str]) -> list[str] | None:
    """Kill a case once in a new workspace, look, run it again and look once more.

    Returns what is wrong; None when it has no such step and was not killed.
    """
    workspace = _prepared(case, root)
    before = set(contents(workspace, leaving_out="aligned" if case.renders else ""))
    if not killed(case, workspace, step):
        return None
    wrong = [f"lost by the kill: {each}" for each in before.difference(contents(workspace))]
    said = ""
    try:
        case.run(workspace)
    except PipelineError as error:  # it is done already; else the comparison tells
        said = str(error)
    wrong += [f"lost by the second run: {each}" for each in before.difference(contents(workspace))]
    found = visible(workspace)
    different = [name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)]
    return wrong + [f"{name} is not that of a whole run ({said})" for name in sorted(different)]


def _prepared(case: Case, root: Path) -> Workspace:
    workspace = Workspace(root).create()
    case.prepare(workspace)
    return workspace


def contents(workspace: Workspace, leaving_out: str = "") -> Iterator[str]:
    """A digest of every piece of work in the workspace, its trash and its paks; of an image that of its pixels.

    leaving_out: name of a folder.
    """
    for path in workspace.root.rglob("*"):
        if path.name == MANIFEST or path.parent.name == leaving_out:
            continue
        if path.suffix == ".pak":
            with contextlib.suppress(PipelineError), PakReader(path) as reader:
                yield from (digest(reader.read(index)) for index in range(len(reader)))
        elif path.suffix in _WORK and path.is_file():
            yield digest(path.read_bytes())


def digest(data: bytes) -> str:
    try:
        return dfl_image.image_digest(data)
    except PipelineError:
        return hashlib.sha256(data).hexdigest()


def visible(workspace: Workspace) -> dict[str, str]:
    """Name -> digest of the files that a person sees; without the databases, scores and records of the program."""
    found = {}
    for path in workspace.root.rglob("*"):
        name = path.relative_to(workspace.root)
        hidden = any(part.startswith(".") or part.endswith(("_history", "_scores")) for part in name.parts)
        if path.suffix in _WORK and path.is_file() and not hidden:
            found[name.as_posix()] = hashlib.sha256(_without_time(path)).hexdigest()
        if path.name == "faces.db" and not hidden:
            found[name.as_posix()] = hashlib.sha256(repr(_rows(path)).encode()).hexdigest()
    return found


def _rows(database: Path) -> list[Any]:
    """All that a database says of frames, faces, pictures and masks, in an order of its own.

    Without times, numbers of rows, and what was last seen of files, which the next look brings up to date.
    """
    queries = (
        "SELECT name, number, status, error, time, width, height, look, extra FROM frames",
        """SELECT face, (SELECT name FROM frames WHERE frames.frame = faces.frame), "left", top, landmarks, origin,
           status, reason, person, track, geometry, extra FROM faces""",
        "SELECT face, folder, name, extracted_name, face_type, size, geometry FROM images",
        "SELECT face, kind, masker, checksum, geometry, pending FROM masks",
        "SELECT face, kind, png, matrix, geometry FROM frame_masks",
        "SELECT face, embedder, geometry, vector FROM vectors",
        "SELECT face, name, geometry, value FROM scores",
        "SELECT tool, undone FROM changes",
        "SELECT face, other, landmarks FROM edits",
    )
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return [sorted(connection.execute(query).fetchall(), key=repr) for query in queries]


def _without_time(path: Path) -> bytes:
    """The bytes of a file; of a network without the metadata, which say when it was written."""
    if path.suffix not in (".onnx", ".dfm"):
        return path.read_bytes()
    network = onnx.load(path)
    network.ClearField("metadata_props")
    return network.SerializeToString(deterministic=True)
