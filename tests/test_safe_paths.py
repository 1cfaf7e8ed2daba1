"""What names from files may lead to."""

import pytest

from core.errors import CorruptFileError
from core.safe_paths import child, descendant, is_name, own_folder

ROOTS = ("aligned", "aligned_trash")


@pytest.mark.parametrize(
    "name", ["a.jpg", "лицо.png", "a b", ".hidden", "a..b", "...", "~", "a\\b.jpg", "a\n.jpg", "C:a"]
)
def test_names_of_files(name, tmp_path):
    assert is_name(name)
    assert child(tmp_path, name, "x") == tmp_path / name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "/",
        "/etc/passwd",
        "a/b",
        "../x",
        "x/../../y",
        "a\0b",
        "..\\x",
        "a\\..\\..\\b",
        "\\\\host\\x",
        "C:\\x",
        ".\\x",
    ],
)
def test_paths_are_no_names(name, tmp_path):
    assert not is_name(name)
    with pytest.raises(CorruptFileError, match="leads out") as caught:
        child(tmp_path, name, "manifest.json")
    assert caught.value.exit_code == 7
    assert caught.value.where == "manifest.json"


@pytest.mark.parametrize("name", [None, 7, 1.5, b"a.jpg", ["a.jpg"], {}])
def test_what_is_no_text_is_no_name(name, tmp_path):
    with pytest.raises(CorruptFileError):
        child(tmp_path, name, "x")
    with pytest.raises(CorruptFileError):
        descendant(tmp_path, name, "x", ROOTS)


def test_paths_below_a_folder(tmp_path):
    assert descendant(tmp_path, "aligned/a.jpg", "x", ROOTS) == tmp_path / "aligned/a.jpg"
    assert descendant(tmp_path, "aligned_trash/ann/a.jpg", "x", ROOTS) == tmp_path / "aligned_trash/ann/a.jpg"
    for path in (
        "a.jpg",
        "aligned",
        "aligned/",
        "other/a.jpg",
        "/aligned/a.jpg",
        "aligned//a.jpg",
        "aligned/../x",
        "aligned/./x",
    ):
        with pytest.raises(CorruptFileError):
            descendant(tmp_path, path, "x", ROOTS)


def test_no_link_is_followed_but_one_of_a_person(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "side").mkdir()
    (tmp_path / "side/aligned").symlink_to(tmp_path / "other")
    (tmp_path / "side/aligned_trash").symlink_to(tmp_path / "other")
    (tmp_path / "other/ann").symlink_to(tmp_path)
    assert descendant(tmp_path / "side", "aligned/a.jpg", "x", ROOTS, links=("aligned",))
    for path in ("aligned/a.jpg", "aligned_trash/a.jpg"):
        with pytest.raises(CorruptFileError):
            descendant(tmp_path / "side", path, "x", ROOTS)
    with pytest.raises(CorruptFileError):
        descendant(tmp_path / "side", "aligned/ann/a.jpg", "x", ROOTS, links=("aligned",))


def test_folders_of_ours_are_made_and_are_no_links(tmp_path):
    assert own_folder(tmp_path / "a").is_dir()
    assert own_folder(tmp_path, "b", "c") == tmp_path / "b/c"
    assert own_folder(tmp_path, "b", "c").is_dir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    for names in (("link",), ("dangling",), ("file",), ("link", "below")):
        with pytest.raises(CorruptFileError, match="something else in the place"):
            own_folder(tmp_path, *names)
    assert not list((tmp_path / "a").iterdir())
    assert not (tmp_path / "nowhere").exists()
