"""Verdicts that a person has rejected, taken out of the columns of the verdicts and given columns of their own."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.faceset.cleaning.verdicts import VERDICTS
from core.workbench.sides.table import FaceTable


def verdict_column(verdict: str) -> str:
    """The column with the score of a verdict, of the faces that have it."""
    return f"verdict.{verdict.replace(' ', '-')}"


def rejected_column(verdict: str) -> str:
    """The column with the score of a verdict, of the faces of which somebody has rejected it."""
    return f"rejected.{verdict.replace(' ', '-')}"


def without_rejected(table: FaceTable) -> FaceTable:
    """The table with the verdicts that count, in place of all that cleaning found."""
    judged = [verdict for verdict in VERDICTS if verdict_column(verdict) in table.numbers]
    numbers, words = dict(table.numbers), dict(table.words)
    for verdict in judged:
        score, rejected = numbers[verdict_column(verdict)], _has_rejected(table, verdict)
        numbers[verdict_column(verdict)] = np.where(rejected, np.float32(np.nan), score)
        numbers[rejected_column(verdict)] = np.where(rejected, score, np.float32(np.nan))
    if judged and len(table.words["rejected"][1]) > 1:
        counting = np.array([np.isfinite(numbers[verdict_column(verdict)]) for verdict in judged])
        numbers["verdicts"] = np.where(np.isfinite(numbers["verdicts"]), counting.sum(axis=0, dtype=np.float32), np.nan)
        words["verdict"] = _first_verdict(table, judged, counting)
    return replace(table, numbers=numbers, words=words)


def _has_rejected(table: FaceTable, verdict: str) -> NDArray[np.bool_]:
    codes, known = table.words["rejected"]
    return np.array([verdict in word.split(", ") for word in known])[codes]


def _first_verdict(
    table: FaceTable, judged: list[str], counting: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """The column ``verdict``: as it was, but where somebody has rejected something. counting: (verdicts, n)."""
    codes, known = table.words["verdict"]
    known = (*known, *(verdict for verdict in judged if verdict not in known))
    code_of = {word: code for code, word in enumerate(known)}
    first = np.array([code_of[verdict] for verdict in judged], np.int32)[counting.argmax(axis=0)]
    some = table.words["rejected"][0] > 0
    return np.where(some, np.where(counting.any(axis=0), first, 0), codes).astype(np.int32), known
