"""Preview grid and loss plot."""

from types import SimpleNamespace

import cv2
import numpy as np

from core.data.batches import TrainingBatch
from core.formats.provenance import DIGITAL_SOURCE_TYPE
from core.training.hooks.loss_plot import loss_plot
from core.training.hooks.preview import Preview, grid, sample_of
from core.training.recipe import Recipe
from core.training.session import usable_sample


class Views:
    def views(self, src, dst):
        return {"ss": src * 0 + 0.25, "dd": dst * 0 + 0.5, "sd": dst * 0 + 0.75}


def batch():
    images = np.zeros((2, 5, 64, 64, 3), np.float32)
    images[1] = 1
    masks = np.ones((2, 5, 64, 64, 1), np.float32)
    return TrainingBatch(0, images + 0.5, images, masks, masks)


def session():
    folder = SimpleNamespace(name="m", prefix="m_SAEHD")
    return SimpleNamespace(
        sample=sample_of(batch()), recipe=Recipe(resolution=64), trainer=Views(), iteration=1, folder=folder
    )


def test_columns_are_src_made_dst_made_swap_and_inputs_are_unwarped():
    image = grid(session())
    assert image.shape == (4 * 64, 5 * 64, 3) and image.dtype == np.uint8
    assert [int(image[100, 64 * column + 5, 0]) for column in range(5)] == [0, 64, 255, 128, 191]


def test_preview_files(tmp_path):
    run = session()
    hook = Preview(tmp_path, 10, history=True)
    for iteration in (1, 5, 10):
        run.iteration = iteration
        hook.after_step(run, batch())
    assert sorted(p.name for p in (tmp_path / "history/m_SAEHD").iterdir()) == ["0000001.jpg", "0000010.jpg"]
    assert cv2.imread(str(tmp_path / "latest.jpg")).shape == (256, 320, 3)
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


def test_loss_plot_has_both_lines():
    history = np.stack([np.linspace(5, 1, 3000), np.linspace(4, 2, 3000)], 1)
    image = loss_plot(history)
    redness = image[..., 2].astype(int) - image[..., 0]
    blue, orange = redness < -60, redness > 100
    assert image.shape == (420, 900, 3) and blue.sum() > 300 and orange.sum() > 300
