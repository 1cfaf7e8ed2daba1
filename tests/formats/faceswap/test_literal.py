"""Python literals are parsed, never evaluated, in bounded time and depth."""

import ast
import math
import time

import numpy as np
import pytest

from core.errors import CorruptFileError
from core.formats.faceswap import literal

VALUES = [
    {},
    [],
    (),
    (1,),
    (1, 2.5),
    [[1, 2], [3.5, -4e-12]],
    {"a": [1.0, 2], "b": {"c": (1, "x")}, 5: None, b"k": True, None: False},
    "it's",
    'say "x"',
    """both ' and " """,
    "tab\tline\nback\\ü\x00\U0001f600\ud800",
    bytes(range(256)),
    b"it's",
    b'say "x"',
    -0.0,
    10**60,
    1e308,
    5e-324,
    [1],
    [0.1, 1e22, 123456789.123456789],
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_repr_writes(value):
    found = literal.parse(repr(value))
    assert repr(found) == repr(value)


@pytest.mark.parametrize("text", [" ( 1 ) ", "[1,2,]", "{ 'a' :1 , }", '"a"', "(1,)", "[ 1.5 , -2 ]", "+3", ".5", "5."])
def test_other_spellings(text):
    assert literal.parse(text) == ast.literal_eval(text.strip())


def test_numbers_that_python_cannot_read_again():
    values = {"x": np.int32(5), "y": np.float32(0.5), "z": [np.float64(1.5), np.uint8(3)]}
    assert literal.parse(repr(values)) == {"x": 5, "y": 0.5, "z": [1.5, 3]}
    assert math.isnan(literal.parse("nan")) and literal.parse("[inf, -inf]") == [math.inf, -math.inf]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "[1",
        "[1 2]",
        "[,]",
        "(,)",
        "{1}",
        "{'a' 1}",
        "{'a': 1 'b': 2}",
        "{[]: 1}",
        "{1, 2}",
        "1 1",
        "1+1",
        "1_000",
        "0x10",
        "1j",
        "a",
        "Truex",
        "'a",
        "'a' 'b'",
        "'\\N{BULLET}'",
        "'\\q'",
        "'\\",
        "b'ü'",
        "b'\\u0041'",
        "r'a'",
        "f'{1}'",
        "__import__('os')",
        "np.int32(1)(2)",
        "np.array([1])",
        "np.int32()",
        "open('x')",
        "[1, -]",
        "[--1]",
        "[1e]",
        "[.]",
        "[e]",
        "lambda: 0",
        "'\\U00110000'",
        "9" * 65,
        "[" * 40 + "]" * 40,
        "(" * 100_000,
        "{1:" * 100_000,
        "[" * 100_000,
    ],
)
def test_everything_else_is_refused(text):
    with pytest.raises(CorruptFileError):
        literal.parse(text)


def test_cut_at_every_length():
    text = repr(VALUES[6])
    for length in range(len(text)):
        with pytest.raises(CorruptFileError):
            literal.parse(text[:length])


@pytest.mark.parametrize(
    "text", ["'" + "\\" * 400_001, "b'" + "a" * 400_000, "[" + "1" * 400_000, "1." + "0" * 400_000 + "e"]
)
def test_long_nonsense_takes_no_time(text):
    before = time.process_time()
    with pytest.raises(CorruptFileError):
        literal.parse(text)
    assert time.process_time() - before < 5
