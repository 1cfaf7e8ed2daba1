"""What files say of their origin, and who signed them."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.formats.origin import signature, signing_key
from core.formats.origin.reading import read_label
from core.formats.origin.signature import Claim, Signature
from core.inference.dfm import open_dfm
from core.inference.sessions import CPU_ONLY

_MODEL = (".dfm", ".onnx")
_TELLING = ("generator", "model_name", "iteration", "created", "consent_sha256", "digital_source_type")


@dataclass(frozen=True)
class Origin:
    """What a file says. said: what -> value; empty where it says nothing."""

    path: Path
    said: dict[str, str]


@dataclass(frozen=True)
class Seal:
    """What signs a film when it is whole.

    sign: None where nothing can. why_not: what a person should know of that; empty where no key was ever made.
    """

    sign: Callable[[Path], None] | None = None
    why_not: str = ""


@dataclass(frozen=True)
class Verified:
    """signature: None where the file has none, or its kind can have none."""

    path: Path
    signature: Signature | None


def origins(paths: Sequence[Path]) -> tuple[Origin, ...]:
    """What each of these pictures, films and models says of its origin.

    Raises:
        InputError: one is not there.
        CorruptFileError: a model cannot be read.
    """
    _require(paths)
    return tuple(Origin(path, _said(path)) for path in paths)


def make_key(name: str) -> Path:
    """Make a person's signing key. name: of the signer, as it will be shown. Returns its file.

    Raises:
        InputError: there is one already.
        EnvironmentFault: the packages for it are not installed.
    """
    return signing_key.make_key(signing_key.keys_folder(), name)


def open_seal(target: Path, parent: Path | None = None, model: Path | None = None) -> Seal:
    """What will sign ``target`` when it is whole. parent: the film that it is made of. model: what swaps.

    Raises:
        CorruptFileError: the key is damaged, which is better known before a film is made than after.
    """
    key = signing_key.find_key(signing_key.keys_folder())
    if key is None:
        return Seal()
    if not signature.is_installed():
        return Seal(why_not=f"not signed, though there is a key: pip install -r {signing_key.PACKAGES}")
    if target.suffix.lower() not in signature.KINDS:
        return Seal(why_not=f"not signed: C2PA has no place in {target.suffix}; .mp4 has one")

    def sign(path: Path) -> None:
        signature.sign_file(path, key, Claim(target.name, parent, _details(model) if model else {}))

    return Seal(sign)


def sign(paths: Sequence[Path]) -> None:
    """Sign pictures and films of this program, in their place.

    Raises:
        InputError: one is not there, its kind cannot be signed, it does not say that this program made it, or there is
            no key.
        EnvironmentFault: the package is not installed.
    """
    _require(paths)
    key = signing_key.find_key(signing_key.keys_folder())
    if key is None:
        raise InputError(
            "no signing key", where=signing_key.keys_folder(), hint="python -m core provenance --make-key NAME"
        )
    for path in paths:
        if read_label(path) is None:
            raise InputError("only what this program has made is signed", where=path)
    for path in paths:
        signature.sign_file(path, key, Claim(path.name))


def verify(paths: Sequence[Path]) -> tuple[Verified, ...]:
    """Who signed these pictures and films, and whether they were changed since.

    Raises:
        InputError: one is not there.
        EnvironmentFault: the package is not installed.
    """
    _require(paths)
    key = signing_key.find_key(signing_key.keys_folder())
    root = key.root if key else None
    can = signature.KINDS
    return tuple(
        Verified(path, signature.read_signature(path, root) if path.suffix.lower() in can else None) for path in paths
    )


def _require(paths: Sequence[Path]) -> None:
    for path in paths:
        if not path.is_file():
            raise InputError("no such file", where=path)


def _said(path: Path) -> dict[str, str]:
    if path.suffix.lower() in _MODEL:
        return _words_of_model(path)
    label = read_label(path)
    return {"made by": label.tool, "digital source type": label.source_type} if label else {}


def _words_of_model(path: Path) -> dict[str, str]:
    metadata = open_dfm(path, CPU_ONLY).session.metadata
    return {name: metadata[name] for name in _TELLING if name in metadata}


def _details(model: Path) -> dict[str, str]:
    with open(model, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"model": model.name, "model_sha256": digest, **_words_of_model(model)}
