"""Labels of a side as a program calls for them."""

import facekit

from core.formats.pak_sources import FileSource
from core.formats.pak_writer import write_pak
from core.jobs.faceset.check import check_faceset
from core.jobs.masks.labels import uncertain_faces
from core.workspace import Workspace


def test_faces_of_several_persons_are_told_apart(tmp_path):
    """In a pak two persons may have files of one name."""
    side = Workspace(tmp_path).create().side("src")
    paths = {person: facekit.write_faces(tmp_path / person, 1)[0] for person in ("ann", "ben")}
    write_pak(side.pak, [FileSource(path, person) for person, path in paths.items()])
    found = uncertain_faces(side.workspace, "src", 5)
    assert [name for name, _ in found.least_certain] == ["ann/00001_0.jpg", "ben/00001_0.jpg"]


def test_damage_in_a_pak_of_several_persons_is_told_apart(tmp_path):
    side = Workspace(tmp_path).create().side("src")
    first, second = (facekit.write_faces(tmp_path / person, 1)[0] for person in ("ann", "ben"))
    second.write_bytes(facekit.face(second.name, landmarks=facekit.record().landmarks + 5))
    write_pak(side.pak, [FileSource(first, "ann"), FileSource(second, "ben")])
    kinds = check_faceset(side.workspace, "src").findings.kinds
    assert ["ben/00001_0.jpg"] in kinds.values()
    side.pak.write_bytes(side.pak.read_bytes()[:-2000])
    assert ["ben/00001_0.jpg"] in check_faceset(side.workspace, "src").findings.kinds.values()
