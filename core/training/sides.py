"""Whether both sides have faces: asked before the networks are built, which takes a while, and before a framework is loaded."""

from core.checkpoints.model_folder import DATA, ModelFolder
from core.errors import InputError, PipelineError
from core.formats.dfl_weights import read_data
from core.training import assets
from core.training.recipe import Recipe
from core.workspace import Workspace


def require_faces(workspace: Workspace) -> None:
    """Raises InputError when a side has none, and none can be unpacked for it."""
    random_dst = (workspace.assets / assets.RANDOM_DST).is_file()
    for name, script in (("src", "3_extract_src_faces.sh"), ("dst", "4_extract_dst_faces.sh")):
        side = workspace.side(name)
        if not assets.has_faces(side) and not (name == "dst" and random_dst):
            raise InputError("no faces to train on", where=side.aligned, hint=f"bash scripts/{script} makes them")


def check(workspace: Workspace, model: ModelFolder, given: Recipe, target: int) -> None:
    """``require_faces`` if a run of ``model`` with these flags is going to need them: not for pretraining, nor where it has reached its target."""
    pretrain, iteration = given.pretrain, 0
    if model.path(DATA).is_file():
        try:
            data = read_data(model.path(DATA))
        except PipelineError:
            return  # whoever opens the model knows what to say and to do
        iteration = data.iteration
        if "pretrain" not in given.model_fields_set:
            pretrain = bool(data.options.get("pretrain"))
    if not pretrain and not 0 < target <= iteration:
        require_faces(workspace)
