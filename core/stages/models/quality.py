"""Judge a model: likeness, expression, sharpness, masks, colours of its swaps, in words, figures and a page."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.models.quality import Comparison, Judgement


class Options(BaseOptions):
    """Flags of the stage."""

    model: str | None = Field(
        None,
        description="what to judge: the name of a model, one of its saves or backups (BACKUP, or NAME:BACKUP, as "
        "5.x_model.sh lists them), or a .dfm file; by default the only model",
    )
    kind: Literal["SAEHD", "AMP", "Quick96"] | None = Field(
        None, description="class of the model, where models of different classes have the same name"
    )
    compare: list[str] = Field([], description="two of them on the same faces: what got better, what got worse")
    faces: int = Field(24, ge=3, le=1000, description="faces of each side, at most")
    held_out: int | None = Field(
        None,
        ge=0,
        le=10_000,
        description="how many faces of each side were kept from training, for a .dfm that does not say it; a model "
        "knows it itself",
    )

    @field_validator("compare")
    @classmethod
    def _two(cls, value: list[str]) -> list[str]:
        if len(value) not in (0, 2):
            raise ValueError("two are compared: --compare A B")
        return value


def run(options: Options, workspace: Workspace) -> StageReport:
    """Changes no model."""
    from core.jobs.models import quality as job

    if options.compare:
        before, after = options.compare
        return _compared(
            job.compare(workspace, before, after, kind=options.kind, faces=options.faces, held_out=options.held_out)
        )
    return _judged(
        job.judge(workspace, options.model, kind=options.kind, faces=options.faces, held_out=options.held_out)
    )


def _judged(made: "Judgement") -> StageReport:
    from core.jobs.models.quality import faces_in_words
    from core.quality import words

    where = "" if made.iteration is None else f" at iteration {made.iteration}"
    rows = [("judged on", faces_in_words(made.held_out, made.dst))]
    rows += [("", line) for line in words.sentences(made.figures, made.beside)]
    rows += [("perhaps next", line) for line in words.advice(made.figures, made.beside, made.options)]
    return StageReport(f"{made.label}{where}", tuple(rows), made.remarks, (made.data, made.page))


def _compared(made: "Comparison") -> StageReport:
    from core.jobs.models.quality import faces_in_words
    from core.quality import words

    rows = [("judged on", faces_in_words(made.held_out, made.dst))]
    rows += [("", line) for line in words.compared(made.changes)]
    return StageReport(f"{made.before} against {made.after}", tuple(rows), made.remarks, (made.data, made.page))
