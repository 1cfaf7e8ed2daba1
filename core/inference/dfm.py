"""Running a ``.dfm``, ours or anybody's: the names in the file, and faces in, swapped faces out.

A file has the input ``in_face:0`` (N, R, R, 3) float32 BGR 0..1, an AMP model also ``morph_value:0`` (1,), and three
outputs. Height and width are fixed, the batch is free or 1.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.inference.sessions import Session, Settings, TensorInfo, open_session

FloatArray = NDArray[np.float32]

FACE, MORPH = "in_face:0", "morph_value:0"
# What our files that swap the other way say, and how they end; files of other programs say nothing of it.
DIRECTION, REVERSE = "direction", "dst to src"
REVERSED = "reverse.dfm"
# How files in 8 bits end; they are used where somebody names them.
INT8 = "_int8.dfm"
# Name and channels, in the order of the file; those of ``Swap``.
OUTPUTS = (("out_face_mask:0", 1), ("out_celeb_face:0", 3), ("out_celeb_face_mask:0", 1))


@dataclass(frozen=True)
class Swap:
    """What a model makes of a batch of target faces; float32, 0..1, in the order of the file's outputs.

    target_mask: (N, R, R, 1), the mask of the target face.
    face: (N, R, R, 3), BGR, the face of the model with the target's expression.
    face_mask: (N, R, R, 1), the mask of that face.
    """

    target_mask: FloatArray
    face: FloatArray
    face_mask: FloatArray


@dataclass(frozen=True)
class DfmModel:
    """An opened ``.dfm``.

    session: what runs it.
    resolution: side of the faces, pixels.
    takes_morph: whether it has the input for the share of the source (AMP).
    one_by_one: whether its batch is fixed at 1.
    """

    session: Session
    resolution: int
    takes_morph: bool
    one_by_one: bool

    def swap(self, faces: NDArray[np.uint8] | FloatArray, morph: float = 1.0) -> Swap:
        """Swap a batch of aligned target faces.

        faces: (N, R, R, 3) BGR, N at least 1, uint8 or float32 0..1.
        morph: 0..1, the share of channels from the source; a model without that input ignores it.

        Raises:
            OutOfMemoryFault: from the session.
        """
        batch = _as_float(faces)
        groups = [batch[i : i + 1] for i in range(len(batch))] if self.one_by_one else [batch]
        made = [self._run(group, morph) for group in groups]
        outputs = made[0] if len(made) == 1 else [np.concatenate(parts) for parts in zip(*made, strict=True)]
        return Swap(*outputs)

    def decoded(self, faces: NDArray[np.uint8] | FloatArray, output: str) -> FloatArray:
        """A further output of a file that has more than live programs need; arguments as of ``swap``, morph 1."""
        batch = _as_float(faces)
        size = 1 if self.one_by_one else len(batch)
        groups = [batch[start : start + size] for start in range(0, len(batch), size)]
        return np.concatenate([self.session.run(self._feeds(group, 1.0), [output])[0] for group in groups])

    def _run(self, batch: FloatArray, morph: float) -> list[NDArray]:
        return self.session.run(self._feeds(batch, morph), [tensor.name for tensor in self.session.outputs])

    def _feeds(self, batch: FloatArray, morph: float) -> dict[str, NDArray]:
        feeds: dict[str, NDArray] = {FACE: batch}
        if self.takes_morph:
            feeds[MORPH] = np.array([morph], np.float32)
        return feeds


def exported(folder: Path, *, reverse: bool = False) -> list[Path]:
    """The files of a folder, the oldest first, but for those in 8 bits. reverse: those that swap the other way, and no
    others.
    """
    whole = [path for path in folder.glob("*.dfm") if not path.name.endswith(INT8)]
    found = [path for path in whole if path.name.endswith(f"_{REVERSED}") == reverse]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns)


def open_dfm(path: Path, settings: Settings) -> DfmModel:
    """Open a file and see that live programs would take it.

    Raises:
        InputError: there is no such file, or it is an ONNX file with other inputs or outputs.
        CorruptFileError: it is no ONNX file, or a damaged one.
        OutOfMemoryFault: it does not fit into memory.
    """
    return as_dfm(open_session(path, path, settings))


def as_dfm(session: Session) -> DfmModel:
    """The model of a session. Raises InputError when its inputs and outputs are not those of a ``.dfm``."""
    names = tuple(tensor.name for tensor in session.inputs)
    if names not in ((FACE,), (FACE, MORPH)):
        raise _not_a_dfm(session, f"its inputs are {', '.join(names) or 'none'}")
    # By their number alone: live programs take the outputs in order and look at no names.
    if len(session.outputs) != len(OUTPUTS):
        raise _not_a_dfm(session, f"it has {len(session.outputs)} outputs instead of {len(OUTPUTS)}")
    face = session.inputs[0]
    return DfmModel(
        session=session,
        resolution=_resolution(session, face),
        takes_morph=MORPH in names,
        one_by_one=face.shape[0] == 1,
    )


def _resolution(session: Session, face: TensorInfo) -> int:
    batch, *sides = face.shape
    side = sides[0]
    if not isinstance(side, int) or sides != [side, side, 3] or face.kind != "tensor(float)":
        raise _not_a_dfm(session, f"{face.name} is {face.kind} of shape {face.shape}")
    if isinstance(batch, int) and batch != 1:
        raise _not_a_dfm(session, f"{face.name} has a fixed batch of {batch}")
    return side


def _not_a_dfm(session: Session, why: str) -> InputError:
    return InputError(
        "not a model for live programs", where=session.source, why=why, hint="export one with exportDFM.sh"
    )


def _as_float(faces: NDArray[np.uint8] | FloatArray) -> FloatArray:
    if faces.dtype == np.uint8:
        return faces.astype(np.float32) / np.float32(255)
    return faces.astype(np.float32, copy=False)
