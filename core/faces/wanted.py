"""Whose faces are kept: those of wanted people, without those of unwanted ones, by pictures of them."""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, InputError
from core.faces.contract import Embedder
from core.faces.finding import Finder
from core.formats import dfl_image
from core.imaging.codec import decode_frame, decode_image
from core.workspace import list_frames

log = logging.getLogger(__name__)
NOT_WANTED = "not a wanted person"
UNWANTED = "an unwanted person"
LIKENESS_WANTED, LIKENESS_UNWANTED = "likeness_wanted", "likeness_unwanted"
Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Wanted:
    """Who is told from whom.

    embedder: makes the vectors.
    keep, drop: unit vectors (n, d) of wanted and of unwanted people; None where nobody was named.
    threshold: the cosine from which on two faces are of one person.
    """

    embedder: Embedder
    keep: Vectors | None
    drop: Vectors | None
    threshold: float

    def judge(self, vector: Vectors) -> tuple[str, dict[str, float]]:
        """(why a face with this unit vector is not kept, or empty; how like the nearest picture of each list it is).

        A face that is like a wanted and an unwanted person is of the one that it is more like.
        """
        likeness = {}
        if self.keep is not None:
            likeness[LIKENESS_WANTED] = float((self.keep @ vector).max())
        if self.drop is not None:
            likeness[LIKENESS_UNWANTED] = float((self.drop @ vector).max())
        wanted = likeness.get(LIKENESS_WANTED, self.threshold)
        unwanted = likeness.get(LIKENESS_UNWANTED, -1.0)
        if wanted < self.threshold:
            return NOT_WANTED, likeness
        nearer = self.keep is None or unwanted >= wanted
        return (UNWANTED if unwanted >= self.threshold and nearer else ""), likeness


@dataclass(frozen=True, eq=False)
class References:
    """The pictures of a list.

    vectors: (n, d), of the faces in them that are used.
    used: how many pictures. unused: (name, why) of the others.
    """

    vectors: Vectors
    used: int
    unused: tuple[tuple[str, str], ...]


def pictures(folder: Path) -> list[Path]:
    """The pictures of a list: a file, or those in a folder and in the folders in it.

    Raises:
        InputError: there are none.
    """
    found = [folder] if folder.is_file() else list_frames(folder)
    if folder.is_dir():
        below = sorted(path for path in folder.rglob("*") if path.is_dir())
        found += [path for each in below for path in list_frames(each)]
    if not found:
        raise InputError("no pictures of people", where=folder, hint="put frames or extracted faces of them there")
    return found


def require_apart(keep: Iterable[Path], drop: Iterable[Path]) -> None:
    """Raises InputError where a picture is in both lists."""
    wanted = {digest_of([path]): path for path in keep}
    both = [f"{wanted[digest].name} and {path.name}" for path in drop if (digest := digest_of([path])) in wanted]
    if both:
        raise InputError(
            "the same picture is of a wanted and of an unwanted person",
            why=", ".join(both[:10]),
            hint="take it out of one of the two folders",
        )


def digest_of(paths: Iterable[Path]) -> str:
    """What tells one set of pictures from another, whatever they are called."""
    return hashlib.sha256("".join(sorted(_content(path) for path in paths)).encode()).hexdigest()[:16]


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_references(paths: Iterable[Path], finder: Finder, embedder: Embedder, *, several: bool) -> References:
    """The faces in pictures of people.

    several: use all faces of a picture that has more than one; else it is not used.

    Raises:
        InputError: there is no usable picture.
    """
    vectors: list[Vectors] = []
    unused: list[tuple[str, str]] = []
    paths = list(paths)
    for path in paths:
        found, why = _of_picture(path, finder, embedder)
        if len(found) > 1 and not several:
            found, why = [], f"it has {len(found)} faces, and which one is meant is not said"
        vectors += found
        if why:
            unused.append((path.name, why))
            log.warning("%s is not used: %s", path, why)
    if not vectors:
        raise InputError(
            "no usable picture of a person",
            where=paths[0].parent,
            why="; ".join(f"{name}: {why}" for name, why in unused[:10]),
            hint="pictures with one clear face each, as frames or as extracted faces",
        )
    return References(np.stack(vectors), len(paths) - len(unused), tuple(unused))


def _of_picture(path: Path, finder: Finder, embedder: Embedder) -> tuple[list[Vectors], str]:
    """(the vectors of the faces in a picture, why there are none)."""
    data = path.read_bytes()
    try:
        record = dfl_image.parse(data, path.name)
        return [embedder.embed(decode_image(data, path), record.landmarks)], ""
    except dfl_image.NotAFaceError:
        pass
    except (CorruptFileError, InputError) as error:
        return [], error.what
    try:
        image = decode_frame(data, path)
    except CorruptFileError as error:
        return [], error.what
    found, others = finder.find(path.name, image)
    why = "" if found else f"no face in it ({others[0].reason})" if others else "no face in it"
    return [embedder.embed(image, np.asarray(face.landmarks)) for face in found], why
