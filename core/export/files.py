"""An exported file: written, checked, and only then put in its place."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core import fsio
from core.errors import PipelineError


@dataclass(frozen=True)
class Exported:
    """A file that was exported.

    path: where it is.
    size: bytes.
    difference: largest absolute difference of its outputs (0..1) from the reference.
    metadata: what the file says about itself.
    """

    path: Path
    size: int
    difference: float
    metadata: dict[str, str]


def write_checked(path: Path, write: Callable[[IO[bytes]], None], check: Callable[[Path], float]) -> float:
    """What ``check`` returns. An older file under ``path`` stays until the new one has passed.

    write: writes the file to a stream.
    check: looks at the written file, which has a temporary name yet.

    Raises:
        PipelineError: whatever ``check`` raises, about ``path`` and with what became of it.
    """
    with fsio.atomic_writer(path) as stream:
        write(stream)
        # The check opens the file by its name and must see all of it.
        stream.flush()
        try:
            return check(Path(stream.name))
        except PipelineError as error:
            kept = "the older file was kept" if path.exists() else "no file was written"
            hint = f"{kept}; {error.hint}" if error.hint else kept
            # Of the same kind, so that the exit code stays; the temporary name would tell a person nothing.
            raise type(error)(error.what, where=path, why=error.why, hint=hint) from error
