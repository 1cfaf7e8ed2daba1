"""docs/architecture.md says what is there: every room, every file, and the files that it sends people to."""

import re

from floors import FLOORS
from paths import ROOT

CORE = ROOT / "core"
PAGE = (ROOT / "docs" / "architecture.md").read_text()


def listing() -> str:
    """One line a folder with its files, as the page has it."""
    folders: dict[str, list[str]] = {}
    for path in sorted(CORE.rglob("*.py")):
        if path.name != "__init__.py":
            folders.setdefault(path.parent.relative_to(ROOT).as_posix() + "/", []).append(path.stem)
    lines = [f"| `{folder}` | {', '.join(names)} |" for folder, names in sorted(folders.items())]
    return "\n".join(["| folder | files |", "|---|---|", *lines])


def test_every_file_is_listed():
    shown = PAGE.split("<!-- files: begin -->\n")[1].split("\n<!-- files: end -->")[0]
    assert shown == listing(), "run: python tests/test_architecture.py, which writes the list"


def test_every_file_that_the_page_names_is_there():
    named = set(re.findall(r"`((?:core|tests|docs|scripts)/[\w./-]+)`", PAGE))
    assert named
    assert not [name for name in named if not (ROOT / name).exists()]


def test_rooms_are_those_of_the_layers():
    rows = re.findall(r"^\| (\d) \| ([^|]+) \|", PAGE, re.MULTILINE)
    shown = {int(number): set(re.findall(r"`(\w+)`", rooms)) for number, rooms in rows}
    for number, rooms in enumerate(FLOORS[1:-1], start=2):
        assert shown[number] == set(rooms)


if __name__ == "__main__":
    before, rest = PAGE.split("<!-- files: begin -->\n")
    after = rest.split("<!-- files: end -->")[1]
    text = f"{before}<!-- files: begin -->\n{listing()}\n<!-- files: end -->{after}"
    (ROOT / "docs" / "architecture.md").write_text(text)
