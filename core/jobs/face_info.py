"""What a face file holds."""

from pathlib import Path

from core.errors import from_os_error
from core.faceset.describe import Description, describe


def face_info(path: Path) -> Description:
    """Everything about a face file: .jpg, .jpeg or .png.

    Raises:
        InputError: when there is no such file.
        NotAFaceError: when it has no face metadata.
        CorruptFileError: when its bytes are damaged.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise from_os_error(error) from None
    return describe(data, path.name)
