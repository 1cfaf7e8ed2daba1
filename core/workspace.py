"""The folders and files of ``workspace/`` that stages share, by name."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from core import own_place
from core.fsio import lock, remove_leftovers
from core.own_place import PROJECT

_DIGITS = re.compile("([0-9]+)")
# What the original programs take for faces.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")
# Frames are only read: whatever the decoder knows.
FRAME_SUFFIXES = (
    *IMAGE_SUFFIXES,
    *(".jpe", ".jfif", ".jif", ".webp", ".avif", ".bmp", ".dib"),
)
_OTHER_IMAGES = (
    *(".gif", ".heic", ".heif", ".jxl", ".psd", ".exr", ".hdr", ".svg", ".tga", ".raw", ".dng", ".cr2", ".cr3"),
    *(".nef", ".arw", ".orf", ".raf", ".rw2", ".jp2", ".pgm", ".ppm", ".pbm", ".pnm"),
)
PAK_NAME = "faceset.pak"
# Of this program and of file managers.
_NO_FRAMES = frozenset({"faces.db", "masks.db", "overlay.mp4", "thumbs.db", "desktop.ini"})
# Lists of faces, ours and those of other programs.
_LISTS = (".fsa", ".csv", ".json")
_DATABASE_PARTS = ("-journal", "-wal", "-shm")


def list_images(folder: Path) -> list[Path]:
    """The images directly in ``folder``, in the order of their names; an absent folder has none."""
    return _listed(folder, IMAGE_SUFFIXES)


def image_names(folder: Path) -> set[str]:
    """The names of what ``list_images`` gives, in no order, which is far quicker with many."""
    return {name for name in names_in(folder) if not _why_not(name, IMAGE_SUFFIXES)}


class FileState(NamedTuple):
    """What tells whether a file is the one that was seen: its size and the time of its last change."""

    bytes: int
    mtime_ns: int


def image_files(folder: Path) -> dict[str, FileState]:
    """The same with their sizes and times; one that goes away meanwhile is left out."""
    found: dict[str, FileState] = {}
    if not folder.is_dir():
        return found
    with os.scandir(folder) as entries:
        for entry in entries:
            if not _is_visible_file(entry) or _why_not(entry.name, IMAGE_SUFFIXES):
                continue
            try:
                status = entry.stat()
            except FileNotFoundError:
                continue
            found[entry.name] = FileState(status.st_size, status.st_mtime_ns)
    return found


def list_frames(folder: Path) -> list[Path]:
    """The same for frames, which may have more formats than faces."""
    return _listed(folder, FRAME_SUFFIXES)


def other_faces(folder: Path) -> list[tuple[str, str]]:
    """(name, why) of the files in a folder of faces that are images or paks and are not taken for faces."""
    known = (*FRAME_SUFFIXES, *_OTHER_IMAGES, ".pak")
    names = (name for name in names_in(folder) if name.lower().endswith(known) and name != PAK_NAME)
    return _left_out(names, IMAGE_SUFFIXES)


def other_frames(folder: Path) -> list[tuple[str, str]]:
    """(name, why) of the files in a folder of frames that are not in ``list_frames`` and do not belong there."""
    return _left_out((name for name in names_in(folder) if not _belongs(name)), FRAME_SUFFIXES)


def printable(name: str) -> str:
    """A file name for people: bytes that are no UTF-8 are written out."""
    return os.fsencode(name).decode(errors="backslashreplace")


def names_in(folder: Path) -> list[str]:
    """The names of the visible files directly in ``folder``, in no order."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if _is_visible_file(entry)]


def _folders_in(folder: Path) -> list[Path]:
    """The folders directly in ``folder``, by name; of many files far quicker than a pattern."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(Path(entry.path) for entry in entries if entry.is_dir())


def _is_visible_file(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.is_file()


def _listed(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    names = [name for name in names_in(folder) if not _why_not(name, suffixes)]
    return [folder / name for name in sorted(names, key=natural_key)]


def _left_out(names: Iterable[str], suffixes: tuple[str, ...]) -> list[tuple[str, str]]:
    found = [(name, why) for name in names if (why := _why_not(name, suffixes))]
    return [(printable(name), why) for name, why in sorted(found, key=lambda pair: natural_key(pair[0]))]


def _why_not(name: str, suffixes: tuple[str, ...]) -> str:
    """Why a file is not taken; empty when it is."""
    if name.isascii() and name.endswith(suffixes):  # nearly all, and quick
        return ""
    plain = name.lower()
    if plain.endswith(".pak"):
        return f"a pak is read under the name {PAK_NAME}: rename it, or join it by --merge of steps 3.3 and 4.3"
    if not plain.endswith(suffixes):
        return "not an ending that is read here: convert it to png"
    try:
        name.encode()
    except UnicodeEncodeError:  # databases and face files hold text
        return "its name is not UTF-8: rename it"
    return ""


def _belongs(name: str) -> bool:
    plain = name.lower()
    for part in _DATABASE_PARTS:
        plain = plain.removesuffix(part)
    return plain in _NO_FRAMES or plain.endswith(_LISTS)


def natural_key(name: str) -> tuple:
    """Order in which 99999 comes before 100000 and 00001_2 before 00001_10.

    A digit comes before everything else, the end of a name too.
    """
    parts = _DIGITS.split(name + "\0")  # texts and numbers in turn, a text (perhaps empty) first
    for at in range(1, len(parts), 2):
        # The text as well: 01 and 1 are the same number, yet two names need an order.
        parts[at] = (int(parts[at]), parts[at])
    return tuple(parts)


@dataclass(frozen=True)
class Side:
    """The folders of one side: ``src`` (the face to put in) or ``dst`` (the film it goes into)."""

    workspace: "Workspace"
    name: str

    @property
    def frames(self) -> Path:
        return self.workspace.root / f"data_{self.name}"

    @property
    def aligned(self) -> Path:
        return self.frames / "aligned"

    @property
    def aligned_debug(self) -> Path:
        return self.frames / "aligned_debug"

    @property
    def aligned_trash(self) -> Path:
        return self.frames / "aligned_trash"

    @property
    def aligned_views(self) -> Path:
        """Listings and contact sheets of orders, groups and bad faces."""
        return self.frames / "aligned_views"

    @property
    def pak(self) -> Path:
        return self.aligned / PAK_NAME

    def has_faces(self) -> bool:
        """Whether there are faces, loose or packed."""
        return self.pak.exists() or bool(image_names(self.aligned))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Held by whatever changes the frames or faces of this side.

        What killed runs left half-written among the faces is deleted. Raises InputError while another run holds it.
        """
        with self.workspace.locked(self.frames.name, f"the {self.name} side"):
            for folder in (self.aligned, *_folders_in(self.aligned)):
                remove_leftovers(folder)
            yield

    @property
    def database(self) -> Path:
        return self.frames / "faces.db"

    def namesakes(self) -> list[Path]:
        """The files that are called after this side, ``data_src.*``: its film, and what else lies beside it."""
        if not self.workspace.root.is_dir():
            return []
        prefix = f"{self.frames.name}."
        return sorted(p for p in self.workspace.root.iterdir() if p.name.lower().startswith(prefix) and p.is_file())


def _home() -> Path:
    """Where ``workspace/`` and ``assets/`` lie by default. An installed package must not put faces beside its code."""
    return PROJECT if (PROJECT / "pyproject.toml").is_file() else Path.cwd()


@dataclass(frozen=True)
class Workspace:
    """One project of a person: two videos, their frames and faces, and the models.

    root: its folder.
    assets: archives that people bring: GenericXseg.zip, pretrained_model.zip, random_dst_face_set.zip.
    """

    root: Path
    assets: Path = field(default_factory=lambda: _home() / "assets")

    @classmethod
    def from_environment(cls) -> "Workspace":
        """The folders that WORKSPACE and FORGE_ASSETS name.

        Else ``workspace/`` and ``assets/`` of the checkout; of the current folder when installed.
        """
        root = Path(os.environ.get("WORKSPACE") or _home() / "workspace")
        assets = Path(os.environ.get("FORGE_ASSETS") or _home() / "assets")
        return cls(root.expanduser().resolve(), assets)

    def side(self, name: str) -> Side:
        return Side(self, name)

    @property
    def model(self) -> Path:
        return self.root / "model"

    @property
    def trash(self) -> Path:
        return self.root / ".trash"

    @property
    def logs(self) -> Path:
        return self.root / ".logs"

    @property
    def locks(self) -> Path:
        return self.root / ".locks"

    @property
    def workbench(self) -> Path:
        """What the workbench keeps: the jobs that it started and their logs."""
        return self.root / ".workbench"

    @property
    def thumbs(self) -> Path:
        """Small pictures of faces, which can be made again."""
        return self.root / ".thumbs"

    @property
    def consent(self) -> Path:
        return self.root / "consent.json"

    @contextmanager
    def locked(self, name: str, what: str) -> Iterator[None]:
        """Held by whatever changes a part of the workspace. name: of the lock; what: the part, for people.

        Raises:
            InputError: another run holds it, or no workspace can be there: it is a home, or the root of the system.
            CorruptFileError: there is a link in the place of the lock.
        """
        own_place.require_safe(self.root)
        self.root.mkdir(parents=True, exist_ok=True)
        own_place.mark(self.root)
        with lock(self.locks / f"{name}.lock", what):
            yield

    def create(self) -> "Workspace":
        """Lay out the folders; does nothing where they are."""
        self.root.mkdir(parents=True, exist_ok=True)
        own_place.mark(self.root)
        for folder in (self.side("src").aligned, self.side("dst").aligned, self.model):
            folder.mkdir(parents=True, exist_ok=True)
        return self
