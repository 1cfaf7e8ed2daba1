"""What extraction does on wish when all faces are found."""

import numpy as np
from found_faces import face_at, side_with

from core.faceset.database import faces
from core.faceset.database.connection import open_database
from core.jobs.alignments.crop_plan import Again
from core.jobs.alignments.extract import extract_again
from core.jobs.alignments.time.calm import Calm, make_calm
from core.workspace import Workspace, list_images


def test_gaps_are_filled_points_smoothed_and_crops_made_once(tmp_path):
    workspace = Workspace(tmp_path)
    rng = np.random.default_rng(0)
    frames = [f"{number:05d}.png" for number in range(1, 13)]
    places = {name: [face_at(name, 120 + 3 * k + rng.normal(0, 0.6))] for k, name in enumerate(frames)}
    places[frames[5]] = []
    side = side_with(workspace, places)
    extract_again(workspace, "src", Again())
    done = make_calm(workspace, "src", Calm(max_gap=3, strength=0.5))
    assert (done.tracks, done.added, done.made) == (1, 1, 12)
    assert done.smoothed is not None and done.smoothed.motion < 1
    with open_database(side.database) as connection:
        origins = {face.frame: face.origin for face in faces.faces(connection)}
    assert origins[frames[5]] == "interpolated"
    pictures = {path.name: path.read_bytes() for path in list_images(side.aligned)}
    again = make_calm(workspace, "src", Calm(max_gap=3, strength=0.5))
    assert (again.added, again.made) == (0, 0)
    assert {path.name: path.read_bytes() for path in list_images(side.aligned)} == pictures


def test_without_files_only_the_database_changes(tmp_path):
    workspace = Workspace(tmp_path)
    frames = [f"{number:05d}.png" for number in range(1, 8)]
    places = {name: [face_at(name, 120 + 3 * k)] for k, name in enumerate(frames)}
    places[frames[2]] = []
    side = side_with(workspace, places)
    done = make_calm(workspace, "src", Calm(max_gap=1, files=False))
    assert (done.added, done.made, done.smoothed) == (1, 0, None)
    assert not list_images(side.aligned)
