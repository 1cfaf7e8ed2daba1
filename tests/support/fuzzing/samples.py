"""Small sound files of every kind that the program reads, as trees: relative path -> bytes."""

import io
import json
import sqlite3
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import facekit
import fsa_cases
import numpy as np
from mask_networks import tiny_net
from model_saves import writers
from paths import TESTS

from core.checkpoints.model_folder import ModelFolder
from core.faceset import journal, saved_metadata
from core.faceset.database import extraction, faces
from core.faceset.database.connection import open_database
from core.faceset.database.faces import FaceRow
from core.faceset.database.masks import MaskRow, MaskTable, checksum
from core.faceset.journal import Move
from core.faceset.register import open_known
from core.faceset.scores import score_files
from core.faceset.scores.measures import COLUMNS
from core.formats import coco, dfl_weights, labelme
from core.formats.dfl_weights import ModelData
from core.formats.faceswap import export_json
from core.formats.labels import LabelledImage
from core.formats.pak_sources import FileSource
from core.formats.pak_writer import write_pak
from core.imaging.masks import encode_mask
from core.jobs.frame_receipt import Receipt, write_receipt
from core.types import Polygon
from core.workspace import Workspace

Tree = dict[str, bytes]
SIDE = 48  # pixels of the faces


def _made(make: Callable[[Path], object]) -> Callable[[], Tree]:
    """What ``make`` puts into a folder, made once."""

    @cache
    def tree() -> Tree:
        with tempfile.TemporaryDirectory() as name:
            make(Path(name))
            return {
                p.relative_to(name).as_posix(): p.read_bytes() for p in sorted(Path(name).rglob("*")) if p.is_file()
            }

    return tree


def _triangle() -> Polygon:
    return Polygon(True, np.array([[1, 2], [40, 5], [20, 44]], np.float32))


def _hole() -> Polygon:
    return Polygon(False, np.array([[10, 12], [20, 15], [15, 24.5]], np.float32))


def _mask() -> bytes:
    mask = np.zeros((32, 32), np.float32)
    mask[8:24, 8:24] = 1
    return encode_mask(mask)


def _full_face(name: str = "00001_0.jpg", seed: int = 0) -> bytes:
    return facekit.face(
        name,
        SIDE,
        seed,
        polygons=(_triangle(), _hole()),
        xseg_mask=_mask(),
        eyebrows_expand_mod=1.5,
        extra={"note": "of another program", "numbers": [1, 2.5]},
    )


def _faces(folder: Path, count: int = 4) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        name = f"{number + 1:05d}_0.jpg"
        data = _full_face(name, number) if number % 2 else facekit.face(name, SIDE, number)
        (folder / name).write_bytes(data)


@_made
def jpeg_face(folder: Path) -> None:
    (folder / "00001_0.jpg").write_bytes(_full_face())


@_made
def png_face(folder: Path) -> None:
    from core.formats import dfl_image

    record = facekit.record("00001_0.png", SIDE, xseg_mask=_mask(), polygons=(_triangle(),))
    (folder / "00001_0.png").write_bytes(dfl_image.embed(facekit.png(SIDE), record))


def picture(suffix: str, *, deep: bool = False) -> Callable[[], Tree]:
    """A picture of a format that OpenCV writes. deep: 16 bits a channel."""

    @_made
    def make(folder: Path) -> None:
        pixels = facekit.pixels(SIDE)
        image = pixels.astype(np.uint16) * 257 if deep else pixels
        assert cv2.imwrite(str(folder / f"00001{suffix}"), image)

    return make


@_made
def pak(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        _faces(Path(name), 6)
        paths = sorted(Path(name).iterdir())
        (folder / "aligned").mkdir()
        people = [None, None, None, None, "ann", "bob"]
        write_pak(folder / "aligned/faceset.pak", [FileSource(*pair) for pair in zip(paths, people, strict=True)])


def _weights(path: Path, **arrays: np.ndarray) -> None:
    with open(path, "wb") as stream:
        dfl_weights.write_arrays(stream, arrays.items())


@_made
def weights(folder: Path) -> None:
    random = np.random.default_rng(1)
    _weights(
        folder / "encoder.npy",
        **{
            "down1/conv1/weight:0": random.random((3, 3, 3, 8), np.float32),
            "down1/conv1/bias:0": np.zeros(8, np.float32),
        },
    )


@_made
def optimizer(folder: Path) -> None:
    random = np.random.default_rng(1)
    slots = [
        (slot, f"encoder/{name}:0", random.random(n, np.float32))
        for slot in ("ms", "vs")
        for name, n in (("a/b", 9), ("c", 4))
    ]
    with open(folder / "src_dst_opt.npy", "wb") as stream:
        dfl_weights.write_optimizer(stream, 1234, slots)


@_made
def model_data(folder: Path) -> None:
    options = {
        "resolution": 64,
        "face_type": "wf",
        "archi": "liae-udt",
        "ae_dims": 32,
        "e_dims": 16,
        "d_dims": 16,
        "d_mask_dims": 16,
        "masked_training": True,
        "random_hsv_power": 0.05,
    }
    data = ModelData(
        3, options, [[1.0, 0.5], [0.9, 0.4], [0.8, 0.3]], [np.zeros((1, 4, 4, 3), np.float32)], {"other": b"kept"}
    )
    with open(folder / "data.dat", "wb") as stream:
        dfl_weights.write_data(stream, data)


@_made
def archive(folder: Path) -> None:
    with zipfile.ZipFile(folder / "set.zip", "w", zipfile.ZIP_DEFLATED) as stream:
        for name, data in weights().items():
            stream.writestr(f"model/{name}", data)
        for number in range(3):
            stream.writestr(f"faces/{number}.jpg", facekit.face(f"{number}.jpg", SIDE, number))
        stream.writestr("readme.txt", "how to use it")


@_made
def xseg_archive(folder: Path) -> None:
    from mask_networks import write_xseg

    with (
        tempfile.TemporaryDirectory() as name,
        zipfile.ZipFile(folder / "GenericXseg.zip", "w", zipfile.ZIP_DEFLATED) as stream,
    ):
        write_xseg(Path(name), 64, 1)
        stream.write(Path(name) / "XSeg_64.npy", "XSeg_256.npy")
        stream.write(Path(name) / "XSeg_data.dat", "XSeg_data.dat")


def _labelled(name: str) -> LabelledImage:
    return LabelledImage(name, (SIDE, SIDE), (_triangle(), _hole()), "0123456789abcdef")


@_made
def labelme_files(folder: Path) -> None:
    content = json.loads(labelme.write(_labelled("00001_0.jpg")))
    more = [
        {"label": "face", "shape_type": "circle", "points": [[10, 10], [14, 12]]},
        {"label": "hole", "shape_type": "rectangle", "points": [[1, 2], [3, 4]]},
    ]
    content["shapes"] += more
    (folder / "00001_0.json").write_text(json.dumps(content))
    (folder / "faces.json").write_text(json.dumps({"00001_0.jpg": "0123456789abcdef"}))


@_made
def coco_file(folder: Path) -> None:
    content = json.loads(coco.write([_labelled("00001_0.jpg"), _labelled("00002_0.jpg")]))
    runs = {"counts": [10, 500, SIDE * SIDE - 510], "size": [SIDE, SIDE]}
    content["annotations"].append({"id": 9, "image_id": 1, "category_id": 1, "segmentation": runs})
    (folder / "labels.json").write_text(json.dumps(content))


@_made
def mask_network(folder: Path) -> None:
    tiny_net(folder / "net.onnx", np.eye(3), np.zeros(3), 32)
    description = {
        "model": "net.onnx",
        "size": 32,
        "crop": "wf",
        "output": "labels",
        "labels": {"face": [1]},
        "include": ["face"],
    }
    (folder / "net.json").write_text(json.dumps(description))


def workspace_with_database(folder: Path) -> Workspace:
    workspace = Workspace(folder)
    side = workspace.side("src")
    _faces(side.aligned)
    with open_database(side.database, create=True) as connection:
        extraction.write_settings(connection, {"embedder": "sface", "face_type": "whole_face"})
    with open_known(side) as known:
        saved_metadata.save(known.connection, known.faceset)
        record = known.faceset.full_record(1)
        row = MaskRow(known.ids[1], "hull", "landmarks hull 1", checksum(record.xseg_mask or b""), 0.4, 0.1, "00" * 8)
        with MaskTable(known.connection) as table:
            table.add(row)
            table.add(MaskRow(known.ids[0], "xseg", "xseg 1", 1, 0.4, 0.1, "00" * 8, _mask()))
        _measured(known.connection)
    return workspace


def _measured(connection: sqlite3.Connection) -> None:
    face = next(faces.faces(connection))
    vectors, scores = {"sface": np.ones(128, np.float32)}, {"yaw": 0.1, "sharpness": 3.0}
    with connection:
        frame = connection.execute("SELECT frame FROM frames").fetchone()[0]
        connection.execute("DELETE FROM faces WHERE face = ?", (face.id,))
        faces.add_face(connection, frame, FaceRow(face, None, scores, vectors))
        faces.add_face(connection, frame, FaceRow(faces.filtered_face("00001.png", "too small", 0)))


@_made
def database(folder: Path) -> None:
    workspace_with_database(folder)


@_made
def old_database(folder: Path) -> None:
    """The database of version 1 of the golden workspace, with two of its faces."""
    with tempfile.TemporaryDirectory() as name, tarfile.open(TESTS / "golden/workspace_v1.tar.xz") as stream:
        stream.extractall(name)
        side = Path(name) / "data_src"
        chosen = [side / "faces.db", side / "masks.db", *sorted((side / "aligned").iterdir())[:2]]
        for path in [*chosen, *sorted((side / "aligned_history").iterdir())]:
            target = folder / path.relative_to(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())


@_made
def model(folder: Path) -> None:
    model = ModelFolder(folder / "model", "swap")
    for iteration in (3, 5):
        model.save(iteration, {**writers(iteration, 60), "forge.json": lambda stream: stream.write(_STATE)})


_STATE = json.dumps(
    {
        "iteration": 5,
        "seed": 1,
        "rate": 1.0,
        "held_out": 2,
        "held": [[1, 0.5, 0.5]],
        "schedule": {
            "preset": {
                "name": "own",
                "description": "",
                "options": {},
                "phase": [{"until": 10, "random_warp": True}, {"random_warp": False}],
            },
            "base": {"random_warp": True},
            "begun": 0,
        },
    }
).encode()


@_made
def faces_that_moved(folder: Path) -> None:
    side = Workspace(folder).side("src")
    _faces(side.aligned, 5)
    a, b, c = (f"aligned/{number:05d}_0.jpg" for number in (1, 2, 3))
    journal.begin(side.frames, "sort by hist", [Move(a, b), Move(b, a)])
    journal.begin(side.frames, "clean", [Move(c, "aligned_trash/00003_0.jpg", "blurred")])
    last = side.frames / "aligned_history/000002.json"
    last.write_text(json.dumps({**json.loads(last.read_text()), "phase": "arrive"}))
    write_receipt(
        side.frames, Receipt({"name": "data_src.mp4", "size": 1, "mtime_ns": 2}, {"format": "png"}, 5, 5, 1, "odd")
    )


@_made
def scores(folder: Path) -> None:
    for group, columns in COLUMNS.items():
        score_files.save(folder, group, [bytes(16), bytes(15) + b"1"], [dict(columns), None])


@_made
def preset(folder: Path) -> None:
    (folder / "own.toml").write_text(
        'description = "mine"\n\n[options]\nresolution = 128\nrandom_warp = true\n\n[[phase]]\nuntil = 1000\n'
        'learning_rate = 1e-4\n\n[[phase]]\nreinit = ["inter_AB"]\nreinit_every = 100\nrandom_warp = false\n'
    )


@_made
def film(folder: Path) -> None:
    from clips import make_clip, pattern

    make_clip(folder / "data_src.mp4", *pattern(0.4, "48x32"), "-c:v", "mpeg4")


@_made
def faceswap_alignments(folder: Path) -> None:
    """As faceswap writes them, with numpy's arrays and without."""
    for era in ("newest/frames", "guide2023"):
        (folder / f"{era[:5]}.fsa").write_bytes((TESTS / f"golden/faceswap/{era}/alignments.fsa").read_bytes())


@_made
def faceswap_pickle(folder: Path) -> None:
    """Without the compression, so that changes reach what is inside."""
    raw = zlib.decompress((TESTS / "golden/faceswap/guide2023/alignments.fsa").read_bytes())
    (folder / "alignments.p").write_bytes(raw)


@_made
def faceswap_json(folder: Path) -> None:
    export_json.write(folder / "export.json", fsa_cases.document())
    (folder / "old.json").write_text(json.dumps(fsa_cases.plain(2.0)))


@_made
def faceswap_picture(folder: Path) -> None:
    golden = TESTS / "golden/faceswap/guide2023/faces/test_img1_0.png"
    (folder / "face.png").write_bytes(golden.read_bytes())


def in_memory_zip(members: dict[str, bytes]) -> bytes:
    """A ZIP archive of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as stream:
        for name, data in members.items():
            stream.writestr(name, data)
    return buffer.getvalue()
