"""What a merge can be told."""

from dataclasses import dataclass, field
from pathlib import Path

from core.geometry.align import FaceType
from core.merge.dfl.settings import DflSettings
from core.merge.settings import MergeSettings
from core.video.film.encoders import FilmSettings


@dataclass(frozen=True)
class MergeChoices:
    """How a film is merged.

    dfm: the model; None for that of the workspace. face_type: of a model that does not say it; None asks the model.
    settings: of our composition. exact: DeepFaceLab's instead, bit by bit; None for ours.
    morph: 0..1, of models that have it. reverse: with a model that puts the target's face on the source.
    cues: a file with other settings for some faces (``core.jobs.merge.cues``); None for ``convert.toml`` in the
    workspace, if it is there.
    calm: 0..1, how much trembling and flicker are taken out, scene by scene.
    persons: whose faces are swapped; all without a name. first, last: numbers of frames in which faces are swapped, the
    others stay as they are; None for no limit.
    keep_parts: keep the encoded parts of the film, so that the next run makes only those that change.
    film: how the film is written. output: the film; None for ``result.mp4`` in the workspace, ``result_reverse.mp4``
    with ``reverse``.
    pictures: write ``merged/`` and ``merged_mask/`` beside the frames instead of a film.
    rate: frames a second of pictures that come from no film.
    batch: faces in one call of the network. workers: threads, 0 for one a core.
    """

    dfm: Path | None = None
    face_type: FaceType | None = None
    settings: MergeSettings = field(default_factory=MergeSettings)
    exact: DflSettings | None = None
    morph: float = 1.0
    reverse: bool = False
    cues: Path | None = None
    calm: float = 0.5
    persons: tuple[str, ...] = ()
    first: int | None = None
    last: int | None = None
    film: FilmSettings = field(default_factory=FilmSettings)
    output: Path | None = None
    keep_parts: bool = False
    pictures: bool = False
    rate: float | None = None
    batch: int = 4
    workers: int = 0

    @property
    def calming(self) -> float:
        """``calm``, which DeepFaceLab's way does not know."""
        return 0.0 if self.exact else self.calm
