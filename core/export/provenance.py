"""What an exported file says about where it comes from."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from core.formats.dfl_weights import ModelData


def provenance(name: str, data: ModelData, consent: Path | None = None) -> dict[str, str]:
    """Metadata of a file: model, iteration, date (UTC) and a digest of the options.

    name: of the model.
    consent: a file; the metadata refer to it where it exists.
    """
    # Sorted, so that the digest does not depend on the order in which a program saved them; str for what JSON lacks.
    options = json.dumps(data.options, sort_keys=True, default=str).encode()
    out = {
        "model_name": name,
        "iteration": str(data.iteration),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "options_sha256": hashlib.sha256(options).hexdigest(),
    }
    if consent is not None and consent.is_file():
        out |= {"consent": consent.name, "consent_sha256": hashlib.sha256(consent.read_bytes()).hexdigest()}
    return out


def weights_used(averaged: Sequence[str], networks: Sequence[str]) -> str:
    """Which weights a file was made of: ``averaged``, ``last``, or the networks of which the averages were taken."""
    if len(averaged) == len(networks):
        return "averaged"
    return f"averaged: {', '.join(averaged)}; the others last" if averaged else "last"
