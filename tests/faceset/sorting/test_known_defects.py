"""Faults that well-known sorting tools have, shown absent: lost files, wrong bins, two methods that are one."""

import numpy as np
import pytest
from portraits import snapshot, write_set

from core.faceset.sorting import methods
from core.faceset.sorting.groups import _by_score
from core.faceset.sorting.ranking import Choices
from core.jobs.faceset import group, sort
from core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    write_set(tmp_path / "data_src/aligned", 8)
    return Workspace(tmp_path)


def test_grouping_again_keeps_what_the_first_time_moved(workspace):
    """There, a bin of the same name is deleted with all that is in it."""
    side = workspace.side("src")
    before = sorted(snapshot(side.aligned).values())
    group.group(workspace, "src", "brightness", 2)
    write_set(side.aligned, 4)
    group.group(workspace, "src", "brightness", 2)
    moved = [path.read_bytes() for path in (side.frames / "aligned_groups").rglob("*.jpg")]
    assert len(moved) == 12
    assert all(data in moved for data in before)


@pytest.mark.parametrize("name", ["brightness", "size", "distance"])
def test_every_face_is_in_one_bin_the_least_in_the_first_and_the_largest_in_the_last(name):
    """There, the face with the minimum lands in the last bin, and means above 100 end the run."""
    scores = np.array([250.0, 3.0, 120.0, 99.0, 180.0, 3.5])
    found = _by_score(methods.find(name), scores, 4)
    assert found.labels[1] == 0
    assert found.labels[0] == len(found.names) - 1
    assert (found.labels >= 0).all()
    assert sum(found.sizes()) == len(scores)
    for score, label in zip(scores, found.labels, strict=True):
        low, high = map(float, found.names[label].split("_")[-3::2])
        assert low <= score <= high


def test_methods_with_two_names_are_two_methods(workspace):
    """There, the dissimilar orders are those of the similar ones."""
    orders = {by: sort.preview(workspace, "src", by, Choices()).order.names for by in ("hist", "hist-dissim")}
    assert orders["hist"] != orders["hist-dissim"]
