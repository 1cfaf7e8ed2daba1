"""Weight, optimizer and data files, and the summary box."""

import io
import pickle

import numpy as np
import pytest
from golden_files import golden_path

from core.errors import CorruptFileError, InputError
from core.formats import dfl_weights as dw


def write(path, function, *args):
    with open(path, "wb") as stream:
        function(stream, *args)
    return path


def test_round_trip_and_conversion(tmp_path):
    kernel = np.random.default_rng(0).normal(size=(5, 5, 3, 4)).astype(np.float32)
    arrays = {"down1/conv1/weight:0": kernel, "down1/conv1/bias:0": np.arange(4, dtype=np.float16)}
    path = write(tmp_path / "encoder.npy", dw.write_arrays, arrays.items())
    back = dw.read_weights(path)
    assert list(back) == list(arrays) and all(v.dtype == np.float32 for v in back.values())
    assert all((back[k] == arrays[k]).all() for k in arrays)
    plain = pickle.loads(path.read_bytes())  # an ordinary unpickler reads the same
    assert plain["down1/conv1/bias:0"].dtype == np.float16 and plain["down1/conv1/bias:0"].flags.writeable
    data = path.read_bytes()
    assert data[:2] == b"\x80\x04"
    assert b"numpy.core.multiarray" in data and b"numpy._core" not in data


def test_arrays_are_asked_for_one_at_a_time():
    stream, seen = io.BytesIO(), []

    def arrays():
        for i in range(3):
            seen.append(stream.tell())
            yield f"{i}:0", np.zeros(1000, np.float32)

    dw.write_arrays(stream, arrays())
    assert seen[1] > 4000 and seen[2] > 8000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        pickle.dumps([1]),
        pickle.dumps({"a": 1}),
        pickle.dumps({1: np.zeros(2, np.float32)}),
        pickle.dumps({"a": np.zeros(2, np.int32)}),
        pickle.dumps({"a": np.array([np.nan], np.float32)}),
        pickle.dumps({"a": np.zeros(1000, np.float32)})[:-100],
        pickle.dumps(print),
    ],
)
def test_refused(tmp_path, content):
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    with pytest.raises(CorruptFileError):
        dw.read_weights(path)


def test_missing_file(tmp_path):
    for read in (dw.read_weights, dw.read_optimizer, dw.read_data):
        with pytest.raises(InputError):
            read(tmp_path / "none")


def test_optimizer(tmp_path):
    key = "encoder/down1/conv1/weight:0"
    assert dw.slot_key("ms", key) == "ms_encoder/down1/conv1/weight_0:0"
    values = {slot: np.full((2, 3), i, np.float32) for i, slot in enumerate(("ms", "vs"))}
    path = write(tmp_path / "src_dst_opt.npy", dw.write_optimizer, 12, [(slot, key, v) for slot, v in values.items()])
    state = dw.read_optimizer(path)
    assert state.iterations == 12 and set(state.slots) == {"ms", "vs"}
    assert (state.slots["vs"][key] == values["vs"]).all()
    raw = pickle.loads(path.read_bytes())
    assert type(raw["iters:0"]) is np.int64 and set(raw) == {
        "iters:0",
        "ms_encoder/down1/conv1/weight_0:0",
        "vs_encoder/down1/conv1/weight_0:0",
    }


@pytest.mark.parametrize("wrong", [{}, {"iters:0": 1.5}, {"iters:0": np.int64(1), "xs_a_0:0": np.zeros(1, np.float32)}])
def test_optimizer_refused(tmp_path, wrong):
    path = tmp_path / "opt.npy"
    path.write_bytes(pickle.dumps(wrong))
    with pytest.raises(CorruptFileError, match="optimizer"):
        dw.read_optimizer(path)


def test_data(tmp_path):
    sample = [[np.zeros((1, 2, 2, 3), np.float32)]]
    data = dw.ModelData(
        3, {"archi": "df", "gan_power": 0.5, "pretrain": False}, [[1.0, 2.0], [0.5, 0.25]], sample, {"future": 1}
    )
    path = write(tmp_path / "data.dat", dw.write_data, data)
    back = dw.read_data(path)
    assert (back.iteration, back.options, back.loss_history) == (3, data.options, data.loss_history)
    assert back.extra == {"choosed_gpu_indexes": None, "future": 1} and back.preview_sample[0][0].shape == (1, 2, 2, 3)
    assert list(pickle.loads(path.read_bytes())) == [
        "iter",
        "options",
        "loss_history",
        "sample_for_preview",
        "choosed_gpu_indexes",
        "future",
    ]


def test_data_refused(tmp_path):
    path = tmp_path / "data.dat"
    path.write_bytes(pickle.dumps({"iter": "x", "options": {}}))
    with pytest.raises(CorruptFileError, match="data.dat"):
        dw.read_data(path)


@pytest.mark.parametrize("history", [[None], [["a"]], [[[1, 2], 3]], ["text"], [{"a": 1}]])
def test_losses_that_are_no_numbers(tmp_path, history):
    path = write(tmp_path / "data.dat", dw.write_data, dw.ModelData(1, {}, history))
    with pytest.raises(CorruptFileError):
        dw.read_data(path)


def test_numpy_options_become_plain(tmp_path):
    path = tmp_path / "data.dat"
    path.write_bytes(
        pickle.dumps(
            {"iter": 1, "options": {"a": np.int64(4), "b": np.float64(0.5)}, "loss_history": [[np.float32(1), 2.0]]}
        )
    )
    data = dw.read_data(path)
    assert [type(v) for v in data.options.values()] == [int, float] and data.loss_history == [[1.0, 2.0]]


def test_summary_box():
    text = dw.summary_text("a_SAEHD", 7, {"archi": "df"})
    lines = text.split("\n")
    assert len({len(line) for line in lines}) == 1
    assert lines[0].startswith("==") and " Model Summary " in lines[0] and set(lines[-1]) == {"="}
    assert "==        Model name: a_SAEHD ==" in lines[2]


def test_golden_weights(tmp_path):
    """A file of weights as the original wrote it, read, and the same after writing it again."""
    path = golden_path("dfl-model/t_SAEHD_inter_B.npy")
    weights = dw.read_weights(path)
    assert {key: array.shape for key, array in weights.items()} == {
        "dense1/weight:0": (512, 32),
        "dense1/bias:0": (32,),
        "dense2/weight:0": (32, 256),
        "dense2/bias:0": (256,),
    }
    again = write(tmp_path / "again.npy", dw.write_arrays, weights.items())
    theirs, ours = pickle.loads(path.read_bytes()), pickle.loads(again.read_bytes())
    assert list(ours) == list(theirs)
    assert all((ours[key] == theirs[key]).all() and ours[key].dtype == theirs[key].dtype for key in theirs)


def test_golden_folder(tmp_path):
    folder = golden_path("dfl-model/model_folder")
    data = dw.read_data(folder / "t_SAEHD_data.dat")
    assert data.iteration == 4 and data.options["archi"] == "liae-udt" and len(data.loss_history) == 4
    assert dw.summary_text("t_SAEHD", 4, data.options) == (folder / "t_SAEHD_summary.txt").read_text()
    theirs = pickle.loads((folder / "t_SAEHD_data.dat").read_bytes())
    ours = pickle.loads(write(tmp_path / "data.dat", dw.write_data, data).read_bytes())
    assert (
        list(ours) == list(theirs)
        and ours["options"] == theirs["options"]
        and ours["loss_history"] == theirs["loss_history"]
    )
    state = dw.read_optimizer(folder / "t_SAEHD_src_dst_opt.npy")
    assert state.iterations == 5 and {k: len(v) for k, v in state.slots.items()} == {"ms": 70, "vs": 70}
    path = write(
        tmp_path / "opt.npy", dw.write_optimizer, 5, ((s, k, v) for s, d in state.slots.items() for k, v in d.items())
    )
    theirs, ours = (pickle.loads(p.read_bytes()) for p in (folder / "t_SAEHD_src_dst_opt.npy", path))
    assert set(ours) == set(theirs) and all(
        (ours[k] == theirs[k]).all() and ours[k].dtype == theirs[k].dtype for k in theirs
    )
