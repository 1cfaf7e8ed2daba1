"""The folders and files of ``workspace/`` that stages share, by name."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from core import own_place
from core.errors import InputError
from core.fsio import lock, remove_leftovers
from core.own_place import PROJECT

_DIGITS = re.compile("([0-9]+)")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")
# Names beside data_src that are never a video.
_NOT_VIDEO = {".part", ".txt", ".json", ".tmp", ".db", ".srt", ".wav", ".mp3"}


def list_images(folder: Path) -> list[Path]:
    """The images directly in ``folder``, in the order of their names; an absent folder has none."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        names = [
            e.name
            for e in entries
            if e.name.lower().endswith(IMAGE_SUFFIXES) and not e.name.startswith(".") and e.is_file()
        ]
    return [folder / name for name in sorted(names, key=natural_key)]


def natural_key(name: str) -> tuple:
    """Order in which 99999 comes before 100000 and 00001_2 before 00001_10.

    A digit comes before everything else, the end of a name too.
    """
    parts = _DIGITS.split(name + "\0")  # texts and numbers in turn, a text (perhaps empty) first
    for at in range(1, len(parts), 2):
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
        return self.aligned / "faceset.pak"

    def has_faces(self) -> bool:
        """Whether there are faces, loose or packed."""
        return self.pak.exists() or bool(list_images(self.aligned))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Held by whatever changes the frames or faces of this side.

        What killed runs left half-written among the faces is deleted. Raises InputError while another run holds it.
        """
        with self.workspace.locked(self.frames.name, f"the {self.name} side"):
            for folder in (self.aligned, *self.aligned.glob("*/")):
                remove_leftovers(folder)
            yield

    @property
    def database(self) -> Path:
        return self.frames / "faces.db"

    def videos(self) -> list[Path]:
        """The candidates ``data_src.*``: regular files whose stem is the side's name, whatever the container."""
        if not self.workspace.root.is_dir():
            return []
        stem = self.frames.name
        return sorted(
            p
            for p in self.workspace.root.iterdir()
            if p.is_file() and p.stem.lower() == stem and p.suffix and p.suffix.lower() not in _NOT_VIDEO
        )

    def video(self) -> Path:
        """The one video of this side. Raises InputError when there is none, or more than one."""
        found = self.videos()
        if len(found) == 1:
            return found[0]
        pattern = self.workspace.root / f"{self.frames.name}.*"
        if not found:
            example = self.frames.with_suffix(".mp4")
            raise InputError(
                "no video", where=pattern, hint=f"copy your {self.name} video to {example} (any container will do)"
            )
        names = ", ".join(p.name for p in found)
        raise InputError(
            "more than one video",
            where=pattern,
            why=f"found {names}",
            hint="keep one of them there and move the others away",
        )


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
    def locks(self) -> Path:
        return self.root / ".locks"

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
