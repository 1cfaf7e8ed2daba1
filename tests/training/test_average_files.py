"""Files of averaged weights: saved and loaded with the rest, never used with weights that they are no average of."""

import numpy as np
import pytest

from core.checkpoints import backups
from core.checkpoints.model_folder import ModelFolder
from core.checkpoints.selection import discover
from core.formats.dfl_weights import AVERAGED, ModelData, read_weights, write_arrays, write_data

NAMES = ("encoder.npy", "decoder.npy")


def network(value):
    return lambda stream: write_arrays(stream, [("a/weight:0", np.full(500, value, np.float32))])


def writers(iteration, averages=True):
    files = {name: network(iteration) for name in NAMES}
    files |= {AVERAGED + name: network(iteration + 0.5) for name in NAMES} if averages else {}
    return files | {"data.dat": lambda stream: write_data(stream, ModelData(iteration, {"resolution": 64}))}


def averages(model):
    """Name -> first number, of the averages that the model has."""
    return {
        name: float(read_weights(path)["a/weight:0"][0])
        for name, path in model.load().files.items()
        if name.startswith(AVERAGED)
    }


def by_hand(model, name, value):
    path = model.path(name)
    path.unlink()
    with open(path, "wb") as stream:
        network(value)(stream)


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model").mkdir()
    model = ModelFolder(tmp_path / "model", "m")
    for iteration in (10, 20):
        model.save(iteration, writers(iteration))
    return model


def test_averages_are_part_of_saves_backups_and_flat_files(model):
    assert averages(model) == {"ema_encoder.npy": 20.5, "ema_decoder.npy": 20.5}
    assert model.path("ema_encoder.npy").name == "m_SAEHD_ema_encoder.npy" and model.path("ema_encoder.npy").exists()
    assert discover(model.folder) == ["m"]
    backups.make_backup(model, "kept")
    model.save(30, writers(30, averages=False))
    backups.restore(model, "kept")
    assert averages(model) == {"ema_encoder.npy": 20.5, "ema_decoder.npy": 20.5}


def test_a_save_without_averages_ends_them_for_good(model):
    for iteration in (30, 40, 50):
        model.save(iteration, writers(iteration, averages=False))
        assert not averages(model) and not list(model.folder.glob("*ema_*"))
    assert not model.load().remarks


@pytest.mark.parametrize("repair", [True, False])
def test_the_average_of_weights_that_were_replaced_by_hand_is_not_used(model, repair):
    by_hand(model, "encoder.npy", 7)
    files = model.load(repair=repair).files
    assert "ema_encoder.npy" not in files and float(read_weights(files["encoder.npy"])["a/weight:0"][0]) == 7
    assert float(read_weights(files["ema_decoder.npy"])["a/weight:0"][0]) == 20.5
    assert model.path("ema_encoder.npy").exists() is not repair
    model.save(30, {name: write for name, write in writers(30).items() if name != "ema_encoder.npy"})
    model.save(40, {name: write for name, write in writers(40).items() if name != "ema_encoder.npy"})
    assert averages(model) == {"ema_decoder.npy": 40.5}


def test_an_average_that_was_put_there_by_hand_is_honoured(model):
    by_hand(model, "encoder.npy", 7)
    by_hand(model, "ema_encoder.npy", 8)
    assert averages(model) == {"ema_encoder.npy": 8, "ema_decoder.npy": 20.5}


def test_a_whole_model_trained_on_elsewhere_starts_without_averages(model):
    for name in NAMES:
        by_hand(model, name, 7)
    model.path("data.dat").unlink()
    with open(model.path("data.dat"), "wb") as stream:
        write_data(stream, ModelData(25, {"resolution": 64}))
    loaded = model.load()
    assert loaded.iteration == 25 and not [name for name in loaded.files if name.startswith(AVERAGED)]
    for iteration in (30, 40, 50):
        model.save(iteration, writers(iteration, averages=False))
        assert not averages(model)


def test_a_damaged_average_is_repaired_from_the_save(model):
    path = model.path("ema_encoder.npy")
    data = bytearray(path.read_bytes())
    path.unlink()
    data[-100] ^= 255
    path.write_bytes(data)
    assert averages(model) == {"ema_encoder.npy": 20.5, "ema_decoder.npy": 20.5}
