"""The key that a person signs films with: made here, under a root certificate of its own.

It is self-made: it proves that a file was not changed since it was signed with this key, not who owns the key. The key
of the root is thrown away once it has signed, so that nothing else can ever be issued under it.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.errors import CorruptFileError, EnvironmentFault, InputError
from core.fsio import fsync_dir, temporary_path

KEY, ROOT = "signing-key.pem", "signing-root.pem"
PACKAGES = "requirements-c2pa.txt"
_HINT = f"pip install -r {PACKAGES}"
_YEARS = 10
_BEGIN = b"-----BEGIN CERTIFICATE-----"
_SKEW = timedelta(minutes=5)  # of clocks


@dataclass(frozen=True)
class SigningKey:
    """private: the key, PEM. chain: its certificate and the root's, PEM. root: the last of them."""

    private: bytes
    chain: bytes

    @property
    def root(self) -> bytes:
        return self.chain[self.chain.rindex(_BEGIN) :]


def keys_folder() -> Path:
    """Where a person's key lies: FORGE_KEYS, else ``~/.config/dfm-forge``. Not in the workspace, which is passed on."""
    return Path(os.environ.get("FORGE_KEYS") or "~/.config/dfm-forge").expanduser()


def find_key(folder: Path) -> SigningKey | None:
    """The key of a folder; None where none was made.

    Raises:
        CorruptFileError: it is no key with its certificates.
    """
    try:
        data = (folder / KEY).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    private, begin, chain = data.partition(_BEGIN)
    if b"PRIVATE KEY-----" not in private or chain.count(_BEGIN) != 1:
        raise CorruptFileError("damaged signing key", where=folder / KEY, hint="move it away; --make-key makes another")
    return SigningKey(private, begin + chain)


def make_key(folder: Path, name: str) -> Path:
    """Make a key that only its owner can read (mode 0600), and its root certificate for those who verify.

    name: of the signer, as it will be shown.
    Returns the file of the key.

    Raises:
        InputError: there is one already, or the name is empty or too long.
        EnvironmentFault: the packages for it are not installed.
    """
    if (folder / KEY).exists():
        raise InputError("there is a signing key already", where=folder / KEY, hint="move it away to make another")
    if not 1 <= len(name.strip()) <= 48:
        raise InputError("the name of a signer has 1 to 48 letters", where=name[:60])
    key = _made(name.strip())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(folder / KEY, key.private + key.chain, 0o600)
    _write(folder / ROOT, key.root, 0o644)
    return folder / KEY


def _write(path: Path, data: bytes, mode: int) -> None:
    """A new file with this mode from its first byte on."""
    temporary = temporary_path(path.parent)
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    fsync_dir(path.parent)


def _made(name: str) -> SigningKey:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        raise EnvironmentFault("a signing key needs the package cryptography", hint=_HINT) from None
    root_key, own_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate(f"{name}, self-made root", root_key)
    own = _certificate(f"{name}, self-made", own_key, root, root_key)
    pem = serialization.Encoding.PEM
    private = own_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return SigningKey(private, own.public_bytes(pem) + root.public_bytes(pem))


def _certificate(name: str, key: Any, issuer: Any = None, issuer_key: Any = None) -> Any:
    """A certificate for a key; without an issuer that of a root."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    is_root = issuer is None
    subject = x509.Name([x509.NameAttribute(oid, name) for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)])
    signing_key = key if is_root else issuer_key
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if is_root else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .add_extension(_usage(is_root), critical=True)
    )
    if not is_root:
        # Of the purposes that C2PA allows, the one that every verifier accepts.
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return builder.sign(signing_key, hashes.SHA256())


def _usage(is_root: bool) -> Any:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not is_root,
        key_cert_sign=is_root,
        crl_sign=is_root,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
