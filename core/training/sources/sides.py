"""Whether both sides have faces.

Loads no framework, so that it can be asked before one is loaded and networks are built, which takes a while.
"""

from core.checkpoints.model_folder import DATA, ModelFolder
from core.errors import InputError, PipelineError
from core.faceset.register import refuse_deleted_originals
from core.faceset.store import why_empty
from core.formats.dfl_weights import read_data
from core.training.choices import Choices
from core.training.sources import assets
from core.workspace import Workspace


def require_faces(workspace: Workspace) -> None:
    """Whether there is something to train on, and nothing that somebody threw away.

    Raises:
        InputError: a side has no faces, and none can be unpacked for it, or its pak still has deleted ones.
    """
    for name, script in (("src", "3_extract_src_faces.sh"), ("dst", "4_extract_dst_faces.sh")):
        side = workspace.side(name)
        can_be_filled = name == "dst" and (workspace.assets / assets.RANDOM_DST).is_file()
        if not (side.has_faces() or can_be_filled):
            raise InputError(
                "no faces to train on",
                where=side.aligned,
                why=why_empty(side.aligned),
                hint=f"bash scripts/{script} makes them",
            )
        refuse_deleted_originals(side)


def require_faces_for(model: ModelFolder, choices: Choices, target: int, workspace: Workspace) -> None:
    """``require_faces`` if a run of ``model`` is going to need them.

    It does not for pretraining, nor where the model has reached the target. target: iteration to stop at, 0 for none.
    """
    pretrain, iteration = choices.recipe.get("pretrain"), 0
    if model.path(DATA).is_file():
        try:
            data = read_data(model.path(DATA))
        except PipelineError:
            return  # whoever opens the model knows what to say and to do
        iteration = data.iteration
        if pretrain is None:
            pretrain = bool(data.options.get("pretrain"))
    if not pretrain and not 0 < target <= iteration:
        require_faces(workspace)
