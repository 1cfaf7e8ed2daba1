"""What pictures, films and models say of their origin: whether they are synthetic, what made them, who signed them."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from core.errors import CorruptFileError, UsageError
from core.options import Options as BaseOptions
from core.options import Positional
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.provenance import Verified


class Options(BaseOptions):
    files: Positional[list[Path]] = Field([], description="pictures, films, .dfm files")
    verify: bool = Field(False, description="who signed them, and whether they were changed since (C2PA)")
    sign: bool = Field(False, description="sign these pictures and films, which this program has made, in their place")
    make_key: str | None = Field(
        None,
        description="make a signing key in this name, in FORGE_KEYS (default: ~/.config/dfm-forge); new films are "
        "signed with it",
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    """Read the labels or signatures, sign, or make the key."""
    from core.jobs import provenance

    asked = [options.verify, options.sign, options.make_key is not None]
    if sum(asked) > 1 or bool(options.files) == (options.make_key is not None):
        raise UsageError("give files, with --verify or --sign or neither; or --make-key NAME without files")
    if options.make_key is not None:
        path = provenance.make_key(options.make_key)
        return StageReport(
            "made a signing key",
            (("mode", "0600, for you alone"), ("certificate of its root", "for those who verify, beside it")),
            ("it is self-made: it shows that a file was not changed, not who you are",),
            (path,),
        )
    if options.sign:
        provenance.sign(options.files)
        return StageReport("signed", outputs=tuple(options.files))
    return _verified(provenance.verify(options.files)) if options.verify else _labels(options)


def _labels(options: Options) -> StageReport:
    from core.jobs.provenance import origins

    found = origins(options.files)
    rows: list[tuple[str, object]] = []
    for origin in found:
        rows += [(f"{origin.path.name}: {what}", value) for what, value in origin.said.items()]
    silent = tuple(f"{origin.path.name} says nothing of its origin" for origin in found if not origin.said)
    return StageReport(
        f"{len(found) - len(silent)} of {len(found)} files say where they come from", tuple(rows), silent
    )


def _verified(found: "tuple[Verified, ...]") -> StageReport:
    """Raises CorruptFileError, which says all of them, when a file was changed."""
    rows = tuple((one.path.name, _state(one)) for one in found)
    changed = [one.path.name for one in found if one.signature and not one.signature.valid]
    if changed:
        raise CorruptFileError(
            "changed since it was signed",
            where=", ".join(changed),
            why="; ".join(f"{name}: {state}" for name, state in rows),
            hint="ask for the file again where it came from",
        )
    valid = sum(one.signature is not None for one in found)
    return StageReport(f"{valid} of {len(found)} files are signed and unchanged", rows)


def _state(one: "Verified") -> str:
    signed = one.signature
    if signed is None:
        return "not signed"
    if not signed.valid:
        return f"TAMPERED WITH ({', '.join(signed.problems) or 'the signature does not fit'})"
    whose = "your own key" if signed.known else "a key that is not known here: the name proves nothing"
    said = signed.source_type.rpartition("/")[2]
    return f"valid, by {signed.signer} ({whose}){f'; {said}' if said else ''}"
