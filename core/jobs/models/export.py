"""Export a model, or the mask network, as an ONNX file: written beside, checked, and only then put in its place."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.checkpoints.model_folder import DATA
from core.checkpoints.model_weights import averaged_parts, read_model_weights
from core.checkpoints.remarks import Remark
from core.checkpoints.selection import choose
from core.errors import InputError, UsageError
from core.export import xseg_onnx
from core.export.dfm import export_dfm
from core.export.provenance import provenance, weights_used
from core.faceset.store import open_faceset
from core.formats.dfl_weights import ModelData, read_data
from core.geometry.align import FaceType
from core.inference import xseg_weights
from core.inference.dfm import INT8, REVERSED
from core.networks import keras_backend
from core.networks.config import ModelConfig, config_from_options
from core.quality.faces import crop_of, read_faces, spread
from core.workspace import Side, Workspace

if TYPE_CHECKING:
    from core.export.int8 import Int8Report

_JUDGED_FACES = 64


@dataclass(frozen=True)
class ExportedModel:
    """A .dfm file.

    path: the file. size: of it, in bytes.
    model, kind: name and class of the model. iteration: done when it was saved.
    archi, resolution, face_type: of its networks; resolution in pixels.
    half: whether convolutions are in float16.
    weights: which ones, as the file says: ``averaged``, ``last``, or the networks of which the averages were taken.
    difference: the largest absolute difference from the model.
    remarks: what a person should know about how the files of the model were chosen.
    int8: the file in 8 bits, where one was asked for.
    """

    path: Path
    size: int
    model: str
    kind: str
    iteration: int
    archi: str
    resolution: int
    face_type: str
    half: bool
    weights: str
    difference: float
    remarks: tuple[Remark, ...]
    int8: "Int8Report | None" = None


def export_model(
    workspace: Workspace,
    *,
    model: str | None = None,
    kind: str | None = None,
    half: bool = False,
    int8: bool = False,
    averages: bool = True,
    reverse: bool = False,
    output: Path | None = None,
) -> ExportedModel:
    """Export the newest sound save of a model, also of a folder that the original wrote.

    model, kind: which one, where the workspace has several. half: convolutions in float16. int8: also write a file in
    8 bits beside it, ``*_int8.dfm``. averages: take the averages of the weights where the model keeps them. reverse:
    for the swap the other way, the target's face on the source. output: the file to write; None puts it beside the
    model.

    Raises:
        UsageError: half and int8 together.
        InputError: when there is no such model, or several, or weights are missing; for int8 also faces of the side.
        CorruptFileError: when no save is sound.
        PipelineError: when a file does not compute what the model does; an older file stays then, and the first file
            where the one in 8 bits fails.
    """
    if half and int8:
        raise UsageError("a file has one precision", where="--half --int8", hint="leave one of them out")
    folder = choose(workspace.model, model, kind)
    loaded = folder.load(repair=False)
    data = read_data(loaded.files[DATA])
    config = config_from_options(data.options, folder.kind)
    weights = read_model_weights(loaded.files, config, averages=averages)
    averaged = averaged_parts(loaded.files, config) if averages else []
    said = provenance(folder.name, data, workspace.consent) | {"weights": weights_used(averaged, list(weights))}
    # Before Keras is imported for the first time: it reads the choice only then.
    keras_backend.choose()
    from core.export.reference import keras_reference  # loads the framework

    path = output or folder.path(REVERSED if reverse else "model.dfm")
    reference = keras_reference(weights, config, reverse=reverse)
    report = export_dfm(weights, config, path, said, reference=reference, half=half, reverse=reverse)
    small = _in_8_bits(path, config, workspace.side("src" if reverse else "dst")) if int8 else None
    return ExportedModel(
        path=path,
        size=report.size,
        model=folder.name,
        kind=folder.kind,
        iteration=data.iteration,
        archi=config.archi,
        resolution=config.resolution,
        face_type=config.face_type,
        half=half,
        weights=said["weights"],
        difference=report.difference,
        remarks=loaded.remarks,
        int8=small,
    )


def _in_8_bits(exported: Path, config: ModelConfig, side: Side) -> "Int8Report":
    """The file in 8 bits beside the one in float32, judged on faces of the side."""
    from core.export.int8 import export_int8  # loads onnxruntime

    faces = open_faceset(side.aligned)
    found, _ = read_faces(faces, spread(len(faces), _JUDGED_FACES))
    face_type = FaceType.parse(config.face_type)
    crops = np.stack([crop_of(face, config.resolution, face_type).image for face in found])
    return export_int8(exported, exported.with_name(exported.stem + INT8), config, crops)


@dataclass(frozen=True)
class ExportedXSeg:
    """The mask network as an ONNX file.

    path: the file. size: of it, in bytes.
    origin: where the weights are from: a file's name.
    iteration: done when they were saved, None where that is not known.
    pretraining: whether the network still draws faces instead of masks.
    resolution: of the network, in pixels.
    face_type: that it was trained on, ``unknown`` where that is not known.
    difference: the largest absolute difference from the network.
    """

    path: Path
    size: int
    origin: str
    iteration: int | None
    pretraining: bool
    resolution: int
    face_type: str
    difference: float


def export_xseg(workspace: Workspace, *, weights: Path | None = None, output: Path | None = None) -> ExportedXSeg:
    """Export the mask network.

    weights: folder with the network; None takes the workspace's own, else the one in the assets. output: the file to
    write; None puts it beside the models.

    Raises:
        InputError: when there are no weights.
        CorruptFileError: when they are damaged.
        PipelineError: when the file does not compute what the network does; an older file stays then.
    """
    folder = weights or workspace.model
    found = xseg_weights.find(folder, None if weights else workspace.assets)
    if found is None:
        raise InputError(
            "no XSeg weights", where=folder, hint="train XSeg, put XSeg_256.npy there, or GenericXseg.zip into assets/"
        )
    data = None if found.origin.endswith(".zip") else _xseg_data(folder)
    path = output or workspace.model / "XSeg_model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    said = provenance("XSeg", data, workspace.consent) if data else {}
    keras_backend.choose()
    from core.export.reference import keras_mask_reference  # loads the framework

    report = xseg_onnx.export_xseg(found, path, said, reference=keras_mask_reference(found))
    return ExportedXSeg(
        path=path,
        size=report.size,
        origin=found.origin,
        iteration=data.iteration if data else None,
        pretraining=bool(data and data.options.get("pretrain")),
        resolution=found.resolution,
        face_type=report.metadata["face_type"],
        difference=report.difference,
    )


def _xseg_data(folder: Path) -> ModelData | None:
    path = folder / xseg_weights.DATA
    return read_data(path) if path.is_file() else None
