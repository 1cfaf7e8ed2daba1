"""What a person should know about how the files of a model were chosen: data for programs, and as text a sentence."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DamagedSave:
    """A save that is passed over. iteration: of it; used: iteration of the save that is taken instead."""

    iteration: int
    used: int

    def __str__(self) -> str:
        return f"the save of iteration {self.iteration} is damaged; the save of iteration {self.used} is used"


@dataclass(frozen=True)
class DamagedFile:
    """A flat file that is passed over. name: of it; why: what is wrong with it."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name} is damaged and is not used: {self.why}"


@dataclass(frozen=True)
class FileByHand:
    """A flat file that a person put there, which takes the place of the save's. name: of it."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} was put there by hand and is used"


@dataclass(frozen=True)
class ModelByHand:
    """All flat files, ``data.dat`` among them, come from elsewhere: they are the model, and not the saves."""

    def __str__(self) -> str:
        return "the model's files were replaced by hand and are used as they are"


@dataclass(frozen=True)
class SetAside:
    """Damaged files were moved out of the way. folder: where they are now."""

    folder: Path

    def __str__(self) -> str:
        return f"what was damaged is now in {self.folder}"


Remark = DamagedSave | DamagedFile | FileByHand | ModelByHand | SetAside
