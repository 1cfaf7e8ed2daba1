"""How good the masks of a faceset look: numbers for each face, and the worst ones on a picture."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import PipelineError
from core.faceset.database.masks import MaskRow, MaskTable
from core.faceset.register import KnownFaces
from core.faceset.store import Faceset, face_key
from core.imaging.codec import decode_image, to_uint8
from core.imaging.mask_quality import MaskQuality, measure
from core.imaging.masks import FROM_LANDMARKS, Mask, best_mask, hull_mask, mask_origin, over_green
from core.imaging.sheets import Tile, captioned_sheet
from core.progress import progress
from core.types import FaceRecord

ORIGINS = ("xseg", "custom", "polygons", "whole", "extended", "components", "hull")
_SIDE, _ACROSS = 200, 6
_MEASURED = 128


@dataclass(frozen=True)
class Judged:
    """A face and its mask's quality. origin: where the mask comes from, one of ORIGINS."""

    index: int
    name: str
    origin: str
    quality: MaskQuality


def mask_origins(records: Iterable[FaceRecord]) -> dict[str, int]:
    """How many faces take their mask from where, in the order of ORIGINS, without decoding any."""
    return counted(map(mask_origin, records))


def counted(origins: Iterable[str]) -> dict[str, int]:
    """Origin -> how many, in the order of ORIGINS; without those that do not occur."""
    found = Counter(origins)
    return {name: found[name] for name in ORIGINS if found[name]}


def described(found: Mapping[str, int]) -> str:
    """``12 xseg, 3 polygons, 81 hull``."""
    return ", ".join(f"{count} {name}" for name, count in found.items()) or "none"


def judge(known: KnownFaces) -> tuple[list[Judged], list[tuple[str, str]]]:
    """Every face's mask, the worst first, and (name, reason) of faces whose mask cannot be read.

    A mask is compared with those of the frame before: with the one most like it, when that frame has several faces.
    """
    records, table = known.faceset.records(), MaskTable(known.connection)
    order = sorted(range(len(records)), key=lambda i: (_frame(records[i]), i))
    before: dict[int, list[Mask]] = defaultdict(list)
    judged, problems = [], []
    for i in progress(order, description="judging masks", unit="face"):
        try:
            item, mask = _judge(
                records[i], i, before.get(_frame(records[i]) - 1, []), table.row(records[i], known.ids[i])
            )
        except PipelineError as error:
            problems.append((face_key(records[i]), error.why or error.what))
            continue
        before[_frame(records[i])].append(mask)
        # Only the frame before is asked for: a long film must not keep all its masks.
        for old in [frame for frame in before if frame < _frame(records[i]) - 1]:
            del before[old]
        judged.append(item)
    return sorted(judged, key=lambda item: -item.quality.score), problems


def _judge(record: FaceRecord, index: int, before: list[Mask], row: MaskRow | None) -> tuple[Judged, Mask]:
    full, said = best_mask(record)
    origin = row.kind if row else said
    mask, hull = (
        cv2.resize(m, (_MEASURED, _MEASURED), interpolation=cv2.INTER_AREA)[..., None]
        for m in (full, hull_mask(record.shape, record.landmarks, record.eyebrows_expand_mod))
    )
    doubt = row.uncertainty if row and origin not in FROM_LANDMARKS else math.nan
    options = [measure(mask, hull, before=other, uncertain=doubt) for other in before] or [
        measure(mask, hull, uncertain=doubt)
    ]
    return Judged(index, face_key(record), origin, min(options, key=lambda q: q.score)), mask


def _frame(record: FaceRecord) -> int:
    """The number of the frame that the face is from; -1 where its name has none."""
    numbers = re.findall(r"\d+", (record.source_filename or record.name).rsplit(".", 1)[0])
    if not numbers:
        return -1
    # Frames end in their number; faces as extracted are called frame_face, so there the first one is the frame's.
    return int(numbers[-1] if record.source_filename else numbers[0])


def contact_sheet(faceset: Faceset, judged: Sequence[Judged], rows: int = 5) -> NDArray[np.uint8]:
    """The first faces of ``judged`` over green by their mask, with name and reason; uint8 BGR."""
    tiles = [
        Tile(_tile(faceset, item), item.quality.reason or "nothing odd", f"{item.name} ({item.origin})")
        for item in judged[: rows * _ACROSS]
    ]
    return captioned_sheet(tiles, _ACROSS, f"The {len(tiles)} oddest of {len(judged)} masks: green is left out")


def _tile(faceset: Faceset, item: Judged) -> NDArray[np.uint8]:
    record = faceset.records()[item.index]
    try:
        image = decode_image(faceset.read(item.index), record.name)
    except PipelineError:
        return np.zeros((_SIDE, _SIDE, 3), np.uint8)
    picture = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    mask = cv2.resize(best_mask(record)[0], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)[..., None]
    return to_uint8(over_green(picture, mask))


def table_rows(judged: Sequence[Judged]) -> list[dict]:
    """The numbers as plain values, for a JSON file."""

    def plain(value: float) -> float | None:
        return None if math.isnan(value) else round(value, 4)

    return [
        {
            "face": j.name,
            "mask": j.origin,
            "score": plain(j.quality.score),
            "reason": j.quality.reason,
            "area": plain(j.quality.area),
            "hull_ratio": plain(j.quality.hull_ratio),
            "hull_iou": plain(j.quality.hull_iou),
            "holes": j.quality.holes,
            "pieces": j.quality.pieces,
            "change": plain(j.quality.change),
            "uncertainty": plain(j.quality.uncertainty),
        }
        for j in judged
    ]
