"""Show the metadata of one face file."""

from pathlib import Path

from pydantic import Field

from core.options import Options as BaseOptions
from core.options import Positional
from core.types import StageReport
from core.workspace import Workspace


class Options(BaseOptions):
    file: Positional[Path] = Field(description="a face: .jpg, .jpeg or .png")


def run(options: Options, workspace: Workspace) -> StageReport:
    from core.errors import from_os_error
    from core.faceset.describe import describe

    try:
        data = options.file.read_bytes()
    except OSError as error:
        raise from_os_error(error) from None
    return StageReport(str(options.file), *describe(data, options.file.name))
