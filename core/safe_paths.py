"""Names that come from files are names, never paths: one place decides what they may lead to.

Manifests, journals, logs, receipts and databases lie in folders that people copy from elsewhere. What they call a file must
be a file of the folder that they are about, whatever they say.
"""

import os
from collections.abc import Collection
from pathlib import Path

from core.errors import CorruptFileError

# A backslash is a letter like any other where it does not separate folders.
_SEPARATORS = ("/", "\0", *filter(None, [os.sep, os.altsep]))


def child(folder: Path, name: object, where: object) -> Path:
    """The file or folder called ``name`` directly in ``folder``. where: the file that says so, for the message.

    Raises:
        CorruptFileError: the name is no text, empty, has a separator of folders or a NUL in it, or is ``.`` or ``..``.
    """
    if not isinstance(name, str) or name in ("", ".", "..") or any(sign in name for sign in _SEPARATORS):
        raise _outside(name, where)
    return folder / name


def descendant(folder: Path, path: object, where: object, roots: Collection[str]) -> Path:
    """The file called ``path``, names with slashes between, below ``folder`` in one of its folders ``roots``.

    No folder on the way may be a symbolic link, which could lead anywhere.

    Raises:
        CorruptFileError: one of the names is none, the first is not one of ``roots``, or there is a link on the way.
    """
    names = path.split("/") if isinstance(path, str) else [""]
    if len(names) < 2 or names[0] not in roots:
        raise _outside(path, where)
    place = folder
    for name in names[:-1]:
        place = child(place, name, where)
        # The folder itself may be a link that a person made, to a larger disk; what a file names must not be one.
        if place.is_symlink() and place.parent != folder:
            raise _outside(path, where)
    return child(place, names[-1], where)


def _outside(path: object, where: object) -> CorruptFileError:
    return CorruptFileError(
        "a file name leads out of its folder",
        where=str(where),
        why=f"it names {str(path)[:200]!r}",
        hint="this file was damaged, or made to harm: do not use it; move it away",
    )
