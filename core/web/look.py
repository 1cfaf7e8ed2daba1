"""The look that all pages have in common: colours, type, distances, the ring of the focus, buttons and fields."""

from importlib.resources import files

# ``theme.css`` first: the others go by its variables.
NAMES = ("theme.css", "controls.css")


def stylesheets() -> dict[str, bytes]:
    """Name -> style sheet, in the order in which a page takes them."""
    folder = files("core.web")
    return {name: folder.joinpath(name).read_bytes() for name in NAMES}
