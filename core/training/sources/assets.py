"""Archives that people bring: weights to start a new model from, and a set of random target faces."""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core import fsio
from core.errors import InputError
from core.faceset.steps import PARKED
from core.formats.safe_zip import extract_members
from core.safe_paths import own_folder
from core.workspace import IMAGE_SUFFIXES, PAK_NAME, Side, other_faces

log = logging.getLogger(__name__)
PRETRAINED, RANDOM_DST = "pretrained_model.zip", "random_dst_face_set.zip"
_PARTS = {
    "SAEHD": (
        "encoder.npy",
        "inter.npy",
        "inter_AB.npy",
        "inter_B.npy",
        "decoder.npy",
        "decoder_src.npy",
        "decoder_dst.npy",
        "data.dat",
    ),
    "AMP": ("encoder.npy", "inter_src.npy", "inter_dst.npy", "decoder.npy", "data.dat"),
    # There is nothing to choose in Quick96, so no data.dat is needed; the moments come along as in the original.
    "Quick96": ("encoder.npy", "inter.npy", "decoder_src.npy", "decoder_dst.npy", "src_dst_opt.npy"),
}
# Bytes when unpacked: small archives can swell without end.
_MAX_MODEL, _MAX_FACES = 16 * 2**30, 64 * 2**30


def pretrained(assets: Path, kind: str) -> Path:
    """Where weights to start a new model of ``kind`` from would be.

    ``pretrained_model.zip``; for AMP ``pretrained_model_AMP.zip``.
    """
    return assets / (PRETRAINED if kind == "SAEHD" else PRETRAINED.replace(".zip", f"_{kind}.zip"))


@contextmanager
def pretrained_files(archive: Path, beside: Path, kind: str = "SAEHD") -> Iterator[dict[str, Path]]:
    """What a new model of ``kind`` starts from: name without the model's prefix -> file.

    These are its networks and, where the kind has dimensions to choose, ``data.dat``. They are unpacked into a
    temporary folder in ``beside`` that goes away at the end.

    Raises:
        InputError: when there is no such model in the archive.
        CorruptFileError: when the archive is damaged or hostile.
    """
    with tempfile.TemporaryDirectory(prefix=".pretrained.", dir=beside) as folder:
        paths = extract_members(archive, [f"*{part}" for part in _PARTS[kind]], Path(folder), _MAX_MODEL)
        files = {_bare(path.name, kind): path for path in paths}
        if "encoder.npy" not in files or ("data.dat" in _PARTS[kind] and "data.dat" not in files):
            raise InputError(
                "no model in the archive",
                where=archive,
                why=f"found {', '.join(sorted(files)) or 'nothing'}",
                hint=f"it must hold the files of a {kind} model: {', '.join(_PARTS[kind])}",
            )
        yield files


def fill_dst_faces(archive: Path, side: Side) -> int:
    """Unpack the random target faces where there are none. All of them appear, or none. Returns how many files.

    Where something lies in their place that may be faces of somebody, nothing is done: whoever opens them says what.

    Raises:
        InputError: when there are no faces in the archive, or another run uses this side.
        CorruptFileError: when the archive is damaged or hostile.
    """
    with side.locked():
        # Asked again: before the lock another run may have brought some.
        return 0 if side.has_faces() or _may_be_faces(side.aligned) else _fill(archive, side)


def _may_be_faces(folder: Path) -> bool:
    """Whether there are persons, pictures that are not read here, or faces between two names."""
    if other_faces(folder) or any(folder.glob(f"{PARKED}*")):
        return True
    return any(path.is_dir() for path in folder.glob("[!.]*"))


def _fill(archive: Path, side: Side) -> int:
    incoming = side.aligned.with_name(".aligned.incoming")
    # What a killed run has left.
    shutil.rmtree(incoming, ignore_errors=True)
    own_folder(incoming)
    patterns = [PAK_NAME, *(f"*{suffix}" for suffix in IMAGE_SUFFIXES)]
    paths = extract_members(archive, patterns, incoming, _MAX_FACES)
    if not paths:
        raise InputError(
            "no faces in the archive", where=archive, hint="the archive must hold a faceset.pak or face images"
        )
    pak = [path for path in paths if path.name == PAK_NAME]
    for path in paths:
        # A pak and loose faces in one folder contradict each other, and training would refuse them.
        if pak and path not in pak:
            path.unlink()
    # What file managers leave in a folder, or a link to another place.
    if side.aligned.is_symlink() or (side.aligned.exists() and any(side.aligned.iterdir())):
        fsio.move_to_trash(side.aligned, side.workspace.trash)
    # It takes the place of an empty folder, and all files appear at once.
    incoming.rename(side.aligned)
    fsio.fsync_dir(side.aligned.parent)
    log.info("no faces in %s: took %d file(s) from %s", side.aligned, len(pak or paths), archive)
    return len(pak or paths)


def _bare(name: str, kind: str) -> str:
    """``user name_SAEHD_encoder.npy`` and ``encoder.npy`` are both ``encoder.npy``."""
    for part in _PARTS[kind]:
        if name == part or name.endswith(f"_{part}"):
            return part
    return name
