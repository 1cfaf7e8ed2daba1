"""A planted fault moves the figure that is there for it, and the others hardly."""

import pytest
from quality_faces import blurred, out_of_step, perfect, scored, small_mask, somebody_else, tinted, unsteady

from core.quality.figures import figures

# How far a figure may move without saying anything.
HARDLY = {
    "identity": 0.1,
    "eyes": 0.006,
    "mouth": 0.015,
    "points": 0.0025,
    "pose": 1.5,
    "mask_iou": 0.01,
    "mask_area": 0.01,
    "sharpness": 0.05,
    "edge": 1.5,
    "edge_merged": 1.0,
    "flicker": 0.05,
}


def means(plant):
    return {key: figure.mean for key, figure in figures(scored(plant).values).items()}


def test_the_perfect_swap_is_the_source_in_the_place_of_the_target():
    best = means(perfect)
    assert best["identity"] > 0.2 and best["src_ssim"] == pytest.approx(1, abs=1e-6)
    assert best["sharpness"] == pytest.approx(1, abs=0.1) and best["mask_area"] == pytest.approx(1, abs=0.05)
    assert best["points"] < 0.02 and best["pose"] < 6 and best["seen"] > 0.9
    assert "dst_ssim" not in best  # this model does not say what it makes of the target's own face


@pytest.mark.parametrize(
    ("plant", "moved", "others"),
    [
        # The lips of a soft mouth are seen in another place.
        (blurred, {"sharpness": -0.4, "src_ssim": -0.05}, {"identity", "flicker", "mouth"}),
        (tinted, {"edge": 8.0, "src_psnr": -50}, set()),
        (small_mask, {"mask_iou": -0.1, "mask_area": -0.1}, {"edge", "edge_merged"}),
        (
            somebody_else,
            {"identity": -0.5},
            {"edge", "edge_merged", "sharpness", "flicker", "eyes", "mouth", "points", "pose"},
        ),
        (
            out_of_step,
            {"pose": 5.0, "points": 0.005, "mouth": 0.02},
            {"eyes", "flicker", "sharpness", "edge", "edge_merged"},
        ),
        (unsteady, {"flicker": 0.8}, {"edge"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_planted_fault_moves_its_own_figure(plant, moved, others):
    """others: what such a swap is allowed to change, too."""
    before, after = means(perfect), means(plant)
    for key, least in moved.items():
        change = after[key] - before[key]
        assert change <= least if least < 0 else change >= least, (key, before[key], after[key])
    for key in HARDLY.keys() - moved.keys() - others:
        assert abs(after[key] - before[key]) <= HARDLY[key], (key, before[key], after[key])


def test_the_same_model_and_faces_give_the_same_figures():
    again = scored.__wrapped__(blurred)
    assert again.values == scored(blurred).values
