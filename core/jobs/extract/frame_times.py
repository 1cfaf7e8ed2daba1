"""When each image in a folder of frames is shown in its film, as far as the receipt beside them tells."""

from collections.abc import Sequence
from pathlib import Path

from core.errors import PipelineError
from core.jobs.frame_receipt import Receipt, identity, read_receipt
from core.video.probe import probe
from core.video.times import presentation_times


def times_of_images(folder: Path, names: Sequence[str]) -> dict[str, float]:
    """Name -> seconds from the beginning of the film, for the images that the frames step made; else nothing."""
    receipt = read_receipt(folder)
    if receipt is None or not receipt.options:
        return {}
    numbers = {name: int(stem) for name in names if (stem := Path(name).stem).isascii() and stem.isdigit()}
    start, fps = receipt.options.get("start") or 0.0, receipt.options.get("fps")
    if not isinstance(start, int | float) or not isinstance(fps, int | float | None):
        return {}
    if fps:
        return {name: start + (number - 1) / fps for name, number in numbers.items()}
    times = [time for time in _times_of_film(folder, receipt) if time >= start - 1e-3]
    return {name: times[number - 1] for name, number in numbers.items() if 0 < number <= len(times)}


def _times_of_film(folder: Path, receipt: Receipt) -> list[float]:
    """Of the film beside the folder, where it is the one that the frames are from."""
    name = (receipt.video or {}).get("name")
    film = folder.parent / str(name)
    try:
        if not name or film.parent != folder.parent or not film.is_file() or identity(film) != receipt.video:
            return []
        return presentation_times(probe(film))
    except (PipelineError, OSError):  # times are known or not; the frames are there in any case
        return []
