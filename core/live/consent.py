"""Without a record of consent the badge stays; where it is taken off, a receipt says when, of what and under which."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

from core.errors import CorruptFileError, InputError
from core.fsio import append_text
from core.safe_paths import own_folder
from core.workspace import Workspace

RECEIPTS = "live-receipts.jsonl"
_HINT = "it says who agreed, to what, until when: docs/safeguards.md"


def consent_hash(workspace: Workspace) -> str:
    """SHA-256 of ``consent.json``, in hexadecimal digits.

    Raises:
        InputError: there is none.
        CorruptFileError: it is no JSON, or it says nothing.
    """
    if not workspace.consent.is_file():
        raise InputError("no record of consent, so the badge stays", where=workspace.consent, hint=_HINT)
    data = workspace.consent.read_bytes()
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        said = None
    if not said:
        raise CorruptFileError("the record of consent says nothing", where=workspace.consent, hint=_HINT)
    return hashlib.sha256(data).hexdigest()


def badge_off(workspace: Workspace, model: Path) -> Path:
    """Write the receipt that the badge goes off now; only then may it. Returns the file of receipts.

    Raises:
        InputError, CorruptFileError: as of ``consent_hash``; there is a link in the place of the receipts.
        OSError: it cannot be written.
    """
    consent = consent_hash(workspace)
    with open(model, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "event": "badge off",
        "model": model.name,
        "model_sha256": digest,
        "consent_sha256": consent,
    }
    path = own_folder(workspace.logs) / RECEIPTS
    append_text(path, json.dumps(line) + "\n", durable=True)
    return path
