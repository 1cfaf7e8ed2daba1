"""Target, swapped and source side by side, of both ways of swapping."""

import numpy as np
import pytest
from films import EVEN, make_film, shown

from core.errors import InputError
from core.jobs.merge.compare import compare
from core.stages import compare as stage
from core.video.decode import read_frames
from core.video.probe import probe
from core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    """The film of the source has twelve frames, that of the target eight."""
    made = Workspace(tmp_path).create()
    make_film(tmp_path / "data_src.mp4")
    make_film(tmp_path / "data_dst.mp4", times=EVEN[:8])
    return made


def first_frame(path):
    return next(iter(read_frames(probe(path)))).astype(int)


@pytest.mark.parametrize(
    ("reverse", "target", "result", "written"),
    [
        (False, "data_dst.mp4", "result.mp4", "compare.mp4"),
        (True, "data_src.mp4", "result_reverse.mp4", "compare_reverse.mp4"),
    ],
)
def test_the_target_is_the_film_that_was_swapped(workspace, reverse, target, result, written):
    frames = len(shown(workspace.root / target))
    make_film(workspace.root / result, times=EVEN[:frames])
    report = stage.run(stage.Options(reverse=reverse), workspace)
    path = workspace.root / written
    assert report.outputs == (path,) and not report.warnings
    # What lies between counts milliseconds.
    moved = zip(shown(path), shown(workspace.root / target), strict=True)
    assert max(abs(new - old) for new, old in moved) < 0.001
    height, width = first_frame(workspace.root / target).shape[:2]
    assert first_frame(path).shape == (height, 3 * width, 3)
    assert np.abs(first_frame(path)[:, :width] - first_frame(workspace.root / target)).mean() < 12


def test_each_way_wants_its_own_film(workspace):
    make_film(workspace.root / "result.mp4")
    with pytest.raises(InputError, match="no swapped film") as caught:
        compare(workspace, reverse=True)
    assert "--reverse" in caught.value.hint and str(caught.value.where).endswith("result_reverse.mp4")
