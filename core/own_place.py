"""Which folder is a workspace of this program: what moves and deletes things must never meet somebody's home."""

import os
import pwd
import re
from contextlib import suppress
from pathlib import Path

from core.errors import InputError

PROJECT = Path(__file__).resolve().parent.parent
# The file that tells a workspace from other folders, and what it says to people.
MARKER = ".forge-workspace"
_MARK = "This folder is a workspace of DFM Forge: clear_workspace.sh moves or deletes what belongs to one.\n"
# What is in a workspace: what this program makes, the videos and the record of consent that people put there, and what
# desktops leave everywhere.
_PARTS = re.compile(
    r"data_(src|dst)(\..*)?|model|\.(trash|locks|logs|workbench|thumbs|gitkeep)|consent\.json"
    r"|\.DS_Store|Thumbs\.db|\.forge-.*",
    re.DOTALL,
)
_SYSTEM = re.compile(r"bin|boot|dev|etc|home|lib(32|64|x32)?|media|mnt|opt|proc|root|run|sbin|snap|srv|sys|tmp|usr|var")
# User numbers below are those of services, but 0, the administrator.
_FIRST_USER = 1000
_NAMED = 3


def is_part(name: str) -> bool:
    """Whether something of this name directly in a folder can be a part of a workspace."""
    return _PARTS.fullmatch(name) is not None


def require_safe(root: Path) -> None:
    """Refuse a folder that holds far more than one project of this program.

    Raises:
        InputError: it is the root of the system or one of its folders, or it is or holds a home or the program.
    """
    place = root.resolve()
    for other, what in (*((home, "somebody's home") for home in _homes()), (PROJECT, "the program itself")):
        if place == other or place in other.parents:
            raise _refused(root, f"it is, or holds, {what}")
    # Only the root is its own parent.
    if place.parent == place or (place.parent == Path("/") and _SYSTEM.fullmatch(place.name)):
        raise _refused(root, "it is a folder of the system")


def require_own(root: Path) -> None:
    """Refuse a folder that is not known for a workspace, before all of it is moved or deleted.

    Raises:
        InputError: as :func:`require_safe`; or it is a mount point, or has no marker and other things in it.
    """
    require_safe(root)
    if root.is_mount():
        raise _refused(root, "a disk is mounted there")
    strange = strangers(root)
    if strange and not is_marked(root):
        more = f" and {len(strange) - _NAMED} more" if len(strange) > _NAMED else ""
        why = f"it is not marked as one, and holds {', '.join(strange[:_NAMED])}{more}"
        raise _refused(root, why, f"if it is one, mark it: touch '{root / MARKER}'")


def strangers(root: Path) -> list[str]:
    """Names of what is in the folder and is no part of a workspace."""
    there = root.iterdir() if root.is_dir() else ()
    return sorted(path.name for path in there if not is_part(path.name))


def is_marked(root: Path) -> bool:
    """Whether the folder says that it is a workspace."""
    marker = root / MARKER
    return marker.is_file() and not marker.is_symlink()


def mark(root: Path) -> None:
    """Mark the folder, unless other things are in it: those of a person who put a workspace among them."""
    if is_marked(root) or strangers(root):
        return
    with suppress(FileExistsError), open(root / MARKER, "x") as stream:
        stream.write(_MARK)


def _homes() -> set[Path]:
    """The homes of the people of this machine."""
    people = [user.pw_dir for user in pwd.getpwall() if user.pw_uid == 0 or user.pw_uid >= _FIRST_USER]
    homes = [home for home in (os.environ.get("HOME", ""), *people) if home.startswith("/")]
    # Some accounts have the root for a home; it would make every folder part of a home.
    return {Path(home).resolve() for home in homes} - {Path("/")}


def _refused(root: Path, why: str, hint: str = "") -> InputError:
    return InputError(
        "this folder is no workspace of this program",
        where=root,
        why=f"{why}; nothing was touched",
        hint=hint or "give the workspace a folder of its own: WORKSPACE=/some/new/folder",
    )
