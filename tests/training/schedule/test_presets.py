"""Presets as files."""

import pytest

from core.errors import InputError, UsageError
from core.networks import archs
from core.stages.models import train
from core.training import recipe
from core.training.schedule import presets
from core.training.schedule.presets import Phase
from core.workspace import Workspace


def test_the_built_in_presets_are_sound():
    assert presets.NAMES == ("draft", "likeness", "live", "quick")
    for name in presets.NAMES:
        preset = presets.find(name)
        options = {name: value for name, value in preset.options.items() if name != presets.RATE}
        model = recipe.Recipe(**options)
        recipe.require_trainable(model)
        parts = archs.networks(recipe.config_of(model))
        for phase in preset.phases:
            recipe.require_trainable(model.model_copy(update=phase.options))
            assert set(phase.reinit) <= set(parts)
            assert set(phase.options) == preset.scheduled  # nothing is left to what a model had before
        assert preset.description and preset.end
    live = presets.find("live")
    assert live.phases[0] == Phase(500_000, live.phases[0].options, ("inter_AB",), 100_000)
    assert [phase.options["gan_power"] for phase in live.phases] == [0, 0, 0, 0.1]
    assert presets.from_plain(live.plain(), "x") == live


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "unknown: x"),
        ("[options]\nwarp = true", r"\[options\], warp\n  there is no such option"),
        ("[options]\nbatch_size = 0", r"\[options\], batch_size\n  Input should be greater"),
        ("[options]\npretrain = true", "pretrain\n  it cannot be set there"),
        ("[[phase]]\nuntil = 5\n[[phase]]\nresolution = 128", "phase 2, resolution\n  it fixes the networks"),
        ("[[phase]]\nuntil = 5\n[[phase]]\nuntil = 5", "phase 2, until\n  5 does not come after 5"),
        ("[[phase]]\n[[phase]]\nuntil = 5", "phase 1, until\n  it is missing"),
        ("[[phase]]\nuntil = 1.5", "phase 1, until\n  1.5 is not a number of iterations"),
        ("[[phase]]\ngan_power = 9", "phase 1, gan_power"),
        ("[[phase]]\nreinit = 'inter_AB'", "phase 1, reinit\n  it must be a list"),
        ("[[phase]]\nreinit_every = 5", "phase 1, reinit_every\n  there is no reinit"),
        ("[phase]", "list of tables"),
        ("[[phase", "cannot read the preset"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        presets.find(str(path))
    assert "mine.toml" in str(caught.value)


def test_the_environment_is_no_part_of_a_preset(monkeypatch):
    before = presets.find("live")
    monkeypatch.setenv("FORGE_BATCH_SIZE", "many")
    monkeypatch.setenv("FORGE_GAN_POWER", "1")
    assert presets.find("live") == before


def test_unknown_names():
    with pytest.raises(UsageError, match="draft, likeness, live, quick"):
        presets.find("life")
    with pytest.raises(InputError, match="no such preset file"):
        presets.find("nowhere.toml")
    listed = train.run(train.Options(preset="list"), Workspace("/nowhere"))
    assert [name for name, _ in listed.rows] == ["draft", "likeness", "live", "quick"]
