"""Names from archives made by strangers, reduced to what can safely be a file name here."""

import re

# Control characters, what Windows forbids, and lone surrogates, which no file system can encode.
_BAD = re.compile(r'[\x00-\x1f\x7f<>:"|?*\ud800-\udfff]')
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .-]{0,150}[A-Za-z0-9_]")  # the usual case, quickly
_IMAGE = (".jpg", ".jpeg", ".png")
_LONGEST = 200  # bytes; file systems take 255, and a number may be added


def safe_component(text: object, default: str) -> str:
    """One path component, not hidden, of at most 200 bytes: the part after the last slash of either kind.

    default: for what is no text, or nothing when it is cleaned.
    """
    if isinstance(text, str) and _PLAIN.fullmatch(text):
        return text
    name = _BAD.sub("_", re.split(r"[/\\]", text)[-1]) if isinstance(text, str) else ""
    name = name.strip().lstrip(".").rstrip(". ")
    while len(name.encode()) > _LONGEST:
        stem, dot, suffix = name.rpartition(".")
        keeps_suffix = dot and len(suffix) < 8 and len(stem) > 8
        name = f"{stem[:-8]}.{suffix}" if keeps_suffix else name[:-8]
    return name or default


def safe_image_name(text: object, default: str) -> str:
    """The same, with the suffix of a face file."""
    name = safe_component(text, default)
    return name if name.lower().endswith(_IMAGE) else f"{name}.jpg"


class UniqueNames:
    """Hands out names; a second one of a kind gets a number: ``00001_0.jpg``, ``00001_0~2.jpg``."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}

    def take(self, name: str, group: str | None = None) -> str:
        """``name`` or a free variant of it within ``group``; compares without case, for file systems that do."""
        wanted = key = f"{group or ''}/{name}".lower()
        candidate, number = name, self._numbers.get(wanted, 1)  # all faces of a pak may have one name
        while key in self._taken:
            number += 1
            stem, dot, suffix = name.rpartition(".")
            candidate = f"{stem}~{number}{dot}{suffix}"
            key = f"{group or ''}/{candidate}".lower()
        self._taken.add(key)
        self._numbers[wanted] = number
        return candidate
