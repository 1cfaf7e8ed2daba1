import numpy as np

from core.quality import ranking, words
from core.quality.figures import changes, figures
from core.quality.metrics import BY_KEY, METRICS


def faces(numbers):
    return {f"f{index:02d}": float(number) for index, number in enumerate(numbers)}


def test_keys_are_unique_and_every_figure_knows_which_way_is_better():
    assert len(BY_KEY) == len(METRICS)
    assert BY_KEY["identity"].loss(0.5) < BY_KEY["identity"].loss(0.1)
    assert BY_KEY["edge"].loss(2) < BY_KEY["edge"].loss(9)
    assert BY_KEY["mask_area"].loss(1) < BY_KEY["mask_area"].loss(0.8) == BY_KEY["mask_area"].loss(1.2)
    assert BY_KEY["flicker"].loss(0.5) == BY_KEY["flicker"].loss(1) < BY_KEY["flicker"].loss(1.5)


def test_a_figure_has_its_spread_and_the_range_of_its_mean():
    found = figures({"identity": faces(np.linspace(0, 1, 21)), "edge": {}})
    assert list(found) == ["identity"]
    figure = found["identity"]
    assert figure.count == 21 and np.isclose(figure.mean, 0.5) and np.isclose(figure.spread, 0.31, atol=0.01)
    assert figure.low < 0.5 < figure.high and figure.high - figure.low < 0.4
    assert figures({"identity": faces([0.3])})["identity"].spread == 0


def test_noise_is_no_progress():
    random = np.random.default_rng(5)
    base = random.normal(0.4, 0.1, 24)
    called = [
        changes({"identity": faces(base)}, {"identity": faces(base + random.normal(0, 0.05, 24))})[0].verdict
        for _ in range(60)
    ]
    assert called.count("the same") >= 58


def test_a_small_steady_gain_is_one_and_knows_its_direction():
    random = np.random.default_rng(6)
    base = random.normal(0.4, 0.2, 24)
    better = base + 0.03 + random.normal(0, 0.02, 24)
    (change,) = changes({"identity": faces(base)}, {"identity": faces(better)})
    assert change.verdict == "better" and change.low > 0 and change.better > change.worse
    (back,) = changes({"identity": faces(better)}, {"identity": faces(base)})
    assert back.verdict == "worse" and np.isclose(back.difference, -change.difference)
    # Where less is better, the same numbers say the opposite.
    assert changes({"edge": faces(base + 5)}, {"edge": faces(base + 6)})[0].verdict == "worse"


def test_a_difference_that_nobody_sees_is_none():
    base = faces(np.linspace(0.2, 0.6, 24))
    assert changes({"identity": base}, {"identity": {k: v + 1e-4 for k, v in base.items()}})[0].verdict == "the same"


def test_only_faces_that_both_have_are_compared():
    (change,) = changes({"identity": faces([1, 2, 3])}, {"identity": {"f01": 5.0, "other": 9.0}})
    assert change.better == 1 and change.before == 2 and change.after == 5 and change.verdict == "the same"
    assert not changes({"identity": faces([1])}, {"edge": faces([1])})


def test_ranking_and_what_is_shown():
    values = {"identity": faces([0.1, 0.9, 0.5]), "points": faces([0.3, 0.1, 0.2])}
    order = ranking.ranked(values, ["f00", "f01", "f02"])
    assert order == ["f01", "f02", "f00"]
    assert ranking.chosen(order, 3) == {"best": ["f01"], "median": ["f02"], "worst": ["f00"]}
    assert ranking.chosen(["a", "b"], 3) == {"best": ["a"]}
    # A swap without points is seen as no face: as bad as the worst.
    assert ranking.ranked({"points": faces([0.3, 0.1])}, ["f02", "f01", "f00"])[0] == "f01"
    moved = {"identity": faces([0.8, 0.2, 0.5])}
    assert ranking.gains(values, moved, ["f00", "f01", "f02"]) == ["f00", "f02", "f01"]


def test_words_for_a_soft_swap_on_its_way():
    values = {"identity": faces([0.2] * 8), "identity_src": faces([0.6] * 8), "sharpness": faces([0.6] * 8)}
    values |= {"eyes": faces([0.01] * 8), "mouth": faces([0.01] * 8), "points": faces([0.01] * 8)}
    values |= {"pose": faces([2.0] * 8), "mask_area": faces([0.8] * 8), "mask_iou": faces([0.8] * 8)}
    beside = {"source_identity": 0.5, "target_identity": -0.5, "source_likeness": 0.9, "target_eyes_move": 0.05}
    said = " / ".join(words.sentences(figures(values), beside))
    assert "70 % of the way from the target to the source" in said
    assert "eyes follow within 1.0 % of an eye's width (the target's move by 5.0 %" in said
    assert "skin is 40 % softer than the source" in said and "20 % smaller than the target's mask" in said
    advised = words.advice(figures(values), beside, {"random_warp": True})
    assert "--no-random-warp" in advised[0] and "masks" in advised[1]
    assert "--lr-dropout y" in words.advice(figures(values), beside, {"random_warp": False, "lr_dropout": "n"})[0]
    early = words.advice(figures(values | {"identity": faces([-0.4] * 8)}), beside, {})
    assert "go on with the present phase" in early[0]
