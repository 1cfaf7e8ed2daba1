"""What the extraction of faces did, in words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.console import counted
from core.errors import InputError
from core.types import StageReport
from core.workspace import Side

if TYPE_CHECKING:
    from core.jobs.alignments.time.calm import Calmed
    from core.jobs.extract.batch import Batch
    from core.jobs.extract.settings import ExtractSettings
    from core.jobs.extract_faces import ExtractedFaces
    from core.jobs.masks.apply import AppliedMasks

_SHOWN = 20
_BAR = 40  # letters of the longest bar
_BIN = 0.05  # of likeness


def report(
    side: Side,
    settings: "ExtractSettings",
    done: "ExtractedFaces",
    masks: Sequence[tuple[str, "AppliedMasks"]],
    for_model: str,
    calmed: "Calmed | None" = None,
) -> StageReport:
    """The report of one side."""
    rows: list[tuple[str, object]] = [
        ("frames", done.frames),
        ("faces", done.faces),
        ("frames without faces", counted(done.without_faces)),
        ("frames with several", "all" if len(done.with_several) == done.frames else counted(done.with_several)),
    ]
    rows += [("filtered", f"{count}: {reason}") for reason, count in done.filtered.items()]
    rows += [("hard faces", f"{count}: {_points_of(origin)}") for origin, count in done.hard.items()]
    if for_model:
        rows.append(("image size", _size(settings.image_size, for_model)))
    if done.unwritten:
        rows.append(("without a file", f"{done.unwritten} kept faces are too small in their frame for --min-scale"))
    if settings.no_faces:
        rows.append(("without a file", "all: --no-faces"))
    rows += _people(settings, done)
    rows += _calmed(calmed)
    if done.deleted:
        rows.append(("face files deleted by hand", counted(done.deleted)))
    if done.left_out:
        rows.append(("left out, no frames", counted([name for name, _ in done.left_out])))
    if done.corrupt:
        rows.append(("corrupt frames", counted(tuple(done.corrupt))))
    rows += [(f"masks by {name}", _masks(applied)) for name, applied in masks]
    if len(masks) > 1:
        rows.append(("stored in the face files", f"the masks of {masks[-1][0]}, which was named last"))
    if done.new_frames:
        rate = done.new_frames / max(done.seconds, 1e-9)
        rows.append(("searched at", f"{done.detect_size} pixels"))
        rows.append(("speed", f"{rate:.1f} frames/s with {done.workers} workers"))
        rows.append(("computed on", ", ".join(f"{part} {device}" for part, device in done.devices.items())))
    what = "faces extracted" if done.new_frames else "faces already there, nothing to do"
    outputs = (done.aligned, done.database, *([done.overlay] if done.overlay else []))
    return StageReport(f"{side.frames.name}: {what}", tuple(rows), _warnings(done, masks), outputs)


def _points_of(origin: str) -> str:
    if origin == "fan2d":
        return "points by FAN, where Face Mesh finds none"
    return "the crop is right, single points are those of a mean face"


def _warnings(done: "ExtractedFaces", masks: Sequence[tuple[str, "AppliedMasks"]]) -> tuple[str, ...]:
    unread = list(done.corrupt.items())[:_SHOWN]
    warnings = [f"{name} could not be read and was skipped: {error}" for name, error in unread]
    warnings += [f"left out: {name}: {why}" for name, why in done.left_out[:_SHOWN]]
    warnings += [f"picture of a person not used: {name}: {why}" for name, why in done.people.unused[:_SHOWN]]
    for name, applied in masks:
        warnings += [f"no {name} mask: {face}: {why}" for face, why in applied.problems[:_SHOWN]]
    return tuple(warnings)


def _masks(applied: "AppliedMasks") -> str:
    left = f", {len(applied.problems)} left out" if applied.problems else ""
    return f"{applied.made} new, {applied.kept} up to date before{left}"


def _size(size: int, for_model: str) -> str:
    number, _, centring = for_model.partition(":")
    if centring in ("face", "legacy"):
        part = "three quarters" if centring == "face" else "six tenths"
        return f"{size}: a faceswap model of {number} px with {centring} centring cuts {part} out of it"
    return f"{size}: models of DeepFaceLab's face types take the whole image, so the model's own size is right"


def _calmed(calmed: "Calmed | None") -> list[tuple[str, object]]:
    if calmed is None:
        return []
    rows: list[tuple[str, object]] = [("tracks", calmed.tracks), ("faces in gaps", calmed.added)]
    if calmed.smoothed:
        left = f"{calmed.smoothed.motion:.0%} of crops, {calmed.smoothed.shape:.0%} of points"
        rows.append(("trembling that is left", left))
    return [*rows, ("cut out again", calmed.made)]


def _people(settings: "ExtractSettings", done: "ExtractedFaces") -> list[tuple[str, object]]:
    """How many pictures were used, and how like them the faces are, as bars of text."""
    rows: list[tuple[str, object]] = []
    for what, used, values in (
        ("wanted", done.people.wanted, done.wanted),
        ("unwanted", done.people.unwanted, done.unwanted),
    ):
        if used:
            rows.append((f"pictures of {what} people", used))
        if values:
            rows.append((f"likeness to {what}", f"{len(values)} faces; --id-threshold is {settings.id_threshold:g}"))
            rows += [("", line) for line in bars(values, settings.id_threshold)]
    return rows


def bars(values: Sequence[float], threshold: float) -> list[str]:
    """A histogram of likenesses, a line for each step of 0.05 from the lowest to the highest; < marks the threshold."""
    steps = np.floor(np.asarray(values) / _BIN + 1e-9).astype(int)
    lowest, highest = int(steps.min()), int(steps.max())
    counts = np.bincount(steps - lowest, minlength=highest - lowest + 1)
    border = int(np.floor(threshold / _BIN + 1e-9))
    lines = []
    for step, count in enumerate(counts.tolist(), start=lowest):
        bar = "#" * max(round(_BAR * count / counts.max()), min(count, 1))
        mark = " < threshold" if step == border else ""
        lines.append(f"{step * _BIN:5.2f} {bar} {count}{mark}")
    return lines


def no_faces(side: Side, done: "ExtractedFaces") -> InputError:
    """The error that there is not one face."""
    reasons = [f"{count} filtered: {reason}" for reason, count in done.filtered.items()]
    if done.corrupt:
        reasons.append(f"{len(done.corrupt)} frames could not be read, the first: {next(iter(done.corrupt.items()))}")
    hint = (
        "is it the right video? --detect-score 0.4, --min-face-size 20, --detect-size 1280 and --rotations all "
        "find more"
    )
    if done.filtered:
        hint += f"; bash scripts/alignments.sh restore-faces {side.name} --reason ... takes filtered ones back"
    for what, values in (("wanted", done.wanted), ("unwanted", done.unwanted)):
        if values:
            reasons.append(f"likeness to {what}: {min(values):.2f} to {max(values):.2f}")
            hint = "are the pictures of the right people? --id-threshold says how like them faces have to be"
    return InputError(f"no faces in {done.frames} frames", where=side.frames, why="; ".join(reasons), hint=hint)


def summary(made: StageReport) -> str:
    """A report in one line, for the list of a batch."""
    facts = dict(made.rows)
    return f"{facts['frames']} frames, {facts['faces']} faces"


def batch_report(done: "Batch") -> StageReport:
    """The report of a batch.

    Raises:
        InputError: one of the jobs failed; the others went on.
    """
    rows = tuple((job.name, f"exit {job.code}: {job.line}") for job in done.jobs)
    failed = [job for job in done.jobs if job.code]
    if failed:
        raise InputError(
            f"{len(failed)} of {len(done.jobs)} jobs failed",
            where=done.report,
            why="; ".join(f"{name}: {line}" for name, line in rows),
            hint="the same command goes on: what is finished is kept",
        )
    return StageReport(f"{len(done.jobs)} jobs", rows, outputs=(done.folder, done.report))
