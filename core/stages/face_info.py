"""Show the metadata of one face file."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from core.options import Options as BaseOptions
from core.options import Positional
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.faceset.describe import Description
    from core.types import Polygon


class Options(BaseOptions):
    file: Positional[Path] = Field(description="a face: .jpg, .jpeg or .png")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Changes nothing."""
    from core.jobs.face_info import face_info

    found = face_info(options.file)
    return StageReport(str(options.file), _rows(found), found.notes)


def _rows(found: "Description") -> tuple[tuple[str, object], ...]:
    record = found.record
    low, high = record.landmarks.min(0), record.landmarks.max(0)
    return (
        ("container", f"{found.container}, {found.size} bytes"),
        ("picture", f"{record.shape[1]} x {record.shape[0]}"),
        ("face type", record.face_type),
        ("from frame", record.source_filename or "-"),
        ("box in frame", record.source_rect or "-"),
        ("landmarks", f"68, x {low[0]:.1f} .. {high[0]:.1f}, y {low[1]:.1f} .. {high[1]:.1f}"),
        ("pose", _pose(found)),
        ("matrix", _matrix(found)),
        ("polygons", _polygons(record.polygons)),
        ("mask", _mask(found)),
        ("eyebrows expanded", record.eyebrows_expand_mod),
        ("other keys", ", ".join(sorted(map(str, record.extra))) or "-"),
    )


def _pose(found: "Description") -> str:
    if found.pose_problem:
        return f"none: {found.pose_problem}"
    return f"pitch {found.pitch:.1f}, yaw {found.yaw:.1f} degrees"


def _matrix(found: "Description") -> str:
    import numpy as np

    matrix = found.record.image_to_face_mat
    if matrix is None:
        return "-"
    return np.array2string(matrix, precision=4, suppress_small=True).replace("\n", "")


def _polygons(polygons: "tuple[Polygon, ...]") -> str:
    if not polygons:
        return "-"
    include = [len(polygon.points) for polygon in polygons if polygon.include]
    exclude = [len(polygon.points) for polygon in polygons if not polygon.include]
    return f"{len(include)} include ({sum(include)} points), {len(exclude)} exclude ({sum(exclude)} points)"


def _mask(found: "Description") -> str:
    if found.mask is None:
        return "-"
    height, width = found.mask.shape
    return (
        f"{width} x {height} {found.mask.container}, {found.mask.size} bytes, covers {100 * found.mask.covered:.1f} %"
    )
