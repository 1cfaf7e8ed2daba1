"""Which models a folder has, and which of them is meant."""

from collections.abc import Sequence
from pathlib import Path

from core.checkpoints.model_folder import DATA, ModelFolder
from core.checkpoints.saves import FOLDER
from core.errors import InputError, UsageError
from core.networks.config import KINDS

DEFAULT_NAME = "swap"


def discover(folder: Path, kind: str = "SAEHD") -> list[str]:
    """Names of the models of a kind in ``folder``, sorted.

    A name may have underscores: forks write such, though the original itself takes them for another model.
    """
    named = {path.name.removesuffix(f"_{kind}_{DATA}") for path in folder.glob(f"*_{kind}_{DATA}")}
    # A model whose first save was cut before it was published has no flat files yet.
    saved = {path.name.removesuffix(f"_{kind}") for path in (folder / FOLDER).glob(f"*_{kind}") if path.is_dir()}
    names = sorted(name for name in named | saved if name and not name.startswith("."))
    return [name for name in names if ModelFolder(folder, name, kind).exists()]


def find(folder: Path, name: str | None = None, kind: str | None = None) -> list[ModelFolder]:
    """The models in ``folder``: those called ``name``, of ``kind``; None takes all."""
    kinds = KINDS if kind is None else [known for known in KINDS if known == kind]
    found = []
    for known in kinds:
        found += [ModelFolder(folder, each, known) for each in discover(folder, known)]
    return [model for model in found if name in (None, model.name)]


def listed(models: Sequence[ModelFolder]) -> str:
    """``swap (SAEHD), other (AMP)``."""
    return ", ".join(f"{model.name} ({model.kind})" for model in models)


def choose(folder: Path, name: str | None = None, kind: str | None = None) -> ModelFolder:
    """The only model that fits: is called ``name``, is of ``kind``; None for any.

    Raises:
        InputError: there is none, or there are several.
    """
    found = find(folder, name, kind)
    if len(found) == 1:
        return found[0]
    what = f"{kind} model" if kind else "model"
    if found:
        hint = f"choose one with {_telling_flag(found)}"
        raise InputError(f"more than one {what}", where=folder, why=f"found {listed(found)}", hint=hint)
    others = find(folder)
    why = f"found {listed(others)}" if others else ""
    if name is not None:
        raise InputError(f"no {what} of that name", where=folder / f"{name}_{kind or '*'}_{DATA}", why=why)
    raise InputError(f"no {what}", where=folder, why=why, hint="train one first, or copy the files of a model there")


def choose_or_new(folder: Path, name: str | None = None, kind: str | None = None) -> ModelFolder:
    """The model to train: the only one that fits, else a new one. name, kind: None for any.

    Raises:
        UsageError: several fit; or none does, but the models that there are make it likely that one of them was meant.
        InputError: there are files that look like a model's, and no name was given for a new one.
    """
    found = find(folder, name, kind)
    if len(found) > 1:
        hint = f"choose one with {_telling_flag(found)}"
        raise UsageError("there are several models", where=folder, why=listed(found), hint=hint)
    if found:
        return found[0]
    others = find(folder, name)
    if others:
        called = f" called {name}" if name else ""
        raise UsageError(
            f"there is no {kind} model{called}",
            where=folder,
            why=f"found {listed(others)}",
            hint=f"leave --kind out to go on with {others[0].name}, or start a new model with another --model NAME",
        )
    strangers = _not_understood(folder) if name is None else []
    if strangers:
        raise InputError(
            "there are files of a model here that are not understood",
            where=folder,
            why=", ".join(strangers[:5]),
            hint=f"files of a model are called NAME_{KINDS[0]}_{DATA}, NAME_{KINDS[0]}_encoder.npy ...: rename them; "
            "or begin a new model beside them with --model NAME",
        )
    if name is not None and "_" in name:
        raise UsageError(
            "a new model cannot be called so",
            where=f"--model {name}",
            why="DeepFaceLab ends the name of a model at the first underscore",
            hint=f"--model {name.replace('_', ' ').strip() or DEFAULT_NAME!r}",
        )
    return ModelFolder(folder, name or DEFAULT_NAME, kind or KINDS[0])


def _not_understood(folder: Path) -> list[str]:
    """Names of files that look like parts of a model; those of the mask network are told by their names."""
    looks = [path.name for pattern in ("*.npy", "*.dat", "*.h5", "*.pth") for path in folder.glob(pattern)]
    return sorted(name for name in looks if not name.startswith(("XSeg_", ".")))


def _telling_flag(models: Sequence[ModelFolder]) -> str:
    """The flag that tells these models apart."""
    if len({model.name for model in models}) > 1:
        return "--model NAME"
    return "--kind " + " or ".join(model.kind for model in models)
