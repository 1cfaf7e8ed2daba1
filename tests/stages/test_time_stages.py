"""What the jobs on time say."""

import numpy as np
import pytest
from film_databases import walking, write_film

from core import stages
from core.errors import UsageError
from core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path).create()
    frames = range(1, 41)
    actors = [
        walking([n for n in frames if n not in (10, 11)], (100, 100), who=0),
        walking([n for n in frames if n < 35], (600, 100), who=1),
    ]
    for actor in actors:
        actor.points = actor.points + np.random.default_rng(0).normal(0, 0.2, actor.points.shape)
    write_film(workspace.side("src"), actors, frames)
    return workspace


def said(workspace, job: str, **options) -> str:
    stage = stages.load(f"alignments {job}")
    return str(stage.run(stage.Options(side="src", **options), workspace))


def test_from_faces_to_smooth_tracks(workspace):
    report = said(workspace, "tracks")
    assert "person 1       38 faces in 1 track, 00001.png to 00040.png" in report
    assert "cuts           0" in report
    assert "faces added    2" in said(workspace, "interpolate")
    assert "74 in 2 tracks" in said(workspace, "smooth")
    assert "points moved  40" in said(workspace, "spatial", strength=0, person="1")
    assert "person Ann   40 faces" in said(workspace, "persons", person="1", name="Ann")
    assert "person 2" in said(workspace, "persons")


@pytest.mark.parametrize("options", [{"person": "1"}, {"name": "Ann"}, {"person": "1", "name": "2"}])
def test_half_a_name_and_numbers_are_refused(workspace, options):
    with pytest.raises(UsageError):
        said(workspace, "persons", **options)


def test_faces_far_apart_are_not_smoothed_and_that_is_said(tmp_path):
    workspace = Workspace(tmp_path).create()
    frames = range(1, 1000, 25)
    write_film(workspace.side("src"), [walking(frames, (100, 100), who=0, step=0.1)], frames)
    said(workspace, "tracks")
    assert "25 frames apart" in said(workspace, "smooth")
