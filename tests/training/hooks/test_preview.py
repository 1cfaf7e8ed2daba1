"""The preview: its columns, its headline, its files."""

from types import SimpleNamespace

import cv2
import numpy as np

from core.data.batches import TrainingBatch
from core.formats.provenance import DIGITAL_SOURCE_TYPE
from core.training.hooks.preview import Preview, columns, headline, sample_of, sheet
from core.training.recipe import Recipe
from core.training.session import usable_sample

MASKS = {"dd_mask": 0.8, "sd_mask": 0.5}


class Views:
    def views(self, src, dst):
        masks = {name: np.full((*dst.shape[:3], 1), share, np.float32) for name, share in MASKS.items()}
        return {"ss": src * 0 + 0.25, "dd": dst * 0 + 0.5, "sd": dst * 0 + 0.75, **masks}


def batch():
    images = np.zeros((2, 5, 64, 64, 3), np.float32)
    images[1] = 1
    masks = np.ones((2, 5, 64, 64, 1), np.float32)
    return TrainingBatch(0, images + 0.5, images, masks, masks)


def session():
    folder = SimpleNamespace(name="m", prefix="m_SAEHD")
    return SimpleNamespace(
        sample=sample_of(batch()),
        recipe=Recipe(resolution=64),
        trainer=Views(),
        iteration=1,
        folder=folder,
        history=[[3.0, 4.0], [1.0, 2.0]],
        validation_losses=[],
    )


def test_columns_and_that_inputs_are_unwarped():
    found = columns(session())
    assert [title for title, _ in found] == [
        "source",
        "reconstruction",
        "target",
        "reconstruction",
        "swap",
        "mask of the swap",
        "swap in place",
    ]
    assert all(faces.shape == (4, 64, 64, 3) for _, faces in found)
    # The swap of 0.75 lies over the white target by the product of both masks, 0.4.
    np.testing.assert_allclose([faces.mean() for _, faces in found], [0, 0.25, 1, 0.5, 0.75, 0.4, 0.9], atol=1e-6)


def test_the_headline_says_which_model_and_how_well():
    run = session()
    assert headline(run) == "m_SAEHD | iteration 1 | loss src 2.0000, dst 3.0000"
    run.validation_losses = [[1, 0.5, 0.25]]
    assert headline(run).endswith(" | held out src 0.5000, dst 0.2500")
    run.history, run.validation_losses, run.iteration = [], [], 123456
    assert headline(run) == "m_SAEHD | iteration 123,456"


def test_preview_files(tmp_path):
    run = session()
    hook = Preview(tmp_path, 10, history=True)
    for iteration in (1, 5, 10):
        run.iteration = iteration
        hook.after_step(run, batch())
    assert sorted(p.name for p in (tmp_path / "history/m_SAEHD").iterdir()) == ["0000001.jpg", "0000010.jpg"]
    assert cv2.imread(str(tmp_path / "latest.jpg")).shape == sheet(run).shape == (52 + 4 * 160, 7 * 160, 3)
    for path in (tmp_path / "latest.jpg", tmp_path / "history/m_SAEHD/0000010.jpg"):
        assert DIGITAL_SOURCE_TYPE.encode() in path.read_bytes()


def test_saved_samples_in_both_layouts_and_unusable_ones():
    sample = sample_of(batch())
    first = [[a.transpose(0, 3, 1, 2) for a in side] for side in sample]
    for ours, theirs in zip(usable_sample(first, 64), sample, strict=True):
        assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))
    for wrong in (None, [], sample[:1], 5, [[np.zeros((2, 3))] * 4] * 2):
        assert usable_sample(wrong, 64) is None
    assert usable_sample(sample, 96) is None
