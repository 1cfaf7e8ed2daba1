"""Plain values and arrays survive; what is written obeys the rules of old readers."""

import io
import pickle
import pickletools

import numpy as np
import pytest

from core.errors import CorruptFileError, InputError
from core.formats.pickle import safe_pickle

VALUES = {
    "text": "übung \U0001f600",
    "long text": "x" * 300,
    "bytes": b"y" * 300,
    "short": b"ab",
    "none": None,
    "yes": True,
    "no": False,
    "float": -2.5,
    "ints": [0, 255, 256, 65536, -1, -(2**31), 2**31, 2**70, -(2**70)],
    "tuple": (1, (2, 3), ()),
    "nested": {"a": {"b": [1, [2, {"c": 3}]]}, 5: 6},
    "pairs": [[1.5, 2.5], [3.5, -4.5]],
    "f4": np.arange(12, dtype="f4").reshape(3, 4),
    "fortran": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "empty": np.zeros((0, 5)),
    "no dimension": np.array(3.0),
    "bools": np.array([True, False]),
    "u1": np.arange(200, dtype=np.uint8),
    "f2": np.array([1.5], np.float16),
    "scalar": np.float64(2.5),
    "int scalar": np.int64(-5),
    "small numbers": [number % 256 for number in range(40_000)],
    "floats": [number / 7 for number in range(30_000)],
    "two kinds": [1, 2, 3, 4.0, 5.0, 6.0, 7, 8, None, 9, 1000],
    "big": np.arange(100_000, dtype="f8"),
}


def same(a, b) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and bool((a == b).all())
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("protocol", range(6))
def test_reads_every_protocol(protocol):
    assert same(safe_pickle.loads(pickle.dumps(VALUES, protocol)), VALUES)


def test_round_trip():
    assert same(safe_pickle.loads(safe_pickle.dumps(VALUES)), VALUES)


def test_the_standard_unpickler_reads_what_is_written():
    assert same(pickle.loads(safe_pickle.dumps(VALUES)), VALUES)


def test_written_for_old_readers():
    """Protocol 4 at most, and the module names of numpy 1."""
    data = safe_pickle.dumps(VALUES)
    assert max(opcode.proto for opcode, _, _ in pickletools.genops(data)) <= 4
    texts = {argument for _, argument, _ in pickletools.genops(data) if isinstance(argument, str)}
    assert "numpy.core.multiarray" in texts
    assert not any("_core" in text for text in texts)


def test_arrays_are_writable_and_their_own():
    data = safe_pickle.dumps(np.arange(5.0))
    first = safe_pickle.loads(data)
    first[0] = 9
    assert safe_pickle.loads(data)[0] == 0


def test_big_endian_arrays_keep_their_values():
    assert safe_pickle.loads(pickle.dumps(np.arange(3, dtype=">i4"))).tolist() == [0, 1, 2]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("count", [1, 2, 68, 300])
def test_pairs_as_arrays(protocol, count):
    """The fast way for lists of pairs gives the numbers of the slow one, also past 256 memo entries."""
    pairs = np.random.default_rng(count).normal(size=(count, 2)).tolist()
    value = {"a": pairs, "b": [[0.5, 1.5]], "c": "text", "d": ["text", "text"]}
    found = safe_pickle.loads(pickle.dumps(value, protocol), points=True)
    assert np.asarray(found["a"]).tolist() == pairs
    assert (found["c"], found["d"]) == ("text", ["text", "text"])


def test_point_lists_are_written_as_the_original_writes_them():
    points = np.random.default_rng(0).normal(size=(68, 2))
    data = safe_pickle.dumps({"landmarks": safe_pickle.PointList(points), "after": "landmarks"})
    assert pickle.loads(data) == {"landmarks": points.tolist(), "after": "landmarks"}
    assert isinstance(safe_pickle.loads(data, points=True)["landmarks"], np.ndarray)


def test_shared_parts_are_found_again():
    shared = [[1.5, 2.5]] * 2
    value = {"a": shared, "b": shared, "c": shared[0], "d": np.arange(3)}
    found = safe_pickle.loads(pickle.dumps(value), points=True)
    assert found["a"] == found["b"] == shared
    assert found["c"] == [1.5, 2.5]


def test_enums_of_paks_become_numbers():
    data = safe_pickle.dumps([safe_pickle.sample_type(1), safe_pickle.face_type(10)])
    assert safe_pickle.loads(data) == [1, 10]
    assert b"samplelib.Sample" in data
    assert b"facelib.FaceType" in data


def test_list_item_by_item():
    parts = b"".join(
        safe_pickle.fragment({"n": n, "p": safe_pickle.PointList(np.full((2, 2), n)), "name": "x"})
        + safe_pickle.LIST_NEXT
        for n in range(5)
    )
    data = safe_pickle.LIST_START + parts + safe_pickle.LIST_END
    assert [item["n"] for item in pickle.loads(data)] == [0, 1, 2, 3, 4]
    assert safe_pickle.load_list(data, lambda index, item: (item["n"], item["p"].tolist()), where="x")[3] == (
        3,
        [[3.0, 3.0]] * 2,
    )
    assert safe_pickle.load_list(pickle.dumps(list(range(2500))), lambda index, item: item, where="x") == list(
        range(2500)
    )


@pytest.fixture
def attempts(monkeypatch):
    """Whether each run of the reader was a lean one."""
    seen, machine = [], safe_pickle.Machine

    def counted(*arguments, lean, **more):
        seen.append(lean)
        return machine(*arguments, lean=lean, **more)

    monkeypatch.setattr(safe_pickle, "Machine", counted)
    return seen


def test_a_shape_that_faces_share_needs_no_second_attempt(attempts):
    shape = (128, 128, 3)
    data = pickle.dumps([{"shape": shape, "n": n} for n in range(3)])
    found = safe_pickle.load_list(data, lambda index, item: (index, item["shape"]), where="x")
    assert found == [(0, shape), (1, shape), (2, shape)]
    assert attempts == [True]


def test_list_item_by_item_with_shared_items(attempts):
    item = {"n": 1}
    data = pickle.dumps([item, item, [1], [1]])
    found = safe_pickle.load_list(data, lambda index, value: (index, value), where="x")
    assert found == [(0, item), (1, item), (2, [1]), (3, [1])]
    assert attempts == [True, False]


def test_file_is_mapped(tmp_path):
    path = tmp_path / "weights.npy"
    with open(path, "wb") as stream:
        safe_pickle.dump(VALUES, stream)
    assert same(safe_pickle.load(path), VALUES)
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(CorruptFileError):
        safe_pickle.load(tmp_path / "empty")
    with pytest.raises(InputError):
        safe_pickle.load(tmp_path / "absent")


def test_big_arrays_are_streamed():
    """No write is larger than one array, and nothing is joined before it is written."""
    writes = []

    class Stream(io.RawIOBase):
        def write(self, data):
            writes.append(len(data))
            return len(data)

    safe_pickle.dump({str(n): np.zeros(50_000) for n in range(4)}, Stream())
    assert max(writes) == 400_000
    assert sum(writes) > 1_600_000


def test_max_bytes():
    with pytest.raises(CorruptFileError, match="at most 10"):
        safe_pickle.loads(safe_pickle.dumps("x" * 50), max_bytes=10)


@pytest.mark.parametrize("value", [object(), {1, 2}, np.array(["a"]), np.array([object()]), lambda: 0])
def test_refuses_to_write_other_types(value):
    with pytest.raises(TypeError):
        safe_pickle.dumps(value)


def test_refuses_to_write_a_cycle():
    cycle: list = []
    cycle.append(cycle)
    with pytest.raises(ValueError, match="deep"):
        safe_pickle.dumps(cycle)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("count", [999, 1000, 1001, 2500])
def test_long_lists_of_points_come_in_batches(count, protocol):
    points = [[float(i), i / 2] for i in range(count)]
    data = pickle.dumps({"polys": [{"type": 1, "pts": points}]}, protocol=protocol)
    assert np.array_equal(safe_pickle.loads(data, points=True)["polys"][0]["pts"], points)
