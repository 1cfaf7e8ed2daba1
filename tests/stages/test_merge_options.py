"""What the merge step makes of its options and says of its result."""

from pathlib import Path

import pytest

from core.errors import UsageError
from core.jobs.merge.merge import MergedFilm
from core.stages.merge import Options, _report, choices_of


def test_calm_and_cues_are_passed_on():
    choices = choices_of(Options(side="dst", calm=0.25, cues=Path("mine.toml"), keep_parts=True))
    assert (choices.calming, choices.cues, choices.keep_parts) == (0.25, Path("mine.toml"), True)


def test_the_original_way_is_never_calm():
    assert choices_of(Options(side="dst", exact=True)).calming == 0
    with pytest.raises(UsageError, match="--calm|no such option"):
        choices_of(Options(side="dst", exact=True, calm=0.5))


def test_cues_scenes_and_smoothing_are_reported():
    done = MergedFilm(
        frames=20,
        swapped=20,
        faces=20,
        left_out=0,
        model=Path("m.dfm"),
        device="cpu",
        film=None,
        folders=(),
        new_frames=0,
        seconds=1.0,
        cues=Path("w/convert.toml"),
        cue_count=3,
        unused=(2,),
        scenes=tuple(range(1, 20)),
        calmed=17,
    )
    report = _report(Options(side="dst"), done)
    rows = dict(report.rows)
    assert rows["cues"] == "3 of w/convert.toml"
    assert rows["scenes begin at"].endswith("11, 12 and 7 more")
    assert rows["landmarks smoothed"].startswith("17 faces")
    assert report.warnings == ("cue 2 is for no face of this film",)
