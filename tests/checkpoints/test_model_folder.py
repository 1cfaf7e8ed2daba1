"""The model folder: complete saves, publication, repair, files put there by hand, crashes and full disks."""

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
from golden_files import golden_path
from model_saves import NETWORKS, iterations, writers
from paths import ROOT, SUPPORT

from core.checkpoints import flat_files, saves
from core.checkpoints.model_folder import ModelFolder
from core.checkpoints.remarks import DamagedFile, DamagedSave, FileByHand, ModelByHand
from core.checkpoints.selection import choose, discover
from core.errors import CorruptFileError, DiskFullError, InputError
from core.formats.dfl_weights import read_data, read_weights


@pytest.fixture
def model(tmp_path) -> ModelFolder:
    (tmp_path / "model").mkdir()
    return ModelFolder(tmp_path / "model", "my face")


def test_save_and_load(model):
    assert not model.exists()
    for n in (10, 20, 30):
        model.save(n, writers(n))
    assert iterations(model) == {30}
    assert model.load().iteration == 30 and not model.load().remarks
    assert [s.iteration for s in saves.complete(model.saves)] == [30, 20]
    assert discover(model.folder) == ["my face"] and choose(model.folder).name == "my face"
    assert os.path.samefile(model.path("encoder.npy"), model.load().files["encoder.npy"])


def test_names(tmp_path):
    with pytest.raises(InputError):
        ModelFolder(tmp_path, "a/b")
    with pytest.raises(InputError, match="no model"):
        choose(tmp_path)
    for name in ("a", "b"):
        ModelFolder(tmp_path, name).save(1, writers(1))
    with pytest.raises(InputError, match="more than one"):
        choose(tmp_path)
    assert choose(tmp_path, "b").prefix == "b_SAEHD"
    with pytest.raises(InputError, match="of that name"):
        choose(tmp_path, "c")


@pytest.mark.parametrize("published", [0, 1, 2])
def test_publication_that_was_cut_short_is_completed(model, monkeypatch, published):
    model.save(1, writers(1))
    real, count = flat_files.publish, [0]

    def stop(source, target):
        if count[0] == published:
            raise KeyboardInterrupt
        count[0] += 1
        real(source, target)

    monkeypatch.setattr("core.checkpoints.model_folder.publish", stop)
    with pytest.raises(KeyboardInterrupt):
        model.save(2, writers(2))
    monkeypatch.undo()
    assert iterations(model) == {2}
    assert (
        read_data(model.path("data.dat")).iteration == 2
        and read_weights(model.path("encoder.npy"))["a/weight:0"][0] == 2
    )


def test_first_save_cut_before_publication(model, monkeypatch):
    monkeypatch.setattr("core.checkpoints.model_folder.publish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        model.save(1, writers(1))
    monkeypatch.undo()
    assert discover(model.folder) == ["my face"]
    assert iterations(model) == {1}


@pytest.mark.parametrize("damage", ["truncate", "garbage", "flip", "remove"])
def test_damaged_newest_save_gives_way_to_the_one_before(model, damage):
    model.save(1, writers(1))
    model.save(2, writers(2))
    path = saves.complete(model.saves)[0].folder / "encoder.npy"
    data = bytearray(path.read_bytes())
    if damage == "remove":
        path.unlink()
    else:
        data = {
            "truncate": data[:500],
            "garbage": os.urandom(len(data)),
            "flip": data[:4000] + bytes([data[4000] ^ 255]) + data[4001:],
        }[damage]
        with open(path, "r+b") as stream:  # in place: the flat file is the same inode
            stream.truncate()
            stream.write(data)
            stream.truncate(len(data))
    loaded = model.load()
    assert loaded.iteration == 1 and DamagedSave(2, used=1) in loaded.remarks
    assert iterations(model) == {1}
    assert read_weights(model.path("encoder.npy"))["a/weight:0"][0] == 1
    assert not model.load().remarks
    assert list((model.saves / saves.ASIDE).iterdir())
    model.save(3, writers(3))
    assert iterations(model) == {3}


def test_damaged_flat_copy_is_replaced(model):
    model.save(1, writers(1))
    path = model.path("decoder.npy")
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:-700])
    assert any(isinstance(each, DamagedFile) and each.name == path.name for each in model.load().remarks)
    assert path.read_bytes() == data


def test_everything_damaged(model):
    model.save(1, writers(1))
    path = model.path("decoder.npy")
    with open(path, "r+b") as stream:
        stream.write(b"rubbish")
    with pytest.raises(CorruptFileError, match="every save"):
        model.load()


@pytest.mark.parametrize("in_place", [True, False])
def test_file_dropped_in_by_hand_is_honoured(model, in_place):
    model.save(1, writers(1))
    model.save(2, writers(2))
    path = model.path("encoder.npy")
    if not in_place:
        path.unlink()
    with open(path, "wb") as stream:
        writers(77)["encoder.npy"](stream)
    looked = model.load(repair=False)
    loaded = model.load()
    assert looked.remarks == loaded.remarks == (FileByHand(path.name),)
    assert iterations(model) == {2, 77}
    assert not model.load().remarks  # it has become part of a save
    model.save(3, writers(3))
    assert iterations(model) == {3}


def test_original_folder_is_adopted(model):
    """A whole foreign model: its files are the model, even where saves of another exist."""
    model.save(9, writers(9))
    for name, write in (writers(4) | {"inter.npy": writers(4)["encoder.npy"]}).items():
        model.path(name).unlink(missing_ok=True)
        with open(model.path(name), "wb") as stream:
            write(stream)
    model.path("summary.txt").write_text("box")
    assert model.load().remarks == (ModelByHand(),)
    assert iterations(model) == {4}
    model.save(5, writers(5))
    assert set(model.load().files) == {*NETWORKS, "data.dat", "inter.npy", "summary.txt"}


def test_removed_model_stays_removed(model):
    model.save(1, writers(1))
    for path in model.folder.glob("my face_*"):
        path.unlink()
    assert not model.exists() and discover(model.folder) == []
    with pytest.raises(InputError, match="files were removed"):
        model.load()


def test_missing_flat_file_is_restored(model):
    model.save(1, writers(1))
    model.path("encoder.npy").unlink()
    assert iterations(model) == {1} and model.path("encoder.npy").exists()


def test_no_hard_links(model, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    model.save(1, writers(1))
    model.save(2, writers(2))
    assert iterations(model) == {2}
    assert not os.path.samefile(model.path("encoder.npy"), model.load().files["encoder.npy"])


class FullDisk:
    """The n-th write, fsync, link or rename from now on fails as on a full disk."""

    def __init__(self, monkeypatch, n: int):
        self.left = n
        for owner, name in ((os, "fsync"), (os, "link"), (os, "replace"), (os, "rename"), (os, "mkdir")):
            monkeypatch.setattr(owner, name, self.wrap(getattr(owner, name)))

    def wrap(self, function):
        def wrapped(*args, **kwargs):
            self.tick()
            return function(*args, **kwargs)

        return wrapped

    def tick(self):
        self.left -= 1
        if self.left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "disk")

    def writers(self, iteration):
        def stopped(write):
            def run(stream):
                self.tick()
                write(stream)

            return run

        return {name: stopped(write) for name, write in writers(iteration).items()}


def test_full_disk_at_every_write(model, monkeypatch):
    """Whichever operation fails: exit code 8, and a complete model (the old or the new) is there."""
    model.save(1, writers(1))
    n, failures, newest = 0, 0, 1
    while True:
        n += 1
        with monkeypatch.context() as patch:
            disk = FullDisk(patch, n)
            try:
                model.save(1 + n, disk.writers(1 + n))
            except DiskFullError as error:
                failures += 1
                assert error.exit_code == 8
        seen = iterations(model)
        assert seen in ({newest}, {1 + n}), n
        newest = seen.pop()
        if disk.left > 0:
            break
    assert failures > 15 and newest == 1 + n


CHILD = """
import sys; sys.path[:0] = [{root!r}, {support!r}]
from pathlib import Path
from core.checkpoints.remarks import DamagedFile, DamagedSave, FileByHand, ModelByHand
from core.checkpoints.model_folder import ModelFolder
from model_saves import writers
model = ModelFolder(Path(sys.argv[1]), "kill")
n = model.load().iteration if model.exists() else 0
print("ready", flush=True)
while True:
    n += 1
    model.save(n, writers(n, 60000))
    print(n, flush=True)
"""


def test_kill_at_random_moments(tmp_path):
    """After SIGKILL the newest save that was reported finished, or a later one, loads whole."""
    code = CHILD.format(root=str(ROOT), support=str(SUPPORT))
    model, rng, last = ModelFolder(tmp_path, "kill"), random.Random(5), 0
    for _ in range(12):
        child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.15))
        child.send_signal(signal.SIGKILL)
        reported = [int(line) for line in child.communicate()[0].split()]
        last = max([last, *reported])
        if model.exists():
            assert len(seen := iterations(model)) == 1, seen
            assert max(seen) >= last
            last = max(seen)
    assert last > 0


def test_golden_folder(tmp_path):
    """A folder as the original wrote it is found, read and adopted; a damaged copy is refused by name."""
    folder = tmp_path / "model"
    shutil.copytree(golden_path("dfl-model/model_folder"), folder)
    for path in [folder, *folder.iterdir()]:
        path.chmod(0o755)
    model = choose(folder)
    loaded = model.load()
    assert model.name == "t" and loaded.iteration == 4 and not loaded.remarks
    assert {
        "encoder.npy",
        "inter_AB.npy",
        "inter_B.npy",
        "decoder.npy",
        "src_dst_opt.npy",
        "data.dat",
        "summary.txt",
    } == set(loaded.files)
