"""What the program does with files that it is given, as functions of a folder: each reads all that it can find there.

A reader may return, or raise an error of ``core.errors``; nothing else, for any bytes.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.checkpoints import backups, selection
from core.checkpoints.model_folder import ModelFolder
from core.errors import PipelineError
from core.faces.mask_network import read_description
from core.faces.maskers.custom import CustomMasker
from core.faceset import checking, describe, gallery, journal, saved_metadata, steps, store
from core.faceset.database import extraction, faces, frames, images, measured
from core.faceset.database.connection import open_database
from core.faceset.database.masks import MaskTable
from core.faceset.exchange import to_fsa
from core.faceset.masks import labels
from core.faceset.register import missing_files, open_known
from core.faceset.scores import known, pixels, score_files, shape
from core.faceset.scores.measures import COLUMNS
from core.faceset.sorting import trash
from core.formats import dfl_image, dfl_weights, safe_zip
from core.formats.faceswap import face_png, fsa
from core.formats.pak import PakReader
from core.imaging import jpeg
from core.imaging.codec import read_image
from core.imaging.masks import best_mask
from core.inference import xseg_weights
from core.jobs.frame_receipt import read_receipt
from core.training.saved_state import read_run_state
from core.training.schedule import presets, timeline
from core.video.probe import count_frames, probe
from core.workspace import Workspace, image_names, list_images
from fuzzing import samples
from fuzzing.samples import Tree


@dataclass(frozen=True)
class Reader:
    """One way into the program.

    sample: sound files that it reads. read: reads a folder of such files.
    """

    name: str
    sample: Callable[[], Tree]
    read: Callable[[Path], object]


# Kinds only: an error itself would keep cursors of a database open.
refused: list[type[PipelineError]] = []


def tried(*works: Callable[[], object]) -> None:
    """Do all of them; what one refuses with a typed error goes into ``refused``, and the others are done."""
    for work in works:
        try:
            work()
        except PipelineError as error:
            refused.append(type(error))


def face_file(folder: Path) -> None:
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        data = path.read_bytes()
        tried(
            lambda path=path: _look(dfl_image.read(path)),
            lambda data=data: dfl_image.metadata(data, "a.jpg"),
            lambda data=data: dfl_image.image_digest(data),
            lambda data=data: dfl_image.embed(data, dfl_image.parse(data, "a.jpg")),
            lambda data=data: describe.describe(data, "a.jpg"),
            lambda data=data: jpeg.is_complete(data),
            lambda path=path: read_image(path),
            lambda data=data: shape.shape(data, "a.jpg"),
            lambda data=data: pixels.pixels(data, "a.jpg"),
            lambda path=path: store.is_face(path),
        )
        tried(lambda folder=folder: checking.check(folder, True))


def _look(record) -> None:
    assert record.landmarks.shape == (68, 2)
    assert np.isfinite(record.landmarks).all()
    best_mask(record)


def picture(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        tried(lambda path=path: read_image(path), lambda path=path: dfl_image.read(path))


def pak(folder: Path) -> None:
    path = folder / "aligned/faceset.pak"
    for salvage in (False, True):
        with suppress(PipelineError), PakReader(path, salvage=salvage) as reader:
            for index in range(len(reader)):
                tried(
                    lambda reader=reader, index=index: _look(reader.full_record(index)),
                    lambda reader=reader, index=index: reader.is_whole(index),
                )
    tried(
        lambda: store.open_faceset(path.parent).fingerprint(),
        lambda: checking.check(path.parent, False),
    )


def weights(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        tried(
            lambda path=path: dfl_weights.read_weights(path),
            lambda path=path: dfl_weights.read_optimizer(path),
            lambda path=path: dfl_weights.read_data(path),
        )


def archive(folder: Path) -> None:
    for path in sorted(folder.glob("*.zip")):
        tried(
            lambda path=path: safe_zip.read_members(path, ("*.npy", "*.jpg"), 1 << 20),
            lambda path=path: safe_zip.extract_members(path, ("*.npy", "*.jpg"), folder / "out", 1 << 20),
        )


def xseg(folder: Path) -> None:
    tried(lambda: xseg_weights.find(None, folder))


def label_files(folder: Path) -> None:
    for path in [folder, *sorted(folder.glob("*.json"))]:
        tried(lambda path=path: labels.read_labels(path))
    tried(lambda: labels._noted_faces(folder))


def description(folder: Path) -> None:
    tried(lambda: read_description(folder / "net.json"), lambda: _masker(folder))


def _masker(folder: Path) -> None:
    chosen = read_description(folder / "net.json")
    CustomMasker(chosen, folder / "net.onnx").infer([np.zeros((3, 32, 32), np.float32)])


def database(folder: Path) -> None:
    side = Workspace(folder).side("src")
    with suppress(PipelineError), open_database(side.database) as connection:
        tried(
            lambda: extraction.read_settings(connection),
            lambda: list(frames.frames(connection)),
            lambda: [list(faces.faces(connection, status)) for status in ("kept", "filtered")],
            lambda: frames.faces_by_frame(connection),
            lambda: faces.filtered_by_reason(connection),
            lambda: measured.scores(connection, "yaw"),
            lambda: measured.vectors(connection, "sface"),
            lambda: images.images_by_folder(connection),
            lambda: [MaskTable(connection).pending(face, "xseg 1") for face in MaskTable(connection).rows],
            lambda: missing_files(connection, side.aligned, image_names(side.aligned)),
            lambda: to_fsa.to_fsa(connection, str, {}),
            lambda: saved_metadata.restore(connection, list_images(side.aligned)),
        )
    tried(lambda: _known(side), lambda: _columns(side))


def _known(side) -> None:
    with open_known(side) as found:
        labels.least_certain(found)


def _columns(side) -> None:
    with gallery.open_gallery(side.aligned) as found, open_database(side.database) as connection:
        known.known_columns(connection, found)


def model(folder: Path) -> None:
    where = folder / "model"
    tried(
        lambda: selection.find(where),
        lambda: backups.list_backups(ModelFolder(where, "swap")),
        lambda: _state(ModelFolder(where, "swap").load(repair=False).files),
        lambda: ModelFolder(where, "swap").load(),
        lambda: backups.make_backup(ModelFolder(where, "swap")),
        lambda: ModelFolder(where, "swap").save(9, {}),
    )


def _state(files) -> None:
    found = read_run_state(files.get("forge.json"))
    timeline.from_saved(found["schedule"], "forge.json") if found.get("schedule") else None
    tried(lambda: dfl_weights.read_data(files["data.dat"]))


def moved_faces(folder: Path) -> None:
    side = Workspace(folder).side("src")
    tried(
        lambda: steps.steps(side.frames),
        lambda: steps.original_names(side.frames),
        lambda: steps.read_trash_log(side.frames),
        lambda: read_receipt(side.frames),
        lambda: journal.finish(side.frames),
        lambda: trash.restore(side.frames),
        lambda: journal.undo(side.frames),
    )


def score_columns(folder: Path) -> None:
    for group, columns in COLUMNS.items():
        parts = score_files.lookup(folder, group, [bytes(16), bytes(15) + b"1"])
        for column in columns:
            tried(lambda parts=parts, group=group, column=column: score_files.read(parts, group, column, 2))


def preset(folder: Path) -> None:
    for path in folder.glob("*.toml"):
        tried(lambda path=path: presets.find(str(path)))


def faceswap(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.suffix == ".png":
            data = path.read_bytes()
            tried(lambda path=path: face_png.read(path), lambda data=data: _faceswap_picture(data))
        else:
            tried(lambda path=path: _faceswap_alignments(path, folder))


def _faceswap_picture(data: bytes) -> None:
    header = face_png.parse(data)
    if header is not None:
        _look_at_faceswap([header.face])
        assert face_png.parse(face_png.with_header(data, header)) is not None


def _faceswap_alignments(path: Path, folder: Path) -> None:
    found = fsa.read(path, "film.mp4")
    _look_at_faceswap([face for frame in found.frames for face in frame.faces])
    fsa.write(folder / "again.fsa", found)


def _look_at_faceswap(faces) -> None:
    for face in faces:
        assert face.landmarks.dtype == np.float32 and face.landmarks.shape in ((68, 2), (4, 2), (98, 2))
        for mask in face.masks.values():
            tried(mask.pixels)


def film(folder: Path) -> None:
    for path in folder.glob("*.mp4"):
        tried(lambda path=path: count_frames(probe(path)))


READERS = {
    reader.name: reader
    for reader in (
        Reader("jpg", samples.jpeg_face, face_file),
        Reader("png", samples.png_face, face_file),
        Reader("webp", samples.picture(".webp"), picture),
        Reader("tif", samples.picture(".tif", deep=True), picture),
        Reader("bmp", samples.picture(".bmp"), picture),
        Reader("avif", samples.picture(".avif"), picture),
        Reader("png16", samples.picture(".png", deep=True), picture),
        Reader("pak", samples.pak, pak),
        Reader("weights", samples.weights, weights),
        Reader("optimizer", samples.optimizer, weights),
        Reader("data", samples.model_data, weights),
        Reader("zip", samples.archive, archive),
        Reader("xseg", samples.xseg_archive, xseg),
        Reader("labelme", samples.labelme_files, label_files),
        Reader("coco", samples.coco_file, label_files),
        Reader("description", samples.mask_network, description),
        Reader("db", samples.database, database),
        Reader("olddb", samples.old_database, database),
        Reader("model", samples.model, model),
        Reader("journal", samples.faces_that_moved, moved_faces),
        Reader("scores", samples.scores, score_columns),
        Reader("preset", samples.preset, preset),
        Reader("film", samples.film, film),
        Reader("fsa", samples.faceswap_alignments, faceswap),
        Reader("fsapickle", samples.faceswap_pickle, faceswap),
        Reader("fsajson", samples.faceswap_json, faceswap),
        Reader("fsapng", samples.faceswap_picture, faceswap),
    )
}
