"""One frame as a merge would make it, again and again with other settings: what has not changed is kept.

Colours and places are those of the frame alone: what ``calm`` averages over the frames around is not in it.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.faceset.database.connection import open_database
from core.faceset.database.frames import frame_number
from core.inference.dfm import exported
from core.jobs.merge.choices import MergeChoices
from core.jobs.merge.compose import Composer, Work, swap_all
from core.jobs.merge.cue_file import table_of
from core.jobs.merge.cues import FILE, FaceSettings, cues_of
from core.jobs.merge.faces_of_film import FilmFaces, read_faces, told_of
from core.jobs.merge.masks import MaskSources
from core.jobs.merge.merge import composer_of, mask_sources
from core.jobs.merge.model import Swapper, open_swapper
from core.types import Face
from core.video.film.frames import Frame
from core.workspace import Side, Workspace

_KEPT = 16  # frames whose faces were swapped


@dataclass(frozen=True)
class Asked:
    """A frame of the target to merge.

    frame: its name. image: uint8 (H, W, 3), BGR. tag: another one when the image is another one. state: another one
    when the database of the side is another one. cues: the text of the file with cues.
    """

    frame: str
    image: NDArray[np.uint8]
    tag: str
    state: str
    choices: MergeChoices
    cues: str = ""


@dataclass(frozen=True, eq=False)
class MergedFrame:
    """image, mask: the frame, and what its faces cover (H, W). faces: that were swapped. scene: from 1; cues: numbers
    of those that were obeyed. model: the file. device: where it computed.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    faces: tuple[Face, ...]
    scene: int
    cues: tuple[int, ...]
    model: Path
    device: str


class OneFrame:
    """Keeps the model and the mask networks open, and what the model made of the last frames. For one thread."""

    def __init__(self, workspace: Workspace):
        self._workspace = workspace
        self._known: dict[str, tuple[object, Any]] = {}
        self._swapped: OrderedDict[object, Work] = OrderedDict()

    def merge(self, asked: Asked) -> MergedFrame:
        """The frame with its faces.

        Raises:
            InputError: there is no model, no database, or no face on this side. UsageError: settings or cues that
            cannot be. CorruptFileError: one of the files is damaged.
        """
        side, choices = self._workspace.side("dst"), asked.choices
        base = FaceSettings(choices.settings, choices.morph)
        path = self._workspace.root / FILE
        cues = cues_of(table_of(asked.cues, path), path, base, exact=choices.exact is not None)
        number = frame_number(asked.frame) or 0
        with open_database(side.database) as connection:
            film = self._faces(connection, asked)
            found = {number: list(film.by_number.get(number, ()))}
            faces, told, used = told_of(found, film.scene, base, cues)
            swapper = self._swapper(choices)
            sources = self._sources(side, connection, told.get(number, ()), choices, asked.state)
        composer = composer_of(swapper, sources, replace(choices, calm=0.0))
        work = Work(
            Frame(number, 0, Fraction(1, 25), asked.image),
            faces.get(number, ()),
            told.get(number, ()),
            motion=film.motion.get(number, (0.0, 0.0)),
            seed=film.scene.get(number, 0),
        )
        image, mask = self._composed(work, asked, swapper, composer)
        scene = film.scene.get(number, 0) + 1
        device = swapper.dfm.session.device
        return MergedFrame(image, mask, work.faces, scene, tuple(sorted(used)), swapper.path, device)

    def _composed(
        self, work: Work, asked: Asked, swapper: Swapper, composer: Composer
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        if not work.faces:
            return asked.image, np.zeros(asked.image.shape[:2], np.uint8)
        places = tuple((face.id, np.asarray(face.landmarks).tobytes()) for face in work.faces)
        morphs = tuple(each.morph for each in work.told)
        key = swapper.identity, asked.tag, places, morphs, asked.choices.exact
        if key not in self._swapped:
            cut = replace(work, cuts=tuple(composer.cut(work.frame.image, face) for face in work.faces))
            made = swap_all(swapper, composer, [cut], asked.choices.batch)
            self._swapped[key] = replace(cut, swapped=tuple(made))
        self._swapped.move_to_end(key)
        while len(self._swapped) > _KEPT:
            self._swapped.popitem(last=False)
        ready = replace(work, cuts=self._swapped[key].cuts, swapped=self._swapped[key].swapped)
        image, mask = composer.compose(composer.ready(ready))
        return np.asarray(image, np.uint8), np.asarray(mask, np.uint8)

    def _faces(self, connection: sqlite3.Connection, asked: Asked) -> FilmFaces:
        choices = MergeChoices(calm=asked.choices.calming)
        return self._once("faces", (asked.state, choices.calm), lambda: read_faces(connection, choices, FaceSettings()))

    def _swapper(self, choices: MergeChoices) -> Swapper:
        there = [choices.dfm] if choices.dfm else exported(self._workspace.model)
        stamps = [(path, path.stat().st_mtime_ns) for path in there if path.is_file()]
        key = stamps, choices.face_type
        return self._once("model", key, lambda: open_swapper(self._workspace, choices.dfm, choices.face_type))

    def _sources(
        self,
        side: Side,
        connection: sqlite3.Connection,
        told: tuple[FaceSettings, ...],
        choices: MergeChoices,
        state: str,
    ) -> MaskSources:
        masks = tuple(sorted({each.settings.mask for each in told}))
        key = masks, choices.exact and choices.exact.mask_mode, state
        return self._once("masks", key, lambda: mask_sources(self._workspace, side, connection, set(told), choices))

    def _once(self, what: str, key: object, make: Callable[[], Any]) -> Any:
        """What ``make`` gives, made anew only for another key."""
        known = self._known.get(what)
        if known is None or known[0] != key:
            known = self._known[what] = (key, make())
        return known[1]
