"""Packing and unpacking lose nothing, also when they are cut short, repeated, or given bad material."""

import multiprocessing
import os
import signal
import time

import facekit
import pytest
import strict_original

from core import parallel
from core.errors import CorruptFileError, InputError
from core.faceset import packing
from core.formats import dfl_image
from core.formats.pak import PakReader
from core.formats.pak_sources import FileSource
from core.formats.pak_writer import write_pak
from core.options import parse
from core.stages.faceset import pack, unpack
from core.workspace import Workspace


@pytest.fixture
def ws(tmp_path):
    return Workspace(tmp_path).create()


def run(stage, ws, **options):
    return stage.run(stage.Options(side="src", **options), ws)


def contents(folder) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.jpg"))}


def rows(report) -> dict:
    return dict(report.rows)


def test_there_and_back(ws):
    folder = ws.side("src").aligned
    facekit.write_faces(folder, 5)
    (folder / "plain.jpg").write_bytes(facekit.jpeg())
    before = contents(folder)
    report = run(pack, ws, remove_originals=True)
    assert rows(report)["faces packed"] == 5
    assert "plain.jpg" in report.warnings[0]
    assert set(contents(folder)) == {"plain.jpg"}
    assert len(strict_original.check_pak(ws.side("src").pak.read_bytes())) == 5
    report = run(unpack, ws)
    assert rows(report)["faces written"] == 5
    assert contents(folder) == before
    assert not ws.side("src").pak.exists()
    assert [path.name.endswith("faceset.pak") for path in ws.trash.iterdir()] == [True]


def test_originals_are_kept_unless_asked(ws):
    facekit.write_faces(ws.side("src").aligned, 3)
    run(pack, ws)
    assert len(contents(ws.side("src").aligned)) == 3
    assert "already" in run(pack, ws).title
    run(pack, ws, overwrite=True)
    assert len(list(ws.trash.iterdir())) == 1


def test_persons(ws):
    folder = ws.side("src").aligned
    facekit.write_faces(folder / "anna", 2)
    facekit.write_faces(folder / "ben 2", 3)
    before = contents(folder)
    report = run(pack, ws, remove_originals=True)
    assert rows(report)["persons"] == 2
    assert not (folder / "anna").exists()
    assert [config["person_name"] for config, _ in strict_original.check_pak(ws.side("src").pak.read_bytes())] == [
        "anna"
    ] * 2 + ["ben 2"] * 3
    run(unpack, ws)
    assert contents(folder) == before


def test_pictures_beside_persons_need_a_choice(ws):
    folder = ws.side("src").aligned
    facekit.write_faces(folder / "anna", 2)
    facekit.write_faces(folder, 3)
    with pytest.raises(InputError, match="both"):
        run(pack, ws)
    assert rows(run(pack, ws, person=True))["faces packed"] == 2
    assert rows(run(pack, ws, person=False, overwrite=True))["faces packed"] == 3


def test_only_packed_files_are_removed(ws):
    folder = ws.side("src").aligned
    facekit.write_faces(folder / "anna", 2)
    (folder / "anna" / "notes.txt").write_text("mine")
    (folder / "anna" / "plain.jpg").write_bytes(facekit.jpeg())
    run(pack, ws, remove_originals=True)
    assert {path.name for path in (folder / "anna").iterdir()} == {"notes.txt", "plain.jpg"}


def test_append(ws):
    folder = ws.side("src").aligned
    paths = facekit.write_faces(folder, 3)
    run(pack, ws, remove_originals=True)
    paths[0].write_bytes(facekit.face(paths[0].name, seed=0))
    (folder / "00009_0.jpg").write_bytes(facekit.face("00009_0.jpg", seed=9))
    report = run(pack, ws, append=True)
    assert (rows(report)["faces packed"], rows(report)["same face twice"]) == (4, 1)
    paths[1].write_bytes(facekit.face(paths[1].name, seed=77))
    with pytest.raises(InputError, match="overwrite"):
        run(pack, ws, append=True)
    run(pack, ws, append=True, overwrite=True)
    with PakReader(ws.side("src").pak) as reader:
        assert [record.name for record in reader] == ["00001_0.jpg", "00002_0.jpg", "00003_0.jpg", "00009_0.jpg"]
        assert reader.read(1) == paths[1].read_bytes()


def test_merge(ws, tmp_path):
    for name, seeds in (("a", (0, 1)), ("b", (0, 5))):
        other = Workspace(tmp_path / name).create()
        for number, seed in enumerate(seeds):
            (other.side("src").aligned / f"{number:05d}_0.jpg").write_bytes(facekit.face("x", seed=seed))
        run(pack, other)
        other.side("src").pak.rename(tmp_path / f"{name}.pak")
    report = pack.run(
        parse(pack.Options, "pack", ["src", "--merge", str(tmp_path / "a.pak"), str(tmp_path / "b.pak")]), ws
    )
    with PakReader(ws.side("src").pak) as reader:
        assert [record.name for record in reader] == ["00000_0.jpg", "00001_0.jpg", "b_00001_0.jpg"]
        assert reader.read(2) == facekit.face("x", seed=5)
    assert (rows(report)["same face twice"], rows(report)["renamed"]) == (1, 1)
    assert (tmp_path / "a.pak").exists()


def test_a_face_is_compared_with_all_that_had_its_name(ws, tmp_path):
    paks = []
    for name, seed in (("a", 0), ("b", 5), ("c", 5), ("d", 6), ("b/b", 5)):
        paks.append(tmp_path / f"{name}.pak")
        paks[-1].parent.mkdir(exist_ok=True)
        (tmp_path / "x.jpg").write_bytes(facekit.face("x", seed=seed))
        write_pak(paks[-1], [FileSource(tmp_path / "x.jpg")])
    report = run(pack, ws, merge=paks[:4])
    with PakReader(ws.side("src").pak) as reader:
        assert [record.name for record in reader] == ["x.jpg", "b_x.jpg", "d_x.jpg"]
        assert [reader.read(i) for i in range(3)] == [facekit.face("x", seed=seed) for seed in (0, 5, 6)]
    assert (rows(report)["same face twice"], rows(report)["renamed"]) == (1, 2)
    report = run(pack, ws, merge=[paks[4]], append=True)
    assert (rows(report)["faces packed"], rows(report)["same face twice"]) == (3, 1)


def test_unpack_refuses_to_overwrite(ws):
    folder = ws.side("src").aligned
    paths = facekit.write_faces(folder, 3)
    run(pack, ws)
    other = facekit.face(paths[1].name, seed=50)
    paths[1].write_bytes(other)
    paths[0].unlink()
    with pytest.raises(InputError, match="00002_0"):
        run(unpack, ws)
    assert not paths[0].exists(), "refused before anything is written"
    report = run(unpack, ws, overwrite=True)
    assert (rows(report)["faces written"], rows(report)["already there"], rows(report)["replaced"]) == (2, 1, 1)
    assert paths[1].read_bytes() == facekit.face(paths[1].name, seed=1)
    assert other in [path.read_bytes() for path in ws.trash.iterdir()]


def test_several_processes_unpack_what_one_does(ws, monkeypatch):
    folder = ws.side("src").aligned
    facekit.write_faces(folder / "anna", 5)
    facekit.write_faces(folder / "ben", 4)
    before = contents(folder)
    run(pack, ws, remove_originals=True)
    monkeypatch.setattr(parallel, "_PAYS_FROM", 2)
    monkeypatch.setattr(parallel, "_CHUNK", 1)
    monkeypatch.setattr(packing, "_RUN", 2)
    assert rows(run(unpack, ws))["faces written"] == 9
    assert contents(folder) == before
    assert not list(folder.rglob(".*"))


def test_a_pak_that_shrinks_while_it_is_unpacked(ws):
    folder, pak = ws.side("src").aligned, ws.side("src").pak
    facekit.write_faces(folder, 3)
    before = contents(folder)
    run(pack, ws, remove_originals=True)
    with PakReader(pak) as reader:
        os.truncate(pak, pak.stat().st_size - 10)
        with pytest.raises(CorruptFileError, match="shorter"):
            packing.unpack(reader, folder, ws.trash)
    assert contents(folder) == {name: data for name, data in before.items() if name != "00003_0.jpg"}


def test_keep_pak(ws):
    facekit.write_faces(ws.side("src").aligned, 2)
    run(pack, ws)
    run(unpack, ws, keep_pak=True)
    assert ws.side("src").pak.exists()


def test_salvage(ws):
    folder = ws.side("src").aligned
    facekit.write_faces(folder, 4)
    run(pack, ws, remove_originals=True)
    pak = ws.side("src").pak
    pak.write_bytes(pak.read_bytes()[:-2000])
    with pytest.raises(Exception, match="cut short"):
        run(unpack, ws)
    report = run(unpack, ws, salvage=True)
    assert rows(report)["faces written"] == 3
    assert rows(report)["not recovered"] == 1
    assert pak.exists()
    assert list(contents(folder)) == ["00001_0.jpg", "00002_0.jpg", "00003_0.jpg"]
    assert all(dfl_image.read(path) for path in folder.glob("*.jpg"))


def test_nothing_to_do(ws):
    for stage in (pack, unpack):
        with pytest.raises(InputError):
            run(stage, ws)


def _slow_unpack(root):
    from core.faceset import packing

    write = packing._write_checked

    def slow(place, data):
        write(place, data)
        time.sleep(0.05)

    packing._write_checked = slow
    run(unpack, Workspace(root))


def test_killed_while_unpacking(ws):
    """kill -9 in the middle: whole faces only, the pak still there, and running again completes it."""
    folder, pak = ws.side("src").aligned, ws.side("src").pak
    facekit.write_faces(folder, 40)
    before = contents(folder)
    run(pack, ws, remove_originals=True)
    process = multiprocessing.get_context("fork").Process(target=_slow_unpack, args=(ws.root,))
    process.start()
    deadline = time.monotonic() + 60
    while len(list(folder.glob("[0-9]*.jpg"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    done = contents(folder)
    assert 3 <= len(done) < 40
    assert all(before[name] == data for name, data in done.items())
    assert pak.exists()
    report = run(unpack, ws)
    assert rows(report)["already there"] == len(done)
    assert contents(folder) == before


def test_packing_twice_is_nothing_to_do_and_finishes_what_was_asked(ws):
    folder = ws.side("src").aligned
    facekit.write_faces(folder, 3)
    run(pack, ws)
    again = run(pack, ws, remove_originals=True)
    assert "already" in again.title and rows(again)["originals removed"] == 3
    assert not contents(folder)
    (folder / "00000_9.jpg").write_bytes(facekit.face("00000_9.jpg", seed=9))
    with pytest.raises(InputError, match="already"):
        run(pack, ws, remove_originals=True)
    assert list(contents(folder)) == ["00000_9.jpg"]
