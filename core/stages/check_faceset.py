"""Look a faceset over: counts, damaged files, missing or contradicting metadata."""

from pydantic import Field

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    pixels: bool = Field(False, description="decode every picture too (slower): finds damaged picture data")
    list_all: bool = Field(False, description="name every file that something was found about, not just the first ones")


def run(options: Options, workspace: Workspace) -> StageReport:
    from core.errors import InputError
    from core.faceset import checking, store

    folder = workspace.side(options.side).aligned
    found = checking.check(folder, options.pixels)
    warnings = [
        f"{kind}: {len(names)} ({_names(names, options.list_all)})"
        for kind, names in sorted(found.kinds.items(), key=lambda item: -len(item[1]))
    ]
    fingerprint = "-"
    try:
        faceset = store.open_faceset(folder)
        fingerprint = faceset.fingerprint()[:16]
        faceset.close()
    except InputError as error:
        warnings.append(f"training would refuse this folder: {error.what}; {error.why}")
    rows = (
        ("faces", found.faces),
        ("not faces", len(found.kinds.get("not a face", ()))),
        ("face types", _counts(found.face_types)),
        ("sizes", _counts(found.sizes)),
        ("masks", _counts(found.masks)),
        ("persons", len(found.persons)),
        ("fingerprint", fingerprint),
    )
    return StageReport(f"faceset {options.side}", rows, tuple(warnings))


def _counts(counter) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counter.most_common(6)) or "-"


def _names(names: list[str], every: bool) -> str:
    shown = names if every else names[:5]
    return ", ".join(shown) + (" ..." if len(shown) < len(names) else "")
