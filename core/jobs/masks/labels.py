"""Hand-made labels of a side: which faces need one, out to an editor, and back."""

from dataclasses import dataclass
from pathlib import Path

from core.faceset.masks import labels
from core.faceset.masks.labels import Format, Imported
from core.faceset.register import open_known
from core.faceset.store import face_key
from core.imaging.masks import has_polygons
from core.jobs.side import opened_side
from core.safe_paths import own_folder
from core.workspace import Workspace


@dataclass(frozen=True)
class UncertainFaces:
    """faces: how many the side has. least_certain: (name, doubt), the worst first; infinite doubt: no mask yet."""

    faces: int
    least_certain: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class ExportedLabels:
    """What lies in a folder for an editor.

    written: names of the images. form: of the label files.
    without_mask: faces that had nothing to suggest from.
    problems: (name, reason) of faces left out.
    """

    folder: Path
    form: Format
    written: tuple[str, ...]
    without_mask: int
    problems: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ImportedLabels:
    """imported: what became of the labelled images. unreadable: (name, reason) of label files left out."""

    imported: Imported
    unreadable: tuple[tuple[str, str], ...]


def uncertain_faces(workspace: Workspace, name: str, count: int) -> UncertainFaces:
    """The faces of a side that most need a label, at most ``count``."""
    with opened_side(workspace, name) as side, open_known(side) as known:
        records = known.faceset.records()
        found = labels.least_certain(known, count)
        return UncertainFaces(len(records), tuple((face_key(records[index]), doubt) for index, doubt in found))


def export_labels(
    workspace: Workspace, name: str, form: Format, *, suggest: int = 0, folder: Path | None = None
) -> ExportedLabels:
    """Write images with their labels for an editor.

    suggest: so many of the least certain faces, with their masks as polygons to correct; 0: the faces that have
    polygons.
    folder: where to; without it ``data_<side>/labels``.
    """
    with opened_side(workspace, name) as side, open_known(side) as known:
        records = known.faceset.records()
        target = folder or own_folder(side.frames / "labels")
        if suggest:
            chosen = [index for index, _ in labels.least_certain(known, suggest)]
        else:
            chosen = [index for index, record in enumerate(records) if has_polygons(record)]
        written, problems = labels.export(known, target, chosen, form, suggest=bool(suggest))
        without = sum(records[index].xseg_mask is None for index in chosen) if suggest else 0
        return ExportedLabels(target, form, tuple(written), without, tuple(problems))


def import_labels(workspace: Workspace, name: str, source: Path, *, overwrite: bool = False) -> ImportedLabels:
    """Give the faces of a side the polygons that somebody drew.

    source: a folder of labelme files, or a COCO file. overwrite: replace other polygons of a face; they go to the
    trash.
    """
    with opened_side(workspace, name) as side, open_known(side) as known:
        images, unreadable = labels.read_labels(source)
        folder = source if source.is_dir() else source.parent
        imported = labels.take_in(known, images, folder, overwrite=overwrite, trash=workspace.trash)
        return ImportedLabels(imported, tuple(unreadable))
