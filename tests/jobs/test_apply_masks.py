"""Masks of whole facesets: loose and packed, repeated, interrupted, removed."""

import hashlib

import numpy as np
import pytest
from golden_files import golden_path
from mask_helpers import write_faces

from core.errors import CorruptFileError
from core.faces.masking import Prepared
from core.faceset.masks.table import MaskRow, MaskTable
from core.faceset.packing import loose_sources
from core.faceset.store import open_faceset
from core.formats import dfl_image
from core.formats.pak_writer import write_pak
from core.imaging.codec import decode_image
from core.imaging.masks import decode_mask
from core.jobs import apply_masks
from core.jobs.apply_masks import MaskStyle, apply, fetch, remove_labels, remove_masks
from core.types import Polygon


class Half:
    """Says that the left half is face, softly; counts what it was asked."""

    device, origin = "CPU", "half"

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
    folder = tmp_path / "aligned"
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
    applied = apply(open_faceset(faces), masker, MaskStyle(), tmp_path / "masks.db", batch_size=3)
    assert (applied.made, applied.kept, applied.problems, masker.calls) == (7, 0, (), 7)
    assert pixels(faces) == before
    faceset = open_faceset(faces)
    for i, record in enumerate(faceset.records()):
        mask = decode_mask(record.xseg_mask)
        assert mask.shape == (256, 256, 1) and set(np.unique(mask)) == {0.0, 1.0}
        assert mask[:, :127].all() and not mask[:, 129:].any()
        assert faceset.full_record(i).xseg_mask == record.xseg_mask  # the pak's list and its faces agree


def test_a_second_run_does_nothing_and_a_new_model_does_all(faces, tmp_path):
    apply(open_faceset(faces), Half(), MaskStyle(), tmp_path / "masks.db")
    stamp = {p: p.stat().st_mtime_ns for p in faces.iterdir()}
    again = Half()
    assert apply(open_faceset(faces), again, MaskStyle(), tmp_path / "masks.db").kept == 7
    assert again.calls == 0 and stamp == {p: p.stat().st_mtime_ns for p in faces.iterdir()}
    other = Half("half 2")
    assert apply(open_faceset(faces), other, MaskStyle(), tmp_path / "masks.db").made == 7 == other.calls
    assert apply(open_faceset(faces), Half("half 2"), MaskStyle(), tmp_path / "masks.db", force=True).made == 7


def test_a_mask_that_something_else_wrote_is_made_again(tmp_path):
    write_faces(tmp_path / "a", 3)
    apply(open_faceset(tmp_path / "a"), Half(), MaskStyle(), tmp_path / "masks.db")
    path = sorted((tmp_path / "a").iterdir())[1]
    dfl_image.update(path, xseg_mask=None)
    masker = Half()
    assert apply(open_faceset(tmp_path / "a"), masker, MaskStyle(), tmp_path / "masks.db").made == 1 == masker.calls


def test_an_interrupted_run_goes_on(faces, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        apply(open_faceset(faces), Half(stop_after=4), MaskStyle(), tmp_path / "masks.db", batch_size=1)
    rest = Half()
    applied = apply(open_faceset(faces), rest, MaskStyle(), tmp_path / "masks.db", batch_size=1)
    assert 0 < rest.calls < 7
    assert applied.made + applied.kept == 7
    assert all(record.xseg_mask for record in open_faceset(faces).records())
    assert not list(faces.glob(".*"))


def test_rows_survive_a_kill(tmp_path):
    """Rows are there for another connection before the first one is closed."""
    first = MaskTable(tmp_path / "masks.db")
    first.add(MaskRow("a.jpg", "x", 1, 0.5, 0.1))
    with MaskTable(tmp_path / "masks.db") as other:
        assert other.rows["a.jpg"].area == 0.5
    first.__exit__()


def test_soft_masks_at_native_resolution(faces, tmp_path):
    apply(open_faceset(faces), Half(), MaskStyle(soft=True, native=True), tmp_path / "masks.db")
    mask = decode_mask(open_faceset(faces).records()[0].xseg_mask)
    assert mask.shape == (96, 96, 1) and len(np.unique(mask)) > 50
    with MaskTable(tmp_path / "masks.db") as table:
        row = table.rows["00001_0.jpg"]
    assert row.area == pytest.approx(0.5, abs=0.02) and row.uncertainty > 0.5


def test_a_mask_too_large_for_the_file_is_reduced(tmp_path):
    write_faces(
        tmp_path / "a",
        1,
        size=320,
        polygons=(Polygon(True, np.random.default_rng(0).random((1900, 2)).astype(np.float32) * 300),),
    )
    applied = apply(
        open_faceset(tmp_path / "a"), Half(noise=True), MaskStyle(soft=True, native=True), tmp_path / "masks.db"
    )
    assert applied.reduced == ("00001_0.jpg",) and not applied.problems
    assert decode_mask(open_faceset(tmp_path / "a").records()[0].xseg_mask).shape == (256, 256, 1)


def test_a_damaged_face_is_named_and_the_rest_is_done(tmp_path):
    paths = write_faces(tmp_path / "a", 5)
    data = paths[2].read_bytes()
    paths[2].write_bytes(data[: len(data) - 200])
    applied = apply(open_faceset(tmp_path / "a"), Half(), MaskStyle(), tmp_path / "masks.db")
    assert applied.made == 4 and [name for name, _ in applied.problems] == ["00003_0.jpg"]
    assert paths[2].read_bytes() == data[: len(data) - 200]


def test_remove_masks_and_labels_and_fetch(faces, tmp_path):
    apply(open_faceset(faces), Half(), MaskStyle(), tmp_path / "masks.db")
    assert remove_masks(open_faceset(faces), tmp_path / "masks.db") == (7, [])
    assert not any(r.xseg_mask for r in open_faceset(faces).records())
    assert fetch(open_faceset(faces), tmp_path / "labelled") == 0
    square = Polygon(True, np.array([(1, 1), (9, 1), (9, 9)], np.float32))
    from dataclasses import replace

    from core.faceset.edit import change_records

    change_records(
        open_faceset(faces), dict.fromkeys([1, 3], lambda record: replace(record, polygons=(square,))), "labelling"
    )
    assert fetch(open_faceset(faces), tmp_path / "labelled") == 2
    assert len(open_faceset(tmp_path / "labelled")) == 2 and len(open_faceset(faces)) == 7
    assert remove_labels(open_faceset(faces)) == (2, [])
    assert not any(r.polygons for r in open_faceset(faces).records())


def test_equal_to_golden_masks(tmp_path):
    """Given what the golden masks show as the network's answer, the stored masks are the golden ones."""
    import shutil

    folder = tmp_path / "a"
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
    apply(open_faceset(folder), Golden(), MaskStyle(), tmp_path / "masks.db")
    after = {r.name: decode_mask(r.xseg_mask) for r in open_faceset(folder).records()}
    assert two_level or pytest.fail("no two-level golden mask")
    for name in golden:
        assert np.array_equal(after[name], (golden[name] >= 0.5).astype(np.float32))


def test_a_damaged_table_is_refused_with_a_hint(tmp_path):
    (tmp_path / "masks.db").write_bytes(b"no database" * 100)
    with pytest.raises(CorruptFileError, match="table of masks"):
        MaskTable(tmp_path / "masks.db")


def test_two_level():
    assert apply_masks.two_level(np.array([0.0, 0.49, 0.5, 1.0], np.float32)).tolist() == [0, 0, 1, 1]
