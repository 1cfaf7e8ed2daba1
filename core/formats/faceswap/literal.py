"""The value in a Python literal, as ``repr`` writes plain values; nothing is evaluated.

Dicts, lists, tuples, texts, byte strings, numbers, truth values and None. Scalars as numpy 2 spells them
(``np.int32(5)``), ``nan`` and ``inf`` are understood too: faceswap writes them, though it cannot read them itself.
"""

import re
from typing import Any

from core.errors import CorruptFileError

_MAX_DEPTH = 32
_MAX_DIGITS = 64
_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|inf\b|nan\b)")
# A list of plain numbers: nearly all of a header.
_NUMBERS = re.compile(r"\[([-+0-9.eE, ]+)\]")
_SCALAR = re.compile(r"(?:np|numpy)\.(?:u?int\d{1,2}|float\d{1,2})\(([^()]{1,70})\)")
_TEXT = re.compile(r"""(b?)(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")""")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"'}
_NAMES = {"True": True, "False": False, "None": None}
_NAME = re.compile("|".join(_NAMES))
_KEYS = (str, int, float, bool, bytes, type(None))


def parse(text: str, where: object = "a Python literal") -> Any:
    """The value of ``text``.

    Raises:
        CorruptFileError: it is no such literal, or is nested more than 32 deep.
    """
    try:
        return _parse(text)
    except ValueError as error:
        raise CorruptFileError("not a Python literal", where=str(where), why=str(error)[:200]) from None


def _parse(text: str) -> Any:
    value, end = _value(text, _skip(text, 0), 0)
    end = _skip(text, end)
    if end != len(text):
        raise ValueError(f"something follows at character {end}")
    return value


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    """The value that begins at ``at``, and where it ends."""
    if depth > _MAX_DEPTH:
        raise ValueError(f"nested more than {_MAX_DEPTH} deep")
    first = text[at : at + 1]
    if first == "{":
        return _dict(text, at, depth)
    if first == "[":
        if match := _NUMBERS.match(text, at):
            return _flat_numbers(match[1]), match.end()
        items, end, _ = _items(text, at + 1, "]", depth)
        return items, end
    if first == "(":
        return _tuple(text, at, depth)
    return _leaf(text, at)


def _leaf(text: str, at: int) -> tuple[Any, int]:
    if match := _NUMBER.match(text, at):
        return _number(match[0]), match.end()
    if match := _TEXT.match(text, at):
        return _text(match), match.end()
    if match := _NAME.match(text, at):
        return _NAMES[match[0]], match.end()
    if match := _SCALAR.match(text, at):
        return _number(match[1]), match.end()
    if at >= len(text):
        raise ValueError("the text ends too early")
    raise ValueError(f"{text[at : at + 20]!r} at character {at} is no plain value")


def _flat_numbers(inside: str) -> list:
    pieces = inside.split(",")
    # A comma may stand at the end.
    if len(pieces) > 1 and not pieces[-1].strip():
        pieces.pop()
    return [_number(piece.strip()) for piece in pieces]


def _number(text: str) -> int | float:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number of more than {_MAX_DIGITS} digits")
    try:
        return int(text)
    except ValueError:
        return float(text)


def _text(match: re.Match) -> str | bytes:
    inside = match[2] if match[2] is not None else match[3]
    is_bytes = bool(match[1])
    if is_bytes and not inside.isascii():
        raise ValueError("a byte string with other characters than those of ASCII")
    if "\\" in inside:
        inside = _ESCAPE.sub(_byte_of if is_bytes else _character_of, inside)
    return inside.encode("latin1") if is_bytes else inside


def _byte_of(match: re.Match) -> str:
    if match[2] or match[3]:
        raise ValueError(f"the escape {match[0]} in a byte string")
    return _character_of(match)


def _character_of(match: re.Match) -> str:
    code = match[1] or match[2] or match[3]
    if code:
        return chr(int(code, 16))
    try:
        return _ESCAPES[match[4]]
    except KeyError:
        raise ValueError(f"the escape {match[0]}") from None


def _items(text: str, at: int, closing: str, depth: int) -> tuple[list, int, bool]:
    """The values up to ``closing``, where they end, and whether there was a comma."""
    items: list = []
    comma = False
    while True:
        at = _skip(text, at)
        if text[at : at + 1] == closing:
            return items, at + 1, comma
        if items and not comma:
            raise ValueError(f"a comma is missing at character {at}")
        value, at = _value(text, at, depth + 1)
        items.append(value)
        at = _skip(text, at)
        comma = text[at : at + 1] == ","
        at += comma


def _tuple(text: str, at: int, depth: int) -> tuple[Any, int]:
    items, end, comma = _items(text, at + 1, ")", depth)
    if len(items) == 1 and not comma:
        return items[0], end  # a value in brackets
    return tuple(items), end


def _dict(text: str, at: int, depth: int) -> tuple[dict, int]:
    found: dict = {}
    comma, at = True, at + 1
    while True:
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            return found, at + 1
        if not comma:
            raise ValueError(f"a comma is missing at character {at}")
        key, at = _value(text, at, depth + 1)
        if not isinstance(key, _KEYS):
            raise ValueError(f"a {type(key).__name__} as the key of a dict")
        at = _skip(text, at)
        if text[at : at + 1] != ":":
            raise ValueError(f"a colon is missing at character {at}")
        found[key], at = _value(text, _skip(text, at + 1), depth + 1)
        at = _skip(text, at)
        comma = text[at : at + 1] == ","
        at += comma
