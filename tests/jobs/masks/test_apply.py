"""Masks of whole facesets: loose and packed, repeated, interrupted, removed."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from drawn_faces import known_faces, write_faces
from golden_files import golden_path

from core.errors import CorruptFileError
from core.faces.contract import Prepared
from core.faceset.database.masks import MaskTable
from core.faceset.edit import change_records
from core.faceset.packing import loose_sources
from core.faceset.store import open_faceset
from core.formats import dfl_image
from core.formats.pak_writer import write_pak
from core.imaging.codec import decode_image
from core.imaging.masks import decode_mask
from core.jobs.faceset.sort import sort as sort_faces
from core.jobs.masks import apply as apply_masks
from core.jobs.masks.apply import MaskStyle, apply
from core.stages.faceset import pack, unpack
from core.types import Polygon
from core.workspace import Workspace


def masked(folder, masker, style, **options):
    with known_faces(folder) as known:
        return apply(known, masker, style, **options)


class Half:
    """Says that the left half is face, softly; counts what it was asked."""

    device, origin, kind = "CPU", "half", "half"

    def __init__(self, identity="half 1", stop_after=10**9, noise=False):
        self.identity, self.calls, self.stop_after, self.noise = identity, 0, stop_after, noise

    def prepare(self, image, record):
        return Prepared(image.astype(np.float32) / 255)

    def infer(self, batch):
        if self.calls >= self.stop_after:
            raise KeyboardInterrupt
        self.calls += len(batch)
        ramp = np.linspace(1, 0, 64, dtype=np.float32)
        return np.stack([np.tile(ramp, (64, 1)) for _ in batch])

    def place(self, mask, prepared, shape, side):
        if self.noise:
            return np.random.default_rng(0).random((side, side), np.float32)
        return np.tile(np.linspace(1, 0, side, dtype=np.float32), (side, 1))


@pytest.fixture(params=["loose", "packed"])
def faces(request, tmp_path):
    folder = tmp_path / "data_src" / "aligned"
    write_faces(folder, 7)
    if request.param == "packed":
        sources = loose_sources(folder, None)
        write_pak(folder / "faceset.pak", sources)
        for source in sources:
            source.path.unlink()
    return folder


def pixels(folder):
    faceset = open_faceset(folder)
    return [hashlib.sha256(decode_image(faceset.read(i))).hexdigest() for i in range(len(faceset))]


def test_every_face_gets_its_mask_and_keeps_its_pixels(faces, tmp_path):
    before = pixels(faces)
    masker = Half()
    applied = masked(faces, masker, MaskStyle(), batch_size=3)
    assert (applied.made, applied.kept, applied.problems, masker.calls) == (7, 0, (), 7)
    assert pixels(faces) == before
    faceset = open_faceset(faces)
    for i, record in enumerate(faceset.records()):
        mask = decode_mask(record.xseg_mask)
        assert mask.shape == (256, 256, 1) and set(np.unique(mask)) == {0.0, 1.0}
        assert mask[:, :127].all() and not mask[:, 129:].any()
        assert faceset.full_record(i).xseg_mask == record.xseg_mask  # the pak's list and its faces agree


def test_a_second_run_does_nothing_and_a_new_model_does_all(faces, tmp_path):
    masked(faces, Half(), MaskStyle())
    stamp = {p: p.stat().st_mtime_ns for p in faces.iterdir()}
    again = Half()
    assert masked(faces, again, MaskStyle()).kept == 7
    assert again.calls == 0 and stamp == {p: p.stat().st_mtime_ns for p in faces.iterdir()}
    other = Half("half 2")
    assert masked(faces, other, MaskStyle()).made == 7 == other.calls
    assert masked(faces, Half("half 2"), MaskStyle(), force=True).made == 7


def test_a_mask_that_something_else_wrote_is_made_again(tmp_path):
    write_faces(tmp_path / "data_src" / "aligned", 3)
    masked(tmp_path / "data_src" / "aligned", Half(), MaskStyle())
    path = sorted((tmp_path / "data_src" / "aligned").iterdir())[1]
    dfl_image.update(path, xseg_mask=None)
    masker = Half()
    assert masked(tmp_path / "data_src" / "aligned", masker, MaskStyle()).made == 1 == masker.calls


def test_an_interrupted_run_goes_on(faces, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        masked(faces, Half(stop_after=4), MaskStyle(), batch_size=1)
    rest = Half()
    applied = masked(faces, rest, MaskStyle(), batch_size=1)
    assert 0 < rest.calls < 7
    assert applied.made + applied.kept == 7
    assert all(record.xseg_mask for record in open_faceset(faces).records())
    assert not list(faces.glob(".*"))


def test_soft_masks_at_native_resolution(faces, tmp_path):
    masked(faces, Half(), MaskStyle(soft=True, native=True))
    mask = decode_mask(open_faceset(faces).records()[0].xseg_mask)
    assert mask.shape == (96, 96, 1) and len(np.unique(mask)) > 50
    with known_faces(faces) as known:
        row = MaskTable(known.connection).rows[known.ids[0]]
    assert row.area == pytest.approx(0.5, abs=0.02) and row.uncertainty > 0.5 and row.kind == "half"


def test_a_mask_too_large_for_the_file_is_reduced(tmp_path):
    write_faces(
        tmp_path / "data_src" / "aligned",
        1,
        size=320,
        polygons=(Polygon(True, np.random.default_rng(0).random((1900, 2)).astype(np.float32) * 300),),
    )
    applied = masked(tmp_path / "data_src" / "aligned", Half(noise=True), MaskStyle(soft=True, native=True))
    assert applied.reduced == ("00001_0.jpg",) and not applied.problems
    assert decode_mask(open_faceset(tmp_path / "data_src" / "aligned").records()[0].xseg_mask).shape == (256, 256, 1)


def test_a_damaged_face_is_named_and_the_rest_is_done(tmp_path):
    paths = write_faces(tmp_path / "data_src" / "aligned", 5)
    data = paths[2].read_bytes()
    paths[2].write_bytes(data[: len(data) - 200])
    applied = masked(tmp_path / "data_src" / "aligned", Half(), MaskStyle())
    assert applied.made == 4 and [name for name, _ in applied.problems] == ["00003_0.jpg"]
    assert paths[2].read_bytes() == data[: len(data) - 200]


def test_remove_masks_and_labels_and_fetch(faces, tmp_path):
    workspace = Workspace(tmp_path)
    masked(faces, Half(), MaskStyle())
    done = apply_masks.remove_masks(workspace, "src")
    assert (done.removed, done.problems) == (7, ())
    assert not any(r.xseg_mask for r in open_faceset(faces).records())
    assert apply_masks.fetch_labelled(workspace, "src").copied == 0
    square = Polygon(True, np.array([(1, 1), (9, 1), (9, 9)], np.float32))
    labelled = dict.fromkeys([1, 3], lambda record: replace(record, polygons=(square,)))
    change_records(open_faceset(faces), labelled)
    fetched = apply_masks.fetch_labelled(workspace, "src")
    assert fetched.copied == 2
    assert len(open_faceset(fetched.folder)) == 2 and len(open_faceset(faces)) == 7
    assert apply_masks.remove_labels(workspace, "src").removed == 2
    assert not any(r.polygons for r in open_faceset(faces).records())


def test_masks_follow_their_faces(faces, tmp_path):
    """Sorted, packed or unpacked: no mask is made a second time, and the tables say whose it is."""
    workspace = Workspace(tmp_path)
    masked(faces, Half(), MaskStyle())
    sort_faces(workspace, "src", "hist")
    again = Half()
    assert masked(faces, again, MaskStyle()).kept == 7 and again.calls == 0
    packed = (faces / "faceset.pak").exists()
    stage = unpack if packed else pack
    stage.run(stage.Options(side="src", **({} if packed else {"remove_originals": True})), workspace)
    assert masked(faces, again, MaskStyle()).kept == 7 and again.calls == 0


def test_a_renamed_face_keeps_its_mask(tmp_path):
    folder = tmp_path / "data_src" / "aligned"
    paths = write_faces(folder, 3)
    masked(folder, Half(), MaskStyle())
    paths[0].rename(folder / "my favourite.jpg")
    again = Half()
    assert masked(folder, again, MaskStyle()).kept == 3 and again.calls == 0


def test_equal_to_golden_masks(tmp_path):
    """Given what the golden masks show as the network's answer, the stored masks are the golden ones."""
    import shutil

    folder = tmp_path / "data_src" / "aligned"
    shutil.copytree(golden_path("dfl-faceset/aligned_whole_face"), folder)
    golden = {r.name: decode_mask(r.xseg_mask) for r in open_faceset(folder).records() if r.xseg_mask}
    assert len(golden) >= 2

    class Golden(Half):
        def prepare(self, image, record):
            mask = golden.get(record.name)
            return Prepared(np.zeros((256, 256), np.float32) if mask is None else mask[..., 0])

        def infer(self, batch):
            return np.stack(batch)

        def place(self, mask, prepared, shape, side):
            return mask

    two_level = [name for name, mask in golden.items() if set(np.unique(mask)) == {0.0, 1.0} and mask.shape[0] == 256]
    masked(folder, Golden(), MaskStyle())
    after = {r.name: decode_mask(r.xseg_mask) for r in open_faceset(folder).records()}
    assert two_level or pytest.fail("no two-level golden mask")
    for name in golden:
        assert np.array_equal(after[name], (golden[name] >= 0.5).astype(np.float32))


def test_a_damaged_database_is_refused_with_a_hint(tmp_path):
    folder = tmp_path / "data_src" / "aligned"
    write_faces(folder, 1)
    (tmp_path / "data_src" / "faces.db").write_bytes(b"no database" * 100)
    with pytest.raises(CorruptFileError, match="face database"):
        masked(folder, Half(), MaskStyle())


def test_two_level():
    assert apply_masks.two_level(np.array([0.0, 0.49, 0.5, 1.0], np.float32)).tolist() == [0, 0, 1, 1]
