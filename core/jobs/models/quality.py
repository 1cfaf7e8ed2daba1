"""Judge a model on faces that it was not trained on, or two models on the same faces."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import fsio
from core.errors import UsageError
from core.export.dfm import ModelWeights
from core.faces.embedders import sface
from core.faceset.store import Faceset, open_faceset
from core.formats.names import safe_component
from core.jobs.models.judged import Candidate, built, candidate, opened
from core.networks.config import ModelConfig
from core.quality import page, ranking, words
from core.quality.faces import QualityFace, alike, longest_run, read_faces, spread
from core.quality.figures import Change, Figure, changes, figures
from core.quality.metrics import VERSION
from core.quality.scoring import Networks, Scores, Subject, open_networks, score, subject_of
from core.safe_paths import own_folder
from core.training.sources.validation_split import largest, split
from core.workspace import Workspace

_RUN = 24  # frames in a row that flicker is measured in
_SHOWN = 3  # pictures of a kind


@dataclass(frozen=True)
class Judgement:
    """What a model is worth.

    label: its name. iteration: where it was saved, None where that is not known.
    figures: by key, what could be measured. beside: what the faces themselves are like, for comparison.
    options: of the model, as far as they are known.
    held_out: whether it was never trained on these faces. src, dst, run: how many.
    data, page: the files. remarks: what a person should know.
    """

    label: str
    iteration: int | None
    figures: Mapping[str, Figure]
    beside: Mapping[str, float]
    options: Mapping[str, Any]
    held_out: bool
    src: int
    dst: int
    run: int
    data: Path
    page: Path
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Two models on the same faces. before, after: their names. changes: by metric. The rest is as in ``Judgement``."""

    before: str
    after: str
    changes: tuple[Change, ...]
    held_out: bool
    dst: int
    data: Path
    page: Path
    remarks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Faces:
    subject: Subject
    networks: Networks
    held_out: bool
    remarks: tuple[str, ...]


def judge(
    workspace: Workspace,
    what: str | None = None,
    *,
    kind: str | None = None,
    faces: int = 24,
    held_out: int | None = None,
) -> Judgement:
    """Judge a model and write ``model/NAME_quality.json`` and ``.html``.

    what: as of ``core.jobs.models.judged.candidate``. faces: of each side, at most. held_out: how many faces of each
    side were kept from training; None asks the model.

    Raises:
        InputError: there is no such model, or a side has no faces that can be read.
        CorruptFileError: the model is damaged.
        EnvironmentFault: weights of the networks that look at faces are not installed.
    """
    one = candidate(workspace, what, kind)
    own_folder(workspace.model)
    seen = _faces(workspace, faces, one.held_out if held_out is None else held_out)
    with opened(workspace, one) as model:
        scores = score(model, seen.subject, seen.networks)
    found, beside, subject = figures(scores.values), seen.subject.beside, seen.subject
    made = Judgement(
        label=one.label,
        iteration=one.iteration,
        figures=found,
        beside=beside,
        options=one.options,
        held_out=seen.held_out,
        src=len(subject.src),
        dst=len(subject.dst),
        run=len(subject.run),
        data=_path(workspace, one.label, "json"),
        page=_path(workspace, one.label, "html"),
        remarks=(*map(str, one.remarks), *seen.remarks),
    )
    record = _record(seen) | {"model": one.label, "iteration": one.iteration} | _plain(found, scores, beside)
    fsio.write_text(made.data, json.dumps(record, indent=1) + "\n")
    fsio.write_text(made.page, _page(made, scores, subject))
    return made


def compare(
    workspace: Workspace,
    before: str,
    after: str,
    *,
    kind: str | None = None,
    faces: int = 24,
    held_out: int | None = None,
) -> Comparison:
    """Judge two models on the same faces; arguments and errors as of ``judge``."""
    both = [candidate(workspace, text, kind) for text in (before, after)]
    if both[0].label == both[1].label and both[0] == both[1]:
        raise UsageError("a model cannot be compared with itself", where=f"--compare {before} {after}")
    own_folder(workspace.model)
    # The fewer held-out faces are among the more: never trained on by either.
    kept = min(one.held_out for one in both) if held_out is None else held_out
    seen = _faces(workspace, faces, kept)
    scores = []
    for one in both:
        with opened(workspace, one) as model:
            scores.append(score(model, seen.subject, seen.networks))
    found = tuple(changes(scores[0].values, scores[1].values))
    label = f"{both[0].label} against {both[1].label}"
    made = Comparison(
        before=both[0].label,
        after=both[1].label,
        changes=found,
        held_out=seen.held_out,
        dst=len(seen.subject.dst),
        data=_path(workspace, label, "json"),
        page=_path(workspace, label, "html"),
        remarks=(*(str(remark) for one in both for remark in one.remarks), *seen.remarks),
    )
    record = _record(seen) | {
        "before": _plain_candidate(both[0], scores[0], seen),
        "after": _plain_candidate(both[1], scores[1], seen),
        "changes": {change.metric.key: _plain_change(change) for change in found},
    }
    fsio.write_text(made.data, json.dumps(record, indent=1) + "\n")
    fsio.write_text(made.page, _comparison_page(made, scores, seen.subject))
    return made


def glance(
    workspace: Workspace, weights: ModelWeights, config: ModelConfig, *, faces: int, held_out: int
) -> tuple[dict[str, float], tuple[str, ...]]:
    """The means of the figures of weights that may be in no save yet, and what they say; nothing is written.

    faces, held_out: as of ``judge``. Raises as ``judge``.
    """
    seen = _faces(workspace, faces, held_out)
    with built(workspace, weights, config, "the model") as model:
        found = figures(score(model, seen.subject, seen.networks).values)
    head = f"quality (version {VERSION}), {faces_in_words(seen.held_out, len(seen.subject.dst))}:"
    lines = (head, *words.sentences(found, seen.subject.beside))
    return {key: round(figure.mean, 4) for key, figure in found.items()}, lines


def _faces(workspace: Workspace, count: int, held_out: int) -> _Faces:
    src, dst = (open_faceset(workspace.side(name).aligned) for name in ("src", "dst"))
    kept = min(held_out, largest(src), largest(dst))
    ours, theirs = (_read(faces, kept, count, name) for faces, name in ((src, "src"), (dst, "dst")))
    run, skipped = _run(dst)
    networks = open_networks(sface.create().embed)
    return _Faces(
        subject_of(ours[0], theirs[0], run, networks),
        networks,
        kept > 0,
        tuple(f"skipped: {problem}" for problem in (*ours[1], *theirs[1], *skipped)),
    )


def _read(faces: Faceset, kept: int, count: int, side: str) -> tuple[list[QualityFace], list[str]]:
    if kept:
        faces = split(faces, kept, side).validation
    return read_faces(faces, spread(len(faces), count))


def _run(dst: Faceset) -> tuple[list[QualityFace], list[str]]:
    places = longest_run(dst.records(), _RUN)
    return read_faces(dst, places) if len(places) >= 3 else ([], [])


def _path(workspace: Workspace, label: str, suffix: str) -> Path:
    return workspace.model / f"{safe_component(label, 'model')}_quality.{suffix}"


def _record(seen: _Faces) -> dict[str, Any]:
    ids = {name: [face.id for face in getattr(seen.subject, name)] for name in ("src", "dst", "run")}
    return {"version": VERSION, "synthetic": True, "held_out": seen.held_out, "faces": ids}


def _plain_candidate(one: Candidate, scores: Scores, seen: _Faces) -> dict[str, Any]:
    head = {"model": one.label, "iteration": one.iteration}
    return head | _plain(figures(scores.values), scores, seen.subject.beside)


def _plain(found: Mapping[str, Figure], scores: Scores, beside: Mapping[str, float]) -> dict[str, Any]:
    return {
        "figures": {key: _plain_figure(figure) for key, figure in found.items()},
        "beside": {key: round(value, 5) for key, value in beside.items()},
        "each": {key: {face: round(x, 5) for face, x in values.items()} for key, values in scores.values.items()},
    }


def _plain_figure(figure: Figure) -> dict[str, Any]:
    return {
        "mean": round(figure.mean, 5),
        "spread": round(figure.spread, 5),
        "low": round(figure.low, 5),
        "high": round(figure.high, 5),
        "count": figure.count,
        "better": figure.metric.better,
    }


def _plain_change(change: Change) -> dict[str, Any]:
    numbers = {name: round(getattr(change, name), 5) for name in ("before", "after", "difference", "low", "high")}
    return numbers | {"better": change.better, "worse": change.worse, "verdict": change.verdict}


def faces_in_words(held_out: bool, count: int) -> str:
    """Whether a model was trained on the faces that it is judged on."""
    if held_out:
        return f"{count} held-out target faces, never trained on"
    return (
        f"{count} target faces, evenly spread, which may have been trained on (train with --held-out 16 to know better)"
    )


def _page(made: Judgement, scores: Scores, subject: Subject) -> str:
    where = "" if made.iteration is None else f", iteration {made.iteration}"
    by_id = {face.id: face for face in subject.dst}
    groups = ranking.chosen(ranking.ranked(scores.values, list(by_id)), _SHOWN)
    rows = {
        name: [
            page.Row(
                (
                    ("source", alike(by_id[face], subject.src).image),
                    ("target", by_id[face].image),
                    ("swap", scores.pictures[face]),
                ),
                page.caption(by_id[face].name, face, scores.values),
            )
            for face in some
        ]
        for name, some in groups.items()
    }
    parts = [
        page.said("In words", words.sentences(made.figures, made.beside)),
        page.said("What might be next", words.advice(made.figures, made.beside, made.options)),
        page.figure_table(made.figures),
        *(page.gallery(f"The {name} faces", some) for name, some in rows.items()),
    ]
    return page.page(f"How good is {made.label}?", [faces_in_words(made.held_out, made.dst) + where], parts)


def _comparison_page(made: Comparison, scores: Sequence[Scores], subject: Subject) -> str:
    by_id = {face.id: face for face in subject.dst}
    order = ranking.gains(scores[0].values, scores[1].values, list(by_id))
    groups = {"won": order[:_SHOWN], "lost": order[::-1][:_SHOWN]} if len(order) >= 2 * _SHOWN else {"changed": order}
    titles = ("target", made.before, made.after)

    def row(face: str) -> page.Row:
        pictures = (by_id[face].image, *(each.pictures[face] for each in scores))
        caption = "; ".join(
            f"{t}: {page.caption('', face, s.values)[2:]}" for t, s in zip(titles[1:], scores, strict=True)
        )
        return page.Row(tuple(zip(titles, pictures, strict=True)), f"{by_id[face].name}: {caption}")

    notes = [
        faces_in_words(made.held_out, made.dst),
        "Two saves of one training differ by chance, too: a progress is what several saves agree on.",
    ]
    parts = [
        page.said("In words", words.compared(made.changes)),
        page.change_table(made.changes, made.before, made.after),
        *(page.gallery(f"Faces that {name} most", [row(face) for face in some]) for name, some in groups.items()),
    ]
    return page.page(f"{made.before} against {made.after}", notes, parts)
