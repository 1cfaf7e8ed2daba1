"""The receipt of an extraction: from which video, and with which choices, the frames beside it were made."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from core import fsio
from core.errors import CorruptFileError, InputError
from core.safe_files import read_object

RECEIPT = ".frames.json"


@dataclass(frozen=True)
class Receipt:
    """What a complete extraction leaves beside its frames. Images that came from elsewhere have none.

    video: what ``identity`` says of the video; None when nothing is known.
    options: ``format``, ``fps``, ``start``, ``end``, and ``deinterlace`` where it was wanted; None when unknown.
    count: how many frames were written.
    expected: how many the container counts; None where it does not, or where only some of them were wanted.
    missing_seconds: how long before the promised end of the video the last frame is; 0 where that is near.
    complaints: how many different error lines ffmpeg wrote.
    last_complaint: the last of them.
    shapes: of the frames as they were decoded, such as "640 x 360"; more than one when it changes in mid-stream.
    interlaced: whether the frames are woven of half images.
    replaces: whether the frames that are there have to move to the trash before these are published.
    """

    video: dict[str, Any] | None = None
    options: dict[str, Any] | None = None
    count: int = 0
    expected: int | None = None
    missing_seconds: float = 0.0
    complaints: int = 0
    last_complaint: str = ""
    shapes: tuple[str, ...] = ()
    interlaced: bool = False
    replaces: bool = False

    @property
    def source(self) -> dict[str, Any]:
        """What decides how the frames look; faces remember it, and so does the next extraction."""
        return {"video": self.video, "options": self.options}


def identity(video: Path) -> dict[str, Any]:
    """What tells one video file from another without reading it: ``name``, ``size`` in bytes, ``mtime_ns``."""
    status = video.stat()
    return {"name": video.name, "size": status.st_size, "mtime_ns": status.st_mtime_ns}


def read_receipt(folder: Path) -> Receipt | None:
    """The receipt in a folder of frames; None where there is none that can be read."""
    try:
        content = read_object(folder / RECEIPT, "damaged receipt")
    except (InputError, CorruptFileError):
        return None
    known = {field.name for field in fields(Receipt)}
    # What another version has written besides is passed over.
    values = {key: value for key, value in content.items() if key in known}
    shapes = values.get("shapes", ())
    # JSON knows lists only.
    receipt = Receipt(**values | {"shapes": tuple(shapes) if isinstance(shapes, list) else ()})
    return receipt if _makes_sense(receipt) else None


def _makes_sense(receipt: Receipt) -> bool:
    """Whether every value is of its kind."""
    sources = (receipt.video, receipt.options)
    numbers = (receipt.count, receipt.complaints, receipt.expected or 0)
    return (
        all(source is None or isinstance(source, dict) for source in sources)
        and all(type(number) is int for number in numbers)
        and isinstance(receipt.missing_seconds, int | float)
        and all(isinstance(text, str) for text in (receipt.last_complaint, *receipt.shapes))
        and isinstance(receipt.replaces, bool)
        and isinstance(receipt.interlaced, bool)
    )


def write_receipt(folder: Path, receipt: Receipt) -> None:
    """Leave ``receipt`` in a folder of frames, whole or not at all."""
    fsio.write_text(folder / RECEIPT, json.dumps(asdict(receipt)))
