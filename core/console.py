"""What reaches the terminal: never a control character from a file, and never a reason to fail.

Names of files, metadata and error texts come from elsewhere. A terminal obeys escape sequences; a closed or ASCII-only
one refuses text. The work is done by then: output decides neither about success nor about the exit code.
"""

import contextlib
import logging
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

# Line breaks and tabs are ours; marks that change the direction of writing can make one name look like another.
_KEPT = {"\n", "\t"}
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def visible(text: str) -> str:
    r"""The text with what a terminal would obey, or could not show, spelled out, such as ``\x1b``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spelled(sign) for sign in text)


def _spelled(sign: str) -> str:
    if sign in _KEPT or unicodedata.category(sign) not in _HIDDEN:
        return sign
    return sign.encode("unicode_escape").decode()


def one_line(part: object) -> str:
    """A part of a message, such as a name, without line breaks: what comes after one could pass for our words."""
    text = str(part)
    return text.replace("\n", "\\n") if "\n" in text else text


def size_text(count: float) -> str:
    """Bytes as people write them: ``0.9 MB``, ``57 MB``, ``1.3 GB``."""
    unit, value = ("GB", count / 1e9) if count >= 1e9 else ("MB", count / 1e6)
    return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"


def counted(names: Sequence[str], shown: int = 5) -> str:
    """How many there are, and the first of them: ``7: a.jpg, b.jpg, c.jpg, d.jpg, e.jpg and 2 more``."""
    if not names:
        return "0"
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"{len(names)}: {', '.join(names[:shown])}{more}"


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a text; a stream that is closed, or gone with its terminal, is passed over."""
    with contextlib.suppress(OSError, ValueError):
        # Flushed at once: what fails later, when Python ends, would decide about the exit code.
        print(visible(text), file=stream or sys.stdout, flush=True)


def prepare_streams() -> None:
    """No character is refused: what the encoding of a stream lacks is spelled out."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


class VisibleFormatter(logging.Formatter):
    """Lines of the log with control characters spelled out."""

    def format(self, record: logging.LogRecord) -> str:
        # Only what is put into the line: the line itself may have line breaks of ours.
        if isinstance(record.args, tuple):
            record.args = tuple(one_line(arg) if isinstance(arg, (str, Path)) else arg for arg in record.args)
        return visible(super().format(record))
