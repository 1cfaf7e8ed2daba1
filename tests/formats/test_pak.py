"""Packed facesets: the original's and ours, damaged and hostile ones, random access."""

import os
import pickle
import random
import struct
import sys
import types
from dataclasses import replace

import facekit
import numpy as np
import pytest
import strict_original
from golden_files import golden_path

from core.errors import CorruptFileError, InputError
from core.formats import dfl_image, pak_writer
from core.formats.names import UniqueNames, safe_component, safe_image_name
from core.formats.pak import PakReader
from core.formats.pak_sources import FileSource
from core.imaging.masks import encode_mask
from core.types import Polygon


@pytest.fixture
def enums(monkeypatch):
    """Stand-ins for the original's enum classes, so that the standard pickler writes their names."""
    import enum

    made = {}
    for module, name in (("samplelib.Sample", "SampleType"), ("facelib.FaceType", "FaceType")):
        kind = enum.IntEnum(name, {"MINUS": -1, **{f"N{n}": n for n in range(30)}}, module=module)
        # As the original's Python writes them; 3.11.0 to 3.11.3 write a getattr.
        kind.__reduce_ex__ = lambda self, protocol: (type(self), (int(self),))
        holder = types.ModuleType(module)
        setattr(holder, name, kind)
        monkeypatch.setitem(sys.modules, module.split(".")[0], types.ModuleType(module.split(".")[0]))
        monkeypatch.setitem(sys.modules, module, holder)
        made[name] = kind
    return made


def build(configs: list, files: list[bytes], *, relative: bool = False, protocol: int = 4, version: int = 1) -> bytes:
    """A pak by hand, for tests of the reader."""
    config = pickle.dumps(configs, protocol)
    table = np.zeros(len(files) + 1, "<u8")
    table[1:] = np.cumsum([len(f) for f in files])
    if not relative and files:
        table[-1] += 16 + len(config) + table.nbytes
    return struct.pack("<QQ", version, len(config)) + config + table.tobytes() + b"".join(files)


def config(record, **changes) -> dict:
    made = {
        "sample_type": 1,
        "filename": record.name,
        "face_type": 4,
        "shape": (*record.shape, 3),
        "landmarks": record.landmarks.tolist(),
        "seg_ie_polys": {"polys": []},
        "xseg_mask": None,
        "xseg_mask_compressed": None,
        "eyebrows_expand_mod": 1.0,
        "source_filename": record.source_filename,
        "person_name": None,
    }
    return {**made, **changes}


def write(folder, data: bytes):
    path = folder / "faceset.pak"
    path.write_bytes(data)
    return path


def simple(folder, count=3, **kwargs):
    names = [f"{n:05d}_0.jpg" for n in range(count)]
    configs = [config(facekit.record(name, seed=n)) for n, name in enumerate(names)]
    return write(folder, build(configs, [facekit.face(name, seed=n) for n, name in enumerate(names)], **kwargs))


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_both_forms_of_the_last_offset(tmp_path, relative, protocol):
    with PakReader(simple(tmp_path, relative=relative, protocol=protocol)) as reader:
        assert [reader.read(i) for i in (2, 0, 1)] == [facekit.face(f"{n:05d}_0.jpg", seed=n) for n in (2, 0, 1)]
        assert np.array_equal(reader.records[1].landmarks, facekit.record(seed=1).landmarks)
        assert facekit.same_record(reader.full_record(1), facekit.record("00001_0.jpg", seed=1))


def test_written_pak_obeys_the_original(tmp_path):
    mask = encode_mask(np.eye(16, dtype=np.float32))
    changes = [
        {},
        {"polygons": (Polygon(True, np.float32([[1, 2], [3, 4], [5, 1]])),)},
        {"xseg_mask": mask, "eyebrows_expand_mod": 2.0},
    ]
    sources = []
    for n, change in enumerate(changes):
        path = tmp_path / f"{n:05d}_0.jpg"
        path.write_bytes(facekit.face(path.name, seed=n, **change))
        sources.append(FileSource(path, "Ä person" if n == 2 else None))
    packed = pak_writer.write_pak(tmp_path / "faceset.pak", sources)
    assert len(packed.kept) == 3
    found = strict_original.check_pak((tmp_path / "faceset.pak").read_bytes())
    assert [data for _, data in found] == [source.path.read_bytes() for source in sources]
    assert [c["filename"] for c, _ in found] == ["00000_0.jpg", "00001_0.jpg", "00002_0.jpg"]
    assert found[0][0]["face_type"].value == 4
    assert found[2][0]["person_name"] == "Ä person"
    assert found[2][0]["xseg_mask_compressed"].tobytes() == mask
    with PakReader(tmp_path / "faceset.pak") as reader:
        for n, change in enumerate(changes):
            expected = facekit.record(f"{n:05d}_0.jpg", seed=n, person="Ä person" if n == 2 else None, **change)
            assert facekit.same_record(reader.full_record(n), expected)
            assert facekit.same_record(
                reader.records[n], replace(expected, source_landmarks=None, source_rect=None, image_to_face_mat=None)
            )


def test_no_faces_are_left_out_and_named(tmp_path):
    paths = facekit.write_faces(tmp_path, 2)
    (tmp_path / "00003_0.jpg").write_bytes(facekit.jpeg())
    (tmp_path / "00004_0.jpg").write_bytes(facekit.face()[:900])
    sources = [FileSource(path) for path in sorted(tmp_path.glob("*.jpg"))]
    packed = pak_writer.write_pak(tmp_path / "faceset.pak", sources)
    assert [source.path for source in packed.kept] == paths
    assert [name for name, _ in packed.problems] == ["00003_0.jpg", "00004_0.jpg"]


def test_nothing_to_pack_leaves_nothing(tmp_path):
    (tmp_path / "x.jpg").write_bytes(facekit.jpeg())
    with pytest.raises(InputError, match="nothing to pack"):
        pak_writer.write_pak(tmp_path / "faceset.pak", [FileSource(tmp_path / "x.jpg")])
    assert [p.name for p in tmp_path.iterdir()] == ["x.jpg"]


def test_a_source_that_changes_meanwhile(tmp_path):
    paths = facekit.write_faces(tmp_path, 2)

    class Restless(FileSource):
        def size(self):
            return super().size() - 1

    with pytest.raises(InputError, match="changed"):
        pak_writer.write_pak(tmp_path / "faceset.pak", [Restless(path) for path in paths])
    assert not (tmp_path / "faceset.pak").exists()


@pytest.mark.parametrize(
    ("number", "inside", "expected"),
    [
        (4, "whole_face", "whole_face"),
        (4, "head", "head"),
        (5, "head", "head"),
        (5, "head_no_align", "head_no_align"),
        (10, "head", "head"),
        (10, "mark_only", "mark_only"),
        (2, "full_face", "full_face"),
    ],
)
def test_old_face_type_numbers(tmp_path, enums, number, inside, expected):
    names = ["a.jpg", "b.jpg"]
    configs = [
        config(facekit.record(name), face_type=enums["FaceType"](number), sample_type=enums["SampleType"](1))
        for name in names
    ]
    with PakReader(write(tmp_path, build(configs, [facekit.face(name, face_type=inside) for name in names]))) as reader:
        assert [record.face_type for record in reader] == [expected] * 2


def test_one_number_with_two_meanings(tmp_path):
    kinds = ["whole_face", "head", "whole_face"]
    configs = [config(facekit.record(f"{n}.jpg")) for n in range(3)]
    with PakReader(
        write(
            tmp_path,
            build(
                [configs[0], configs[1], configs[2], config(facekit.record("3.jpg"))],
                [facekit.face(f"{n}.jpg", face_type=kind) for n, kind in enumerate([*kinds, "head"])],
            ),
        )
    ) as reader:
        assert [record.face_type for record in reader] == [*kinds, "head"]


def test_old_and_missing_keys(tmp_path):
    face = facekit.face("a.jpg")
    old = config(
        facekit.record("a.jpg"),
        seg_ie_polys=[(1, [[1, 2], [3, 4], [5, 9]])],
        xseg_mask=np.ones((8, 8, 1), np.float32),
        unknown={"x": 1},
    )
    del old["xseg_mask_compressed"], old["eyebrows_expand_mod"], old["person_name"]
    with PakReader(write(tmp_path, build([old], [face]))) as reader:
        record = reader.records[0]
    assert record.polygons[0].include
    assert record.xseg_mask.startswith(b"\x89PNG")
    assert record.eyebrows_expand_mod == 1.0


def test_a_damaged_entry_is_replaced_by_the_embedded_face(tmp_path):
    configs = [
        config(facekit.record("a.jpg"), landmarks=None),
        config(facekit.record("b.jpg"), shape=None),
        5,
        config(facekit.record("d.jpg")),
    ]
    files = [facekit.face("a.jpg"), facekit.jpeg(), facekit.face("c.jpg"), facekit.face("d.jpg")]
    with PakReader(write(tmp_path, build(configs, files))) as reader:
        assert [record.name for record in reader] == ["a.jpg", "face_000002.jpg", "d.jpg"]
        assert reader.read(1) == files[2]
        assert [name for name, _ in reader.problems] == ["b.jpg"]


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.jpg",
        "/etc/passwd.jpg",
        "..\\..\\x.jpg",
        "C:\\x.jpg",
        "..",
        "",
        ".",
        ".bashrc",
        "a\0b.jpg",
        "a\n.jpg",
        "x" * 5000,
        None,
        5,
        "run.sh",
        "\ud800.jpg",
        "..jpg",
        " .. ",
    ],
)
def test_hostile_names(tmp_path, name):
    with PakReader(
        write(tmp_path, build([config(facekit.record(), filename=name, person_name=name)] * 1, [facekit.face()]))
    ) as reader:
        found, person = reader.records[0].name, reader.records[0].person
    for part in (found, *([person] if name is not None else [])):
        assert part
        assert part not in (".", "..")
        assert not set(part) & set("/\\\0\n")
        assert len(part.encode()) <= 220
        assert not part.startswith(".")
    assert found.lower().endswith((".jpg", ".png", ".jpeg"))


def test_names_twice(tmp_path):
    with PakReader(
        write(
            tmp_path, build([config(facekit.record("a.jpg")), config(facekit.record("x/A.jpg"))], [facekit.face()] * 2)
        )
    ) as reader:
        assert [record.name for record in reader] == ["a.jpg", "A~2.jpg"]


def test_names():
    assert safe_component("Mädchen 1.jpg", "x") == "Mädchen 1.jpg"
    assert safe_image_name("a.JPG", "x") == "a.JPG"
    assert safe_image_name("a.exe", "x") == "a.exe.jpg"
    names = UniqueNames()
    assert [names.take("a.jpg"), names.take("a.jpg"), names.take("a.jpg", "p"), names.take("A.jpg")] == [
        "a.jpg",
        "a~2.jpg",
        "a.jpg",
        "A~3.jpg",
    ]


def test_truncated_and_salvage(tmp_path):
    path = simple(tmp_path, 4)
    data = path.read_bytes()
    path.write_bytes(data[:-3000])
    with pytest.raises(CorruptFileError) as caught:
        PakReader(path)
    assert "--salvage" in caught.value.hint
    with PakReader(path, salvage=True) as reader:
        whole = [i for i in range(len(reader)) if reader.is_whole(i)]
        assert [reader.read(i) for i in whole] == [facekit.face(f"{n:05d}_0.jpg", seed=n) for n in whole]
        assert 2 <= len(whole) < 4


def test_a_pak_that_shrinks_while_it_is_read(tmp_path):
    path = simple(tmp_path, 3)
    with PakReader(path) as reader:
        os.truncate(path, path.stat().st_size - 100)
        assert reader.read(0) == facekit.face("00000_0.jpg", seed=0)
        with pytest.raises(CorruptFileError, match="shorter while"):
            reader.read(2)


def test_every_truncation_is_a_typed_error(tmp_path):
    path = simple(tmp_path, 2)
    data = path.read_bytes()
    for end in [*range(40), *range(40, len(data), 331), len(data) - 1]:
        path.write_bytes(data[:end])
        with pytest.raises(CorruptFileError):
            PakReader(path)


def test_bit_flips(tmp_path):
    path = simple(tmp_path, 2)
    data, rng = bytearray(path.read_bytes()), random.Random(3)
    length = struct.unpack_from("<Q", data, 8)[0]
    places = [
        *range(16),
        *range(16, 140),
        *(rng.randrange(16, 16 + length) for _ in range(200)),
        *range(16 + length, 16 + length + 24),
    ]
    for position in places:
        bit = 1 << rng.randrange(8)
        data[position] ^= bit
        path.write_bytes(data)
        try:
            with PakReader(path) as reader:
                for i in range(len(reader)):
                    reader.read(i)
        except CorruptFileError:
            pass
        data[position] ^= bit


@pytest.mark.parametrize("table", [[0, 2**63, 100], [5, 10, 20], [0, 2**40, 2**40], [0, -1 % 2**64, 3]])
def test_offsets_that_make_no_sense(tmp_path, table):
    path = simple(tmp_path, 2)
    data = bytearray(path.read_bytes())
    at = 16 + struct.unpack_from("<Q", data, 8)[0]
    data[at : at + 24] = struct.pack("<QQQ", *table)
    path.write_bytes(data)
    with pytest.raises(CorruptFileError):
        PakReader(path)


def test_hostile_list(tmp_path):
    attack = b"\x80\x04]\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85Ra."
    with pytest.raises(CorruptFileError, match="os.system"):
        PakReader(write(tmp_path, struct.pack("<QQ", 1, len(attack)) + attack + bytes(16)))
    with pytest.raises(CorruptFileError):
        PakReader(write(tmp_path, struct.pack("<QQ", 1, 2**60)))
    with pytest.raises(CorruptFileError, match="version"):
        PakReader(write(tmp_path, build([], [], version=2)))
    with pytest.raises(InputError):
        PakReader(tmp_path / "absent.pak")


def test_a_list_cannot_make_faces_larger_than_they_are(tmp_path):
    """Masks are made in the size that the list says: eight thousand pixels a side would take gigabytes."""
    names = ["00000_0.jpg", "00001_0.jpg", "00002_0.jpg"]
    files = [facekit.face(name, 64) for name in names]
    shapes = [(64, 64, 3), (8000, 8000, 3), (60_000, 60_000, 3)]
    configs = [config(facekit.record(name, 64), shape=shape) for name, shape in zip(names, shapes, strict=True)]
    with PakReader(write(tmp_path, build(configs, files))) as reader:
        # The last one makes no sense, and what the face itself says is taken.
        assert [(record.name, record.shape) for record in reader] == [(names[0], (64, 64)), (names[2], (64, 64))]
        assert reader.problems == [(names[1], "the list says another size than the picture")]


def test_large_faces_are_read(tmp_path):
    face = facekit.face("a.jpg", 2200)
    with PakReader(write(tmp_path, build([config(facekit.record("a.jpg", 2200))], [face]))) as reader:
        assert [record.shape for record in reader] == [(2200, 2200)]
        assert reader.problems == []


def test_empty_pak(tmp_path):
    with PakReader(write(tmp_path, build([], []))) as reader:
        assert len(reader) == 0


def test_reader_goes_to_other_processes(tmp_path):
    with PakReader(simple(tmp_path)) as reader:
        copy = pickle.loads(pickle.dumps(reader))
        assert copy.read(1) == reader.read(1)
        copy.close()


def test_golden_pak(tmp_path):
    pak, faces = golden_path("dfl-faceset/pak_flat/faceset.pak"), golden_path("dfl-faceset/aligned_whole_face")
    with PakReader(pak) as reader:
        assert reader.problems == []
        assert [record.name for record in reader] == sorted(path.name for path in faces.glob("*.jpg"))
        for i, record in enumerate(reader):
            path = faces / record.name
            assert reader.read(i) == path.read_bytes()
            original = dfl_image.read(path)
            assert facekit.same_record(
                record, replace(original, source_landmarks=None, source_rect=None, image_to_face_mat=None)
            )
    sources = [FileSource(path) for path in sorted(faces.glob("*.jpg"))]
    pak_writer.write_pak(tmp_path / "faceset.pak", sources)
    ours = strict_original.check_pak((tmp_path / "faceset.pak").read_bytes())
    theirs = strict_original.check_pak(pak.read_bytes())
    assert [data for _, data in ours] == [data for _, data in theirs]
    for (a, _), (b, _) in zip(ours, theirs, strict=True):
        assert a["landmarks"] == b["landmarks"]
        assert a["face_type"].value == b["face_type"].value
        assert {
            key: a[key] for key in ("filename", "shape", "eyebrows_expand_mod", "source_filename", "person_name")
        } == {key: b[key] for key in ("filename", "shape", "eyebrows_expand_mod", "source_filename", "person_name")}
