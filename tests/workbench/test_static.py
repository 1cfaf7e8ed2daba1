"""The files of the page: what comes from elsewhere is unmodified, and everything that is named is there."""

import hashlib
import json
import re

import pytest
from paths import ROOT

from core.workbench.static_files import static_files

STATIC = ROOT / "core" / "workbench" / "static"
NOTICE = (ROOT / "NOTICE").read_text(encoding="utf-8")
FOREIGN = [*(STATIC / "vendor").iterdir(), *(ROOT / "tests" / "support" / "vendor").iterdir()]
OURS = [path for kind in ("js", "css", "html") for path in STATIC.rglob(f"*.{kind}") if path.parent.name != "vendor"]
LOOK = [*(ROOT / "core" / "web").glob("*.css"), *(ROOT / "core" / "live" / "page").glob("*.html")]


@pytest.mark.parametrize("path", FOREIGN, ids=lambda path: path.name)
def test_files_of_others_are_as_they_were_published(path):
    assert f"{hashlib.sha256(path.read_bytes()).hexdigest()}  vendor/{path.name}\n" in NOTICE


def test_each_of_them_has_its_licence():
    kept = {path.name for path in FOREIGN}
    assert {"preact.LICENSE", "htm.LICENSE", "uPlot.LICENSE", "axe.LICENSE"} <= kept
    for name in ("preact", "htm", "uPlot", "axe-core"):
        assert name in NOTICE


def test_what_is_imported_is_served():
    served = static_files()
    page = served["index.html"].data.decode()
    names = json.loads(re.search(r'<script type="importmap">(.*?)</script>', page)[1])["imports"]
    for address in [*names.values(), *re.findall(r'(?:src|href)="(/static/[^"]+)"', page)]:
        assert address.removeprefix("/static/") in served
    for path in OURS:
        for wanted in re.findall(
            r'^(?:import|export) [^;]*?from "([^"]+)";', path.read_text(encoding="utf-8"), re.M | re.S
        ):
            if wanted in names:
                continue
            assert (path.parent / wanted).resolve().is_file(), f"{path.name}: {wanted}"
            assert str((path.parent / wanted).resolve().relative_to(STATIC)) in served


@pytest.mark.parametrize("path", [*OURS, *LOOK], ids=lambda path: path.name)
def test_only_the_theme_names_colours(path):
    if path.name in ("theme.css", "icon.svg"):
        return
    text = re.sub(r"`[^`]*`|//.*", "", path.read_text(encoding="utf-8")) if path.suffix == ".js" else path.read_text()
    found = re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(\s*\d+\s+\d+[^)]*\)|hsl\(", text)
    assert found == []


def test_modules_are_short():
    assert not [path.name for path in OURS if len(path.read_text(encoding="utf-8").splitlines()) > 300]
