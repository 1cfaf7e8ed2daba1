"""Data made to attack its reader: a typed error, nothing runs, nothing hangs, no memory beyond the size of the data."""

import contextlib
import pickle
import random
import struct
import time
import tracemalloc

import numpy as np
import pytest

from core.errors import CorruptFileError
from core.formats.pickle import safe_pickle


def short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


def stack_global(module: str, name: str) -> bytes:
    return short(module) + short(name) + b"\x93"


PLAIN = b"(K\x03" + short("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"


def array(shape: bytes, raw: bytes, dtype: bytes = short("f8"), state: bytes = PLAIN) -> bytes:
    made = (
        stack_global("numpy.core.multiarray", "_reconstruct")
        + stack_global("numpy", "ndarray")
        + b"K\x00\x85C\x01b\x87R(K\x01"
        + shape
    )
    return made + stack_global("numpy", "dtype") + dtype + b"\x89\x88\x87R" + state + b"\x89" + raw + b"tb"


def collisions(count: int, sign: int = 1) -> list[bytes]:
    """Keys and values: all the keys are integers of one hash."""
    keys = (sign * number * (2**61 - 1) for number in range(1, count + 1))
    return [b"\x8a\x0c" + key.to_bytes(12, "little", signed=True) + b"K\x01" for key in keys]


P4 = b"\x80\x04"
CANARY = "touch CANARY"
RECONSTRUCT = stack_global("numpy.core.multiarray", "_reconstruct")
RAW8 = b"C\x08" + bytes(8)
HUGE = b"\x8a\x07\x00\x00\x00\x00\x00\x00\x10"  # 2**52

PAYLOADS = {
    "os.system by GLOBAL": b"cos\nsystem\n(S'%s'\ntR." % CANARY.encode(),
    "os.system by GLOBAL, text": b"cos\nsystem\n(V" + CANARY.encode() + b"\ntR.",
    "posix.system": P4 + stack_global("posix", "system") + short(CANARY) + b"\x85R.",
    "nt.system": P4 + stack_global("nt", "system") + short(CANARY) + b"\x85R.",
    "builtins.eval": P4 + stack_global("builtins", "eval") + short(f"__import__('os').system('{CANARY}')") + b"\x85R.",
    "builtins.exec": P4 + stack_global("builtins", "exec") + short("import os") + b"\x85R.",
    "builtins.getattr": P4
    + stack_global("builtins", "getattr")
    + stack_global("numpy", "ndarray")
    + short("tofile")
    + b"\x86R.",
    "builtins.__import__": P4 + stack_global("builtins", "__import__") + short("os") + b"\x85R.",
    "builtins.open": P4 + stack_global("builtins", "open") + short("CANARY") + short("w") + b"\x86R.",
    "python 2 builtins": b"c__builtin__\neval\n(V1+1\ntR.",
    "bytes of a number": b"c__builtin__\nbytes\n(J\x00\x00\x00\x7ftR.",
    "subprocess.Popen": P4 + stack_global("subprocess", "Popen") + short(CANARY) + b"\x85R.",
    "dotted name under numpy": P4 + stack_global("numpy", "lib.npyio.load") + short("CANARY") + b"\x85R.",
    "dotted module": P4 + stack_global("numpy.core.multiarray.os", "system") + short(CANARY) + b"\x85R.",
    "numpy.load": P4 + stack_global("numpy", "load") + short("CANARY") + b"\x85R.",
    "numpy.fromfile": P4 + stack_global("numpy", "fromfile") + short("/dev/zero") + b"\x85R.",
    "numpy.testing runstring": P4 + stack_global("numpy.testing._private.utils", "runstring") + short("1") + b"}\x86R.",
    "numpy._core of another name": P4 + stack_global("numpy._core.multiarray", "fromstring") + short("1") + b"\x85R.",
    "codecs with another encoding": P4 + stack_global("_codecs", "encode") + short("x" * 50) + short("zip") + b"\x86R.",
    "codecs.decode": P4 + stack_global("_codecs", "decode") + b"C\x01a" + short("rot13") + b"\x86R.",
    "functools.partial": P4 + stack_global("functools", "partial") + b")R.",
    "copyreg reconstructor": P4 + stack_global("copyreg", "_reconstructor") + b")R.",
    "enum by name": P4 + stack_global("facelib.FaceType", "FaceType.__class__") + b"K\x01\x85R.",
    "enum with another argument": P4 + stack_global("facelib.FaceType", "FaceType") + short("x") + b"\x85R.",
    "global with a name on the stack that is no text": P4 + b"K\x01K\x02\x93.",
    "call of a value": P4 + short("os.system") + short(CANARY) + b"\x85R.",
    "call of an array": P4 + array(b"K\x01\x85", RAW8) + b")R.",
    "call with no tuple": P4 + stack_global("numpy", "dtype") + short("f8") + b"R.",
    "NEWOBJ": P4 + stack_global("numpy", "ndarray") + b")\x81.",
    "NEWOBJ of a huge array": P4 + stack_global("numpy", "ndarray") + HUGE + b"\x85\x85\x81.",
    "NEWOBJ_EX": P4 + stack_global("numpy", "ndarray") + b")}\x92.",
    "INST": b"(V" + CANARY.encode() + b"\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nV" + CANARY.encode() + b"\no.",
    "persistent id": b"Pos.system\n.",
    "binary persistent id": P4 + short("x") + b"Q.",
    "EXT1": P4 + b"\x82\x01.",
    "EXT2": P4 + b"\x83\x01\x00.",
    "EXT4": P4 + b"\x84\x01\x00\x00\x00.",
    "out-of-band buffer": b"\x80\x05\x97.",
    "BUILD on a dict": P4 + b"}" + short("__class__") + b"}s}b.",
    "BUILD with __setstate__": P4
    + stack_global("collections", "OrderedDict")
    + b")R}"
    + short("__setstate__")
    + stack_global("numpy", "dtype")
    + b"sb.",
    "BUILD on a function": P4 + stack_global("numpy", "dtype") + b"}" + short("__code__") + b"Nsb.",
    "BUILD twice": P4 + array(b"K\x01\x85", RAW8) + b"(K\x01K\x01\x85N\x89C\x00tb.",
    "array calls ndarray": P4 + stack_global("numpy", "ndarray") + HUGE + b"\x85R.",
    "array with a huge shape": P4 + array(HUGE + b"\x85", RAW8) + b".",
    "array whose shape overflows": P4 + array(b"(" + HUGE * 4 + b"t", RAW8) + b".",
    "array with a negative shape": P4 + array(b"J\xff\xff\xff\xff\x85", RAW8) + b".",
    "array with too few bytes": P4 + array(b"K\x02\x85", RAW8) + b".",
    "array of objects": P4
    + array(
        b"K\x01\x85", b"]K\x01a", short("O8"), b"(K\x03" + short("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb"
    )
    + b".",
    "array of records": P4 + array(b"K\x01\x85", RAW8, short("V8")) + b".",
    "dtype by an expression": P4 + stack_global("numpy", "dtype") + short("f8,f8,O") + b"\x89\x88\x87R.",
    "dtype with fields": P4
    + array(b"K\x01\x85", RAW8, short("f8"), b"(K\x03" + short("|") + b"N)}K\x08K\x01K\x10tb")
    + b".",
    "array of a million dimensions": P4 + array(b"(" + b"K\x01" * 100_000 + b"t", RAW8) + b".",
    "_reconstruct of another class": P4
    + RECONSTRUCT
    + stack_global("collections", "OrderedDict")
    + b"K\x00\x85C\x01b\x87R.",
    "_reconstruct with a shape": P4 + RECONSTRUCT + stack_global("numpy", "ndarray") + HUGE + b"\x85C\x01b\x87R.",
    "_frombuffer with a huge shape": P4
    + stack_global("numpy.core.numeric", "_frombuffer")
    + b"("
    + RAW8
    + stack_global("numpy", "dtype")
    + short("f8")
    + b"\x89\x88\x87R"
    + HUGE
    + b"\x85"
    + short("C")
    + b"tR.",
    "memo index bomb": P4 + b"Nr\xff\xff\xff\x7f0j\xfe\xff\xff\x7f.",
    "memo index bomb, text": b"Np99999999999999999999\n0g1\n.",
    "memo entry that is not there": P4 + b"h\x07.",
    "text of 4 GB": P4 + b"X\xff\xff\xff\xffabc.",
    "text of 2**63": P4 + b"\x8d" + struct.pack("<Q", 2**63) + b"abc.",
    "bytes of 4 GB": P4 + b"B\xff\xff\xff\xffabc.",
    "bytes of 2**62": P4 + b"\x8e" + struct.pack("<Q", 2**62) + b"abc.",
    "bytearray of 2**62": b"\x80\x05\x96" + struct.pack("<Q", 2**62) + b"abc.",
    "integer of 2 GB": P4 + b"\x8b\xff\xff\xff\x7f\x01.",
    "integer of negative length": P4 + b"\x8b\xff\xff\xff\xff\x01.",
    "integer of many digits": b"L" + b"9" * 4000 + b"L\n.",
    "float that is no number": b"Fos.system\n.",
    "deep lists": P4 + b"]" * 500_000 + b"a" * 499_999 + b".",
    "deep tuples": P4 + b"N" + b"\x85" * 500_000 + b".",
    "deep dicts": P4 + (b"}" + short("a")) * 100_000 + b"N" + b"s" * 100_000 + b".",
    "open marks": P4 + b"(" * 500_000 + b".",
    "doubling by DUP": P4 + b"N\x85" + b"2\x86" * 5000 + b".",
    "doubling as a key": P4 + b"}N\x85" + b"2\x86" * 60 + b"Ns.",
    "doubling of text by memo": P4 + b"(" + b"X\x00\x00\x01\x00" + b"x" * 65536 + b"\x94" + b"h\x00" * 50_000 + b"t.",
    "a list in itself": P4 + b"]\x94h\x00a.",
    "a dict in itself": P4 + b"}\x94" + short("a") + b"h\x00s.",
    "a list as a key": P4 + b"}]Ns.",
    "an array as a key": P4 + b"}" + array(b"K\x01\x85", RAW8) + b"Ns.",
    "set": P4 + b"\x8f(K\x01\x90.",
    "frozenset": P4 + b"(K\x01\x91.",
    "items for a tuple": P4 + b")K\x01a.",
    "items for a function": P4 + stack_global("numpy", "dtype") + b"K\x01a.",
    "odd items": P4 + b"}(K\x01u.",
    "integer keys of one hash": P4 + b"}(" + b"".join(collisions(40_000)) + b"u.",
    "integer keys of one hash, one by one": P4 + b"}" + b"s".join(collisions(40_000)) + b"s.",
    "negative integer keys of one hash": P4 + b"}(" + b"".join(collisions(40_000, -1)) + b"u.",
    "an ordered dict of integers": P4 + stack_global("collections", "OrderedDict") + b"](K\x01K\x02\x86e\x85R.",
    "a memo of indices of one hash": P4 + b"N" + b"".join(b"p%d\n" % (i * (2**61 - 1)) for i in range(1, 9)) + b".",
    "a function as the value": P4 + stack_global("numpy", "dtype") + b".",
    "a bare dtype as the value": P4 + stack_global("numpy", "dtype") + short("f8") + b"\x89\x88\x87R.",
    "an ordered dict of text": P4 + stack_global("collections", "OrderedDict") + short("ab") + b"\x85R.",
    "protocol 200": b"\x80\xc8N.",
    "unknown opcode": P4 + b"\xff.",
    "stack underflow": P4 + b"\x87.",
    "mark underflow": P4 + b"t.",
    "pop from nothing": P4 + b"0.",
    "two values": P4 + b"NN.",
    "nothing": b"",
    "only a stop": b".",
    "no stop": P4 + b"N",
    "text that is not UTF-8": P4 + b"\x8c\x02\xff\xfe.",
}


@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("points", [False, True])
def test_refused(name, points, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = PAYLOADS[name]
    tracemalloc.start()
    start = time.process_time()
    with pytest.raises(CorruptFileError) as caught:
        safe_pickle.loads(data, points=points)
    assert time.process_time() - start < 20
    assert tracemalloc.get_traced_memory()[1] < 4_000_000 + 100 * len(data)
    tracemalloc.stop()
    assert caught.value.exit_code == 7
    assert caught.value.why
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", PAYLOADS)
def test_refused_as_a_list(name):
    with pytest.raises(CorruptFileError):
        safe_pickle.load_list(PAYLOADS[name], lambda index, item: item, where="x")


def test_usual_integer_keys_are_read():
    value = {0: "a", -5: "b", 2**40: "c", True: "d"}
    assert safe_pickle.loads(pickle.dumps(value)) == value


def test_items_of_a_list_share_one_budget():
    """A list of a megabyte that a thousand items refer to: walking it for each of them would take minutes."""
    large = b"](" + b"K\x01" * 200_000 + b"e\x94"
    data = P4 + b"](" + large + b"h\x00\x85" * 1000 + b"e."
    started = time.process_time()
    with pytest.raises(CorruptFileError, match="shared parts"):
        safe_pickle.load_list(data, lambda index, item: len(item), where="x")
    assert time.process_time() - started < 10


def test_there_are_enough():
    assert len(PAYLOADS) >= 25


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ("os.system by GLOBAL, text", "os.system"),
        ("builtins.eval", "builtins.eval"),
        ("dotted name under numpy", "numpy.lib.npyio.load"),
    ],
)
def test_refusal_names_the_global(payload, name):
    with pytest.raises(CorruptFileError, match=name):
        safe_pickle.loads(PAYLOADS[payload])


def test_standard_reduce_is_refused(tmp_path):
    class Attack:
        def __reduce__(self):
            import os

            return os.system, (f"touch {tmp_path}/canary",)

    for protocol in range(6):
        with pytest.raises(CorruptFileError, match="system"):
            safe_pickle.loads(pickle.dumps({"landmarks": [Attack()]}, protocol))
    assert not list(tmp_path.iterdir())


def sample(protocol: int) -> bytes:
    points = np.random.default_rng(0).normal(size=(68, 2)).tolist()
    value = {
        "face_type": "whole_face",
        "landmarks": points,
        "source_rect": np.arange(4),
        "seg_ie_polys": {"polys": [{"type": 1, "pts": np.zeros((5, 2), "f4")}]},
        "xseg_mask": np.arange(200, dtype=np.uint8),
        "scalar": np.float64(1),
        "list": [1, "a", None, (2, 3)],
    }
    return pickle.dumps(value, protocol)


def attempt(data: bytes) -> None:
    """Whatever the data, a value or the typed error."""
    with contextlib.suppress(CorruptFileError):
        safe_pickle.loads(data, points=True)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_truncations(protocol):
    data = sample(protocol)
    for end in range(0, len(data), 3):
        with pytest.raises(CorruptFileError):
            safe_pickle.loads(data[:end])


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_bit_flips(protocol):
    data, rng = bytearray(sample(protocol)), random.Random(protocol)
    structure = [i for i in range(len(data)) if i < 100 or i > 1600]
    for _ in range(600):
        position, bit = rng.choice(structure), 1 << rng.randrange(8)
        data[position] ^= bit
        attempt(bytes(data))
        data[position] ^= bit


def test_random_opcodes():
    rng = random.Random(0)
    table = b"()NKKCC]}ltdausebqh0122R\x85\x86\x87\x88\x89\x8c\x93\x94\x95gpcIJ."
    for _ in range(2000):
        attempt(P4 + bytes(rng.choice(table) for _ in range(rng.randrange(40))) + b".")
