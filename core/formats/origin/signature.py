"""C2PA signatures: who signed a picture or film, what they say of it, and whether it was changed since.

The package c2pa-python does the work, where it is installed (``requirements-c2pa.txt``). No network is asked.
"""

import importlib.util
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core import __version__
from core.errors import EnvironmentFault, InputError
from core.formats.origin.signing_key import PACKAGES, SigningKey
from core.formats.provenance import DIGITAL_SOURCE_TYPE
from core.fsio import temporary_path

# What the package can sign, by ending.
KINDS: Mapping[str, str] = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}
_AGENT = {"name": "DFM Forge", "version": __version__}
_DETAILS = "org.dfm-forge.swap"
_PARENT = "parent"
# Pictures of the picture would be fifty times as large as all the rest, and the network is not asked.
_SIGNING = {"builder": {"thumbnail": {"enabled": False}}, "verify": {"remote_manifest_fetch": False}}
_NOT_TRUSTED = "signingCredential.untrusted"


@dataclass(frozen=True)
class Claim:
    """What is signed beside the bytes.

    title: name of the file. parent: the film that it was made of, if the package can read it. details: in words.
    """

    title: str
    parent: Path | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Signature:
    """What a signature says.

    valid: the file is as it was signed. known: the signer's root is one of those that were given.
    signer: the name in the certificate, which proves nothing where the root is not known.
    source_type: IPTC's digital source type, an address; empty where none is claimed.
    problems: what does not fit, in C2PA's words.
    """

    valid: bool
    known: bool
    signer: str
    source_type: str
    problems: tuple[str, ...] = ()


def is_installed() -> bool:
    """Whether files can be signed and verified here."""
    return importlib.util.find_spec("c2pa") is not None


def sign_file(path: Path, key: SigningKey, claim: Claim) -> None:
    """Sign a picture or film; nothing may change it afterwards. It is replaced whole or stays as it was.

    Raises:
        EnvironmentFault: the package is not installed, or the key does not work.
        InputError: files of this kind cannot be signed.
    """
    c2pa = _package()
    kind = _kind(path)
    temporary = temporary_path(path.parent, path.suffix)
    try:
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", key.chain, key.private, None))
        context = c2pa.Context(c2pa.Settings.from_dict(_SIGNING), signer)
        with c2pa.Builder(json.dumps(_manifest(claim)), context) as builder:
            if parent := _parent(claim):
                with open(parent, "rb") as film:
                    about = {"title": parent.name, "relationship": "parentOf", "label": _PARENT}
                    builder.add_ingredient(about, _kind(parent), film)
            with open(path, "rb") as source, open(temporary, "xb+") as target:
                builder.sign(kind, source, target)
                target.flush()
                os.fsync(target.fileno())
        os.replace(temporary, path)
    except c2pa.C2paError as error:
        raise EnvironmentFault("cannot sign", where=claim.title, why=" ".join(str(error).split())[:300]) from None
    finally:
        temporary.unlink(missing_ok=True)


def read_signature(path: Path, root: bytes | None = None) -> Signature | None:
    """What the signature of a picture or film says; None where it has none.

    root: a certificate, PEM, whose signers are known.

    Raises:
        EnvironmentFault: the package is not installed.
        InputError: files of this kind cannot be signed.
    """
    c2pa = _package()
    kind = _kind(path)
    settings: dict[str, Any] = {"verify": {"verify_trust": True, "remote_manifest_fetch": False}}
    if root is not None:
        settings["trust"] = {"user_anchors": root.decode()}
    context = c2pa.Context(c2pa.Settings.from_dict(settings))
    try:
        with open(path, "rb") as file, c2pa.Reader(kind, file, context=context) as reader:
            return _said(reader)
    except c2pa.C2paError as error:
        text = " ".join(str(error).split())[:300]
        if isinstance(error, c2pa.C2paError.ManifestNotFound):
            return None
        return Signature(False, False, "", "", (text,))


def _package() -> Any:
    try:
        import c2pa
    except ImportError:
        raise EnvironmentFault("signatures need the package c2pa-python", hint=f"pip install -r {PACKAGES}") from None
    return c2pa


def _kind(path: Path) -> str:
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise InputError(
            "C2PA has no place in this kind of file", where=path, hint=f"there is one in {', '.join(KINDS)}"
        )
    return kind


def _parent(claim: Claim) -> Path | None:
    known = claim.parent is not None and claim.parent.suffix.lower() in KINDS
    return claim.parent if known else None


def _manifest(claim: Claim) -> dict[str, Any]:
    made = {"digitalSourceType": DIGITAL_SOURCE_TYPE, "softwareAgent": _AGENT}
    if _parent(claim):
        actions = [
            {"action": "c2pa.opened", "parameters": {"ingredientIds": [_PARENT]}},
            {"action": "c2pa.edited", **made},
        ]
    else:
        actions = [{"action": "c2pa.created", **made}]
    assertions: list[dict[str, Any]] = [{"label": "c2pa.actions", "data": {"actions": actions}}]
    if claim.details:
        assertions.append({"label": _DETAILS, "data": dict(claim.details)})
    return {"claim_generator_info": [_AGENT], "title": claim.title, "assertions": assertions}


def _said(reader: Any) -> Signature:
    active = reader.get_active_manifest() or {}
    results = (reader.get_validation_results() or {}).get("activeManifest") or {}
    problems = tuple(sorted({item["code"] for item in results.get("failure", [])} - {_NOT_TRUSTED}))
    state = reader.get_validation_state()
    actions = [
        action
        for assertion in active.get("assertions", [])
        if assertion["label"].startswith("c2pa.actions")
        for action in assertion["data"].get("actions", [])
    ]
    return Signature(
        valid=state in ("Valid", "Trusted") and not problems,
        known=state == "Trusted",
        signer=(active.get("signature_info") or {}).get("common_name") or "",
        source_type=next((each["digitalSourceType"] for each in actions if "digitalSourceType" in each), ""),
        problems=problems,
    )
