"""Out to faceswap's files and back, as people do it: files, pictures, tables, films."""

import csv
import json
import shutil

import cv2
import facekit
import numpy as np
import pytest
from fsa_cases import described, document, face
from golden_files import golden_path

from core.errors import CorruptFileError, InputError
from core.faceset.database import changes, faces, frame_masks
from core.faceset.database.connection import open_database
from core.formats import dfl_image
from core.formats.faceswap import face_png, fsa
from core.formats.faceswap.document import FsaDocument, FsaFace, FsaFrame
from core.formats.faceswap.face_png import FaceHeader
from core.geometry.centring import crop_matrix
from core.imaging.masks import decode_mask, encode_mask
from core.jobs.alignments.exchange.export import ExportSettings, export
from core.jobs.alignments.exchange.import_ import import_file, import_pictures
from core.jobs.frame_receipt import Receipt, write_receipt
from core.stages.alignments.exchange import export as export_stage
from core.stages.alignments.exchange import from_faces, import_
from core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    made = Workspace(tmp_path / "ws")
    made.side("src").frames.mkdir(parents=True)
    return made


def kept(workspace):
    with open_database(workspace.side("src").database) as connection:
        return list(faces.faces(connection))


def portrait(seed: int = 0, **parts) -> FsaFace:
    """A face whose points are those of a head."""
    points = facekit.source_points(seed).astype(np.float32)
    return FsaFace((200, 210, 400, 430), points, **parts)


def frame(workspace, name: str) -> None:
    image = np.random.default_rng(0).integers(0, 255, (700, 800, 3), np.uint8)
    cv2.imwrite(str(workspace.side("src").frames / name), image)


def test_a_file_of_faceswap_and_back(workspace, tmp_path):
    source = golden_path("faceswap/newest/frames/alignments.fsa")
    done = import_file(workspace, "src", source)
    assert (done.frames, done.faces, done.merged.added, done.film) == (3, 4, 4, "")
    out = export(workspace, "src", "fsa", tmp_path / "out.fsa")
    assert (out.frames, out.faces, out.left_out, out.backup) == (3, 4, {}, None)
    assert described(fsa.read(out.path)) == described(fsa.read(source))
    assert export(workspace, "src", "fsa", tmp_path / "out.fsa").backup.is_file()
    with open_database(workspace.side("src").database) as connection:
        changes.undo(connection)
    assert kept(workspace) == []


def test_where_faceswap_looks_for_it(workspace):
    fsa.write(workspace.root / "in.fsa", document())
    import_file(workspace, "src", workspace.root / "in.fsa")
    frame(workspace, "a.png")
    assert export(workspace, "src", "fsa").path == workspace.side("src").frames / "alignments.fsa"


def test_films_go_by_number(workspace, tmp_path):
    """Frames that the frames step made of a film have numbers for names, here and there."""
    source = golden_path("faceswap/newest/test_alignments.fsa")
    done = import_file(workspace, "src", source)
    assert done.film == "test.mp4" and [one.frame for one in kept(workspace)] == ["00001.png"]
    out = export(workspace, "src", "fsa", tmp_path / "out.fsa", ExportSettings(film="test.mp4"))
    assert described(fsa.read(out.path)) == described(fsa.read(source))
    plain = fsa.read(export(workspace, "src", "fsa", tmp_path / "plain.fsa").path)
    assert plain.frames[0].key == "00001.png"


def test_a_film_whose_frames_have_other_names(workspace):
    fsa.write(workspace.root / "in.fsa", document())
    import_file(workspace, "src", workspace.root / "in.fsa")
    with pytest.raises(InputError, match="numbers"):
        export(workspace, "src", "fsa", None, ExportSettings(film="holiday.mp4"))


def test_json_both_ways(workspace, tmp_path):
    golden = golden_path("faceswap/v3_0/alignments_export.json")
    import_file(workspace, "src", golden)
    out = export(workspace, "src", "json", tmp_path / "out.json")
    assert json.loads(out.path.read_text()) == json.loads(golden.read_text())


def test_the_table_has_all_faces(workspace):
    fsa.write(workspace.root / "in.fsa", document(portrait(0), face(4, points=4)))
    import_file(workspace, "src", workspace.root / "in.fsa")
    with open_database(workspace.side("src").database) as connection, connection:
        one = next(faces.faces(connection)).id
        connection.execute(
            "UPDATE faces SET status = 'dropped', reason = 'no, \"she\"', person = 'ann' WHERE face = ?", (one,)
        )
        connection.execute(
            "INSERT INTO scores SELECT face, 'sharpness', geometry, 0.25 FROM faces WHERE face = ?", (one,)
        )
    out = export(workspace, "src", "csv")
    rows = {row["id"]: row for row in csv.DictReader(out.path.open())}
    assert len(rows) == out.faces == 3
    assert (rows[one]["reason"], rows[one]["person"], rows[one]["sharpness"]) == ('no, "she"', "ann", "0.25")
    head = next(row for row in rows.values() if row["left"] == "200.0")
    assert abs(float(head["yaw"])) < 5 and abs(float(head["roll"])) < 5


def test_pictures_of_faces(workspace, tmp_path):
    frame(workspace, "a.png")
    one = portrait(0, identities={"vggface2": np.ones(4, np.float32)})
    fsa.write(workspace.root / "in.fsa", FsaDocument((FsaFrame("a.png", (one,)), FsaFrame("gone.png", (portrait(1),)))))
    import_file(workspace, "src", workspace.root / "in.fsa")
    out = export(workspace, "src", "faces", tmp_path / "out", ExportSettings(size=64, centring="face"))
    assert (out.faces, out.problems) == (1, (("gone.png", "there is no such frame"),))
    header = face_png.read(tmp_path / "out/a_0.png")
    assert (header.frame, header.index, header.name, header.frame_shape) == ("a.png", 0, "a_0.png", (700, 800))
    np.testing.assert_array_equal(header.face.landmarks, one.landmarks)
    assert cv2.imread(str(tmp_path / "out/a_0.png")).shape == (64, 64, 3)


def picture(folder, name: str, found: FsaFace, frame: str = "a.png", index: int = 0) -> None:
    folder.mkdir(exist_ok=True)
    header = FaceHeader(found, frame, index, name, (700, 800))
    (folder / name).write_bytes(face_png.with_header(facekit.png(8), header))


def test_two_pictures_with_one_index_are_two_faces(workspace, tmp_path):
    """faceswap keeps one of them and moves the other away; a rescued face and its neighbour carry the same number."""
    folder = tmp_path / "faces"
    left, right = portrait(0), FsaFace((5, 5, 9, 9), portrait(0).landmarks + np.float32(900))
    picture(folder, "x.png", left)
    picture(folder, "rescued.png", right)
    picture(folder, "copy of x.png", left)
    (folder / "none.png").write_bytes(facekit.png(8))
    done = import_pictures(workspace, "src", folder)
    assert (done.merged.added, done.merged.doubled) == (2, 1)
    assert [name for name, _ in done.left_out] == ["none.png"]
    again = import_pictures(workspace, "src", folder)
    assert (again.merged.added, again.merged.kept) == (0, 2)


@pytest.mark.parametrize("era", ["newest", "v3_0", "guide2023", "hand"])
def test_pictures_of_every_era(era, workspace):
    done = import_pictures(workspace, "src", golden_path(f"faceswap/{era}/faces"))
    assert done.merged.added == done.faces > 0
    with open_database(workspace.side("src").database) as connection:
        assert len({kind for _, kind in ((face, one.kind) for face, one in frame_masks.all_masks(connection))}) in (
            1,
            3,
        )


def test_pictures_of_deepfacelab(workspace, tmp_path):
    """Their stored masks get a place in the frame; faceswap gets them for the crop of the face."""
    mask = np.zeros((64, 64), np.float32)
    mask[16:48, 16:48] = 1
    paths = facekit.write_faces(tmp_path / "aligned", 3, xseg_mask=encode_mask(mask))
    (tmp_path / "aligned/odd.jpg").write_bytes(facekit.jpeg(16))
    done = import_pictures(workspace, "src", tmp_path / "aligned")
    assert (done.merged.added, [name for name, _ in done.left_out]) == (3, ["odd.jpg"])
    record = dfl_image.read(paths[0])
    assert record.face_id in ("", next(one.id for one in kept(workspace) if one.frame == "00001.png"))
    stored = fsa.read(export(workspace, "src", "fsa", tmp_path / "out.fsa").path).frames[0].faces[0].masks["xseg"]
    wanted = crop_matrix(record.source_landmarks, 128, "face")
    np.testing.assert_allclose(stored.frame_to_mask, wanted, atol=1e-3)
    assert np.median(stored.pixels()[40:90, 40:90]) > 255 * 0.5


def test_masks_in_face_files_go_along(workspace, tmp_path):
    mask = np.zeros((64, 64), np.float32)
    mask[16:48, 16:48] = 1
    side = workspace.side("src")
    paths = facekit.write_faces(side.aligned, 2, xseg_mask=encode_mask(mask, "hull"))
    assert import_pictures(workspace, "src").merged.kept == 2
    found = fsa.read(export(workspace, "src", "fsa", tmp_path / "out.fsa").path)
    assert found.face_count() == 2 and "hull_face" in found.frames[0].faces[0].masks
    assert decode_mask(dfl_image.read(paths[0]).xseg_mask).max() == 1


def test_a_choice_of_frames_is_told(workspace, tmp_path):
    import_file(workspace, "src", golden_path("faceswap/newest/test_alignments.fsa"))
    write_receipt(workspace.side("src").frames, Receipt(options={"fps": 5.0, "format": "png"}))
    settings = ExportSettings(film="test.mp4")
    assert export(workspace, "src", "fsa", tmp_path / "out.fsa", settings).choice == "fps 5.0"
    assert import_file(workspace, "src", tmp_path / "out.fsa").choice == "fps 5.0"


def test_nothing_changes_when_a_file_is_damaged(workspace):
    (workspace.root / "a.fsa").write_bytes(b"\x78\x9cnothing")
    with pytest.raises(CorruptFileError):
        import_file(workspace, "src", workspace.root / "a.fsa")
    assert kept(workspace) == []
    with pytest.raises(InputError):
        import_file(workspace, "src", workspace.root / "missing.fsa")
    with pytest.raises(InputError, match="no pictures"):
        import_pictures(workspace, "src", workspace.root / "missing")


def test_what_the_stages_say(workspace, tmp_path):
    source = tmp_path / "alignments.fsa"
    shutil.copy(golden_path("faceswap/guide2023/alignments.fsa"), source)
    said = str(import_.run(import_.Options(side="src", file=source), workspace))
    assert "new faces" in said and "faces of alignments.fsa" in said
    assert str(tmp_path / "out.fsa") in str(
        export_stage.run(export_stage.Options(side="src", out=tmp_path / "out.fsa"), workspace)
    )
    folder = golden_path("faceswap/newest/faces")
    assert "here already" in str(from_faces.run(from_faces.Options(side="src", folder=folder), workspace))
