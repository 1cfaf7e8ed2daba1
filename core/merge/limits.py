"""What settings may be: names of a list, numbers of a range."""

from collections.abc import Iterable, Mapping

from core.errors import UsageError, did_you_mean


def require_one_of(what: str, value: str, choices: Iterable[str]) -> None:
    """Nothing, if ``value`` is one of ``choices``.

    Raises:
        UsageError: it is not.
    """
    known = list(choices)
    if value not in known:
        hint = did_you_mean(value, known) or f"one of {', '.join(known)}"
        raise UsageError(f"unknown {what}", where=str(value)[:60], hint=hint)


def require_ranges(settings: object, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Nothing, if the fields of ``settings`` that are named lie in their ranges, both ends included.

    Raises:
        UsageError: one does not.
    """
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        if not low <= value <= high:  # a NaN is in no range
            raise UsageError(f"{name.replace('_', ' ')} is out of its range", where=str(value), hint=f"{low} to {high}")
